/* The catalogue as clients see it, and the snapshot that an order keeps. */
#include "catalog/catalog.h"

static const char *const flow_names[] = {
    [CP_REVIEW_THEN_PAY] = "review_then_pay",
    [CP_PAY_THEN_REVIEW] = "pay_then_review",
};


static json_t *
text(cp_str_t s)
{
    return s.data == NULL ? json_null() : json_stringn(s.data, s.len);
}


static json_t *
limit(int64_t most)
{
    return most == 0 ? json_null() : json_integer((json_int_t) most);
}


static json_t *
wrong_json(const cp_material_rule_t *rule)
{
    json_t *list = json_array();
    size_t  i;

    for (i = 0; i < rule->wrong_count; i++) {
        json_array_append_new(list, text(rule->wrong[i]));
    }

    return list;
}


static json_t *
need_json(const cp_material_need_t *need)
{
    const cp_material_rule_t *rule = need->rule;

    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:o, s:o, s:b, s:o, s:o, s:o}", "kind", text(rule->kind),
                     "title", text(rule->title), "types", cp_words_json(cp_type_words, rule->types), "max_size",
                     (json_int_t) rule->max_size, "max_pixels", limit(rule->max_pixels), "max_pages",
                     limit(rule->max_pages), "required", (int) need->required, "applicants",
                     cp_words_json(cp_applicant_words, need->applicants), "services",
                     cp_words_json(cp_service_words, need->services), "template",
                     (int) (rule->template_file.data != NULL), "example", text(rule->example), "hint",
                     text(rule->hint), "wrong", wrong_json(rule));
}


static json_t *
needs_json(const cp_project_t *project)
{
    json_t *list = json_array();
    size_t  i;

    for (i = 0; i < project->need_count; i++) {
        json_array_append_new(list, need_json(&project->needs[i]));
    }

    return list;
}


static json_t *
product_json(const cp_product_t *product)
{
    return json_pack("{s:o, s:o, s:i, s:I, s:o, s:b, s:o}", "name", text(product->name), "title",
                     text(product->title), "years", (int) product->years, "price", (json_int_t) product->price_fen,
                     "profile", text(product->profile), "seal", (int) product->seal, "keys",
                     cp_words_json(cp_key_words, product->keys));
}


static json_t *
project_json(const cp_project_t *project)
{
    json_t *products = json_array();
    size_t  i;

    for (i = 0; i < project->product_count; i++) {
        json_array_append_new(products, product_json(&project->products[i]));
    }

    return json_pack("{s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "name", text(project->name), "title",
                     text(project->title), "free", (int) project->free, "one_per_unit", (int) project->one_per_unit,
                     "applicants", cp_words_json(cp_applicant_words, project->applicants), "services",
                     cp_words_json(cp_service_words, project->services), "invoices",
                     cp_words_json(cp_invoice_words, project->invoices), "deliveries",
                     cp_words_json(cp_delivery_words, project->deliveries), "materials", needs_json(project),
                     "products", products);
}


static json_t *
agreement_json(const cp_agreement_t *agreement)
{
    return json_pack("{s:o, s:o, s:o}", "version", text(agreement->version), "sha256", text(agreement->sha256),
                     "text", text(agreement->text));
}


json_t *
cp_hall_json(const cp_hall_t *hall)
{
    json_t *projects = json_array();
    size_t  i;

    for (i = 0; i < hall->project_count; i++) {
        json_array_append_new(projects, project_json(hall->projects[i]));
    }

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:o, s:o}", "name", text(hall->name), "title",
                     text(hall->title), "phone", text(hall->phone), "sign_in",
                     cp_words_json(cp_sign_in_words, hall->sign_in), "payments",
                     cp_words_json(cp_payment_words, hall->payments), "flow", flow_names[hall->flow], "review_days",
                     (int) hall->review_days, "agreement", agreement_json(&hall->agreement), "projects", projects);
}


json_t *
cp_sale_json(const cp_hall_t *hall, const cp_project_t *project, const cp_product_t *product)
{
    return json_pack("{s:o, s:o, s:{s:o, s:o, s:b, s:b, s:o, s:o}, s:o, s:o, s:s, s:o}", "hall", text(hall->name),
                     "hall_title", text(hall->title), "project", "name", text(project->name), "title",
                     text(project->title), "free", (int) project->free, "one_per_unit", (int) project->one_per_unit,
                     "invoices", cp_words_json(cp_invoice_words, project->invoices), "deliveries",
                     cp_words_json(cp_delivery_words, project->deliveries), "product", product_json(product), "needs",
                     needs_json(project), "flow", flow_names[hall->flow], "agreement_version",
                     text(hall->agreement.version));
}
