/* Finding things in the catalogue, and checking a hall as a whole. */
#include "catalog/catalog.h"


const cp_hall_t *
cp_catalog_hall(const cp_catalog_t *catalog, cp_str_t name)
{
    size_t i;

    if (name.data == NULL) {
        return catalog->hall_count == 1 ? catalog->halls[0] : NULL;
    }

    for (i = 0; i < catalog->hall_count; i++) {
        if (cp_str_eq(catalog->halls[i]->name, name)) {
            return catalog->halls[i];
        }
    }

    return NULL;
}


const cp_project_t *
cp_hall_project(const cp_hall_t *hall, cp_str_t name)
{
    size_t i;

    for (i = 0; i < hall->project_count; i++) {
        if (cp_str_eq(hall->projects[i]->name, name)) {
            return hall->projects[i];
        }
    }

    return NULL;
}


const cp_product_t *
cp_project_product(const cp_project_t *project, cp_str_t name)
{
    size_t i;

    for (i = 0; i < project->product_count; i++) {
        if (cp_str_eq(project->products[i].name, name)) {
            return &project->products[i];
        }
    }

    return NULL;
}


const cp_material_rule_t *
cp_hall_material(const cp_hall_t *hall, cp_str_t kind)
{
    size_t i;

    for (i = 0; i < hall->material_count; i++) {
        if (cp_str_eq(hall->materials[i].kind, kind)) {
            return &hall->materials[i];
        }
    }

    return NULL;
}


static int64_t
wider(int64_t a, int64_t b)
{
    return a == 0 || b == 0 ? 0 : a > b ? a : b;
}


bool
cp_catalog_material(const cp_catalog_t *catalog, cp_str_t kind, cp_material_rule_t *widest)
{
    const cp_material_rule_t *rule;
    size_t                    i;

    *widest = (cp_material_rule_t) { .kind = CP_STR_NULL };

    for (i = 0; i < catalog->hall_count; i++) {
        rule = cp_hall_material(catalog->halls[i], kind);
        if (rule == NULL) {
            continue;
        }

        if (widest->kind.data == NULL) {
            *widest = (cp_material_rule_t) { .kind = rule->kind, .max_pixels = rule->max_pixels,
                                             .max_pages = rule->max_pages };
        }
        widest->types |= rule->types;
        widest->max_size = rule->max_size > widest->max_size ? rule->max_size : widest->max_size;
        widest->max_pixels = wider(widest->max_pixels, rule->max_pixels);
        widest->max_pages = wider(widest->max_pages, rule->max_pages);
    }

    return widest->kind.data != NULL;
}


const char *
cp_project_check(const cp_project_t *project, cp_arena_t *arena)
{
    size_t i;

    if (project->product_count == 0) {
        return "it has no \"product\"";
    }

    for (i = 0; i < project->product_count; i++) {
        const cp_product_t *product = &project->products[i];

        if (project->free != (product->price_fen == 0)) {
            return cp_str_printf(arena, "product \"%s\" must %s", product->name.data,
                                 project->free ? "cost nothing: the project is free"
                                               : "have a \"price\": the project is not \"free\"").data;
        }
    }

    return NULL;
}


const char *
cp_hall_check(const cp_hall_t *hall, cp_arena_t *arena)
{
    size_t i;

    if (hall->title.data == NULL) {
        return "the hall has no \"title\"";
    }
    if (hall->sign_in == 0) {
        return "the hall has no \"sign_in\"";
    }
    if (hall->agreement.text.data == NULL) {
        return "the hall has no \"agreement\"";
    }
    if (hall->project_count == 0) {
        return "the hall has no \"project\"";
    }

    for (i = 0; i < hall->project_count; i++) {
        if (!hall->projects[i]->free && (hall->payments == 0 || hall->payee.account.data == NULL)) {
            return cp_str_printf(arena, "project \"%s\" costs money: \"payments\" and \"payee\" are needed",
                                 hall->projects[i]->name.data).data;
        }
    }

    return NULL;
}
