#include "material/material_ops.h"

#include <string.h>

#include "audit/audit.h"
#include "identity/identity.h"
#include "material/material_quota.h"
#include "material/material_rules.h"
#include "material/material_store.h"
#include "order/order.h"


/* The calling account's order, locked, in a state in which its materials may change. */
static cp_code_t
begin_edit(cp_call_t *call, cp_order_t *order)
{
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_order_own(call, call->params[0], true, order));

    return cp_order_may(call, order, CP_ORDER_ON_EDIT);
}


/* The edge knew only the widest rule of that kind; the order was sold under its own. */
static cp_code_t
check_upload(cp_call_t *call, const cp_order_t *order, cp_str_t kind)
{
    const cp_need_t *need;
    cp_needs_t       needs;
    cp_unit_t        unit;

    CP_TRY(cp_unit_by_id(call, order->unit, &unit));
    CP_TRY(cp_needs_read(call->arena, order->sale, &needs));

    need = cp_needs_find(&needs, kind, unit.kind, order->service);
    if (need == NULL) {
        return CP_E_NOT_FOUND;
    }

    return cp_upload_narrow(call, &need->limits);
}


static cp_code_t
answer_uploaded(cp_call_t *call, cp_str_t kind, const cp_stored_t *stored)
{
    cp_str_t digest = cp_str_hex(call->arena, cp_str_n(stored->sha256, sizeof(stored->sha256)));

    CP_TRY(cp_audit(call, "material.upload", "order", call->params[0],
                    json_pack("{s:o, s:I, s:o}", "kind", cp_json(kind), "size", (json_int_t) stored->size, "sha256",
                              cp_json(digest))));

    return cp_answer(call, 201,
                     json_pack("{s:o, s:s, s:I, s:o, s:s}", "kind", cp_json(kind), "type", cp_type_mime(stored->type),
                               "size", (json_int_t) stored->size, "sha256", cp_json(digest), "state", "uploaded"));
}


/*
 * The current material of a kind, if there is one (id 0: none). What was submitted is frozen, unless the review
 * rejected it: the reviewer must find the rest as it was.
 */
static cp_code_t
find_open(cp_call_t *call, const cp_order_t *order, cp_str_t kind, cp_material_t *current)
{
    cp_code_t code;

    memset(current, 0, sizeof(*current));

    code = cp_material_find(call, order->id, kind, current);
    if (code != CP_OK) {
        current->id = 0;
        return code == CP_E_NOT_FOUND ? CP_OK : code;
    }

    return order->submitted_ms != 0 && current->created_ms <= order->submitted_ms
           && !cp_str_is(current->state, "rejected") ? CP_E_FROZEN : CP_OK;
}


/* Ends the current material, if there is one; its room is given back where nobody will ask for its file. */
static cp_code_t
retire(cp_call_t *call, const cp_order_t *order, const cp_material_t *current, const char *how)
{
    return current->id == 0 ? CP_OK : cp_material_retire(call, order->id, current->kind, how, order->submitted_ms);
}


static cp_code_t
give_room(cp_call_t *call, const cp_order_t *order, const cp_material_t *retired)
{
    return retired->id == 0 ? CP_OK : cp_material_give_room(call, order, &retired->stored);
}


/* Bytes that the order has already need no second copy and no room. */
static cp_code_t
store_again(cp_call_t *call, const cp_order_t *order, const cp_material_t *current, cp_str_t kind,
            const cp_stored_t *known)
{
    CP_TRY(retire(call, order, current, "replaced"));
    CP_TRY(cp_material_insert(call, order->id, kind, known));

    return give_room(call, order, current);
}


static cp_code_t
store_new(cp_call_t *call, const cp_order_t *order, const cp_material_t *current, cp_str_t kind, cp_stored_t *stored)
{
    CP_TRY(retire(call, order, current, "replaced"));
    CP_TRY(give_room(call, order, current));
    CP_TRY(cp_material_take_room(call, order, stored->size));
    CP_TRY(cp_upload_keep(call, call->upload, stored));

    return cp_material_insert(call, order->id, kind, stored);
}


static cp_code_t
put(cp_call_t *call, cp_stored_t *stored)
{
    cp_str_t      kind = call->params[1];
    cp_order_t    order;
    cp_material_t current;
    cp_stored_t   known;
    cp_code_t     code;

    CP_TRY(begin_edit(call, &order));
    CP_TRY(check_upload(call, &order, kind));
    CP_TRY(find_open(call, &order, kind, &current));

    cp_upload_describe(call->upload, stored);
    code = cp_material_same_bytes(call, order.id, stored, &known);
    if (code == CP_E_NOT_FOUND) {
        code = store_new(call, &order, &current, kind, stored);
    } else if (code == CP_OK) {
        code = store_again(call, &order, &current, kind, &known);
    }
    CP_TRY(code);

    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_EDIT, NULL));

    return answer_uploaded(call, kind, stored);
}


cp_code_t
cp_op_material_put(cp_call_t *call)
{
    cp_stored_t stored = { 0 };
    cp_code_t   code;

    if (call->upload == NULL) {
        cp_bad_field(call, CP_STR("body"), CP_F_REQUIRED);
        return CP_E_INVALID;
    }

    code = put(call, &stored);

    /*
     * Without its row the file is nobody's, unless the operation runs again with it. A commit that failed may still
     * have happened, so from there on only the sweep may remove the file.
     */
    if (code != CP_OK && code != CP_E_RETRY && stored.file.data != NULL) {
        cp_stored_remove(call, stored.file);
    }
    CP_TRY(code);

    return cp_call_commit(call);
}


cp_code_t
cp_op_material_remove(cp_call_t *call)
{
    cp_order_t    order;
    cp_material_t material;

    CP_TRY(begin_edit(call, &order));
    CP_TRY(find_open(call, &order, call->params[1], &material));
    if (material.id == 0) {
        return CP_E_NOT_FOUND;
    }

    CP_TRY(retire(call, &order, &material, "removed"));
    CP_TRY(give_room(call, &order, &material));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_EDIT, NULL));
    CP_TRY(cp_audit(call, "material.remove", "order", order.no, json_pack("{s:o}", "kind", cp_json(material.kind))));

    CP_TRY(cp_answer(call, 204, NULL));

    return cp_call_commit(call);
}


/* The file itself, in a form that no browser runs or shows as a page of ours. */
static cp_code_t
answer_file(cp_call_t *call, const cp_material_t *material)
{
    cp_str_t bytes, name;

    CP_TRY(cp_stored_read(call, &material->stored, &bytes));

    name = cp_download_name(call->arena, material->kind, cp_type_ending(material->stored.type));
    if (name.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    cp_answer_header(call, "Content-Disposition",
                     cp_str_printf(call->arena, "attachment; filename=\"%s\"", name.data));
    cp_answer_header(call, "X-Content-Type-Options", CP_STR("nosniff"));
    cp_answer_header(call, "Content-Security-Policy", CP_STR("sandbox; default-src 'none'"));
    cp_answer_header(call, "Cache-Control", CP_STR("private, no-store"));

    call->in_parts = true;

    return cp_answer_raw(call, 200, cp_type_mime(material->stored.type), bytes);
}


cp_code_t
cp_op_material_get(cp_call_t *call)
{
    cp_order_t    order;
    cp_material_t material;

    CP_TRY(cp_order_own(call, call->params[0], false, &order));
    CP_TRY(cp_material_find(call, order.id, call->params[1], &material));

    return answer_file(call, &material);
}


cp_code_t
cp_op_material_list(cp_call_t *call)
{
    cp_order_t order;
    json_t    *items;

    CP_TRY(cp_order_own(call, call->params[0], false, &order));
    CP_TRY(cp_material_list(call, order.id, order.sale, &items));

    return cp_answer(call, 200, json_pack("{s:o}", "items", items));
}


cp_code_t
cp_op_material_view(cp_call_t *call)
{
    cp_order_t    order;
    cp_material_t material;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_order_any(call, call->params[0], false, &order));
    CP_TRY(cp_material_find(call, order.id, call->params[1], &material));

    CP_TRY(cp_audit(call, "material.view", "order", order.no, json_pack("{s:o}", "kind", cp_json(material.kind))));
    CP_TRY(answer_file(call, &material));

    return cp_call_commit(call);
}
