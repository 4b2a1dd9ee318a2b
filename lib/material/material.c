/* An order's materials as the order's own operations see them. */
#include "material/material.h"

#include "material/material_copy.h"
#include "material/material_rules.h"
#include "material/material_store.h"


static cp_code_t
add_missing(cp_call_t *call, cp_str_t kind, json_t *missing)
{
    cp_str_t name = cp_str_printf(call->arena, "materials.%.*s", (int) kind.len, kind.data);

    return name.data != NULL && json_array_append_new(missing, cp_json(name)) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


/* Takes note of what is there; what the review rejected and nobody replaced is missing, whether required or not. */
static cp_code_t
see_current(cp_call_t *call, int64_t order, json_t *seen, json_t *missing)
{
    cp_rows_t    *rows;
    cp_material_t material;
    cp_code_t     code;

    CP_TRY(cp_material_query(call, order, &rows));

    while ((code = cp_material_next(rows, &material)) == CP_OK) {
        if (json_object_set_new(seen, material.kind.data, json_true()) != 0) {
            return CP_E_NO_MEMORY;
        }
        if (cp_str_is(material.state, "rejected")) {
            CP_TRY(add_missing(call, material.kind, missing));
        }
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


static cp_code_t
add_unseen(cp_call_t *call, const cp_needs_t *needs, cp_str_t applicant, cp_str_t service, json_t *seen,
           json_t *missing)
{
    size_t i;

    for (i = 0; i < needs->count; i++) {
        const cp_need_t *need = &needs->items[i];

        if (!need->required || !cp_need_applies(need, applicant, service)
            || json_object_get(seen, need->kind.data) != NULL)
        {
            continue;
        }
        if (json_object_set_new(seen, need->kind.data, json_true()) != 0) {
            return CP_E_NO_MEMORY;
        }
        CP_TRY(add_missing(call, need->kind, missing));
    }

    return CP_OK;
}


cp_code_t
cp_material_missing(cp_call_t *call, int64_t order, cp_str_t sale, cp_str_t applicant, cp_str_t service,
                    json_t *missing)
{
    cp_needs_t needs;
    json_t    *seen;
    cp_code_t  code;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_needs_read(call->arena, sale, &needs));

    seen = json_object();
    code = seen == NULL ? CP_E_NO_MEMORY : see_current(call, order, seen, missing);
    if (code == CP_OK) {
        code = add_unseen(call, &needs, applicant, service, seen, missing);
    }
    json_decref(seen);

    return code;
}


static json_t *
material_json(cp_call_t *call, const cp_material_t *material, cp_str_t title)
{
    cp_inspected_t inspected = { .pages = material->pages, .hints = material->hints,
                                 .orientation = material->orientation };
    cp_str_t       digest = cp_str_n(material->stored.sha256, sizeof(material->stored.sha256));
    json_t        *json;

    json = json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "kind", cp_json(material->kind), "title", cp_json(title),
                     "type", cp_json(material->type), "size", (json_int_t) material->stored.size, "sha256",
                     cp_json(cp_str_hex(call->arena, digest)), "state", cp_json(material->state), "uploaded_at",
                     cp_json_time(call, material->created_ms));
    if (cp_inspected_tell(&inspected, json) != CP_OK) {
        json_decref(json);
        return NULL;
    }

    return json;
}


static cp_code_t
fill_list(cp_call_t *call, int64_t order, const cp_needs_t *needs, json_t *list)
{
    cp_rows_t    *rows;
    cp_material_t material;
    cp_code_t     code;

    CP_TRY(cp_material_query(call, order, &rows));

    while ((code = cp_material_next(rows, &material)) == CP_OK) {
        cp_str_t title = cp_needs_title(needs, material.kind);

        if (json_array_append_new(list, material_json(call, &material, title)) != 0) {
            return CP_E_NO_MEMORY;
        }
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


cp_code_t
cp_material_list(cp_call_t *call, int64_t order, cp_str_t sale, json_t **list)
{
    cp_needs_t needs;
    cp_code_t  code;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_needs_read(call->arena, sale, &needs));

    *list = json_array();
    if (*list == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = fill_list(call, order, &needs, *list);
    if (code != CP_OK) {
        json_decref(*list);
        *list = NULL;
    }

    return code;
}


cp_code_t
cp_material_set_digest(cp_call_t *call, int64_t order, cp_str_t *digest)
{
    cp_rows_t     *rows;
    cp_material_t  material;
    cp_str_t       text = CP_STR("");
    cp_code_t      code;
    unsigned char *sha256 = cp_alloc(call->arena, CP_SHA256_SIZE);

    if (sha256 == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_material_query_by_kind(call, order, &rows));

    while ((code = cp_material_next(rows, &material)) == CP_OK) {
        cp_str_t hex = cp_str_hex(call->arena, cp_str_n(material.stored.sha256, CP_SHA256_SIZE));

        text = hex.data == NULL ? hex : cp_str_printf(call->arena, "%.*s%.*s %s\n", (int) text.len, text.data,
                                                      (int) material.kind.len, material.kind.data, hex.data);
        if (text.data == NULL) {
            return CP_E_NO_MEMORY;
        }
    }
    if (code != CP_E_NOT_FOUND) {
        return code;
    }

    CP_TRY(cp_sha256(text, sha256));
    *digest = cp_str_n(sha256, CP_SHA256_SIZE);

    return CP_OK;
}


cp_code_t
cp_material_reject(cp_call_t *call, int64_t order, cp_str_t kind)
{
    cp_material_t material;

    CP_TRY(cp_material_find(call, order, kind, &material));

    return cp_material_set_state(call, material.id, "rejected");
}
