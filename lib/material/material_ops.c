#include "material/material_ops.h"

#include <string.h>

#include "audit/audit.h"
#include "identity/identity.h"
#include "material/material_copy.h"
#include "material/material_quota.h"
#include "material/material_rules.h"
#include "material/material_store.h"
#include "order/order.h"


/* What came, and what there is already. */
typedef struct {
    cp_order_t            order;
    cp_material_t         current;      /* id 0: none */
    cp_stored_t           stored;       /* what came */
    cp_stored_t           known;        /* the same bytes of this order; file {0, NULL}: none */
    cp_inspected_t        found;        /* of those */
    bool                  seen;         /* they have been inspected */
    const cp_inspected_t *inspected;
} put_t;


/* The calling account's order in a state in which its materials may change. */
static cp_code_t
find_order(cp_call_t *call, bool lock, cp_order_t *order)
{
    CP_TRY(cp_order_own(call, call->params[0], lock, order));

    return cp_order_may(call, order, CP_ORDER_ON_EDIT);
}


static cp_code_t
begin_edit(cp_call_t *call, cp_order_t *order)
{
    CP_TRY(cp_call_begin(call));

    return find_order(call, true, order);
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
answer_uploaded(cp_call_t *call, const put_t *put)
{
    const cp_stored_t *stored = &put->stored;
    cp_str_t           kind = call->params[1];
    cp_str_t           digest = cp_str_hex(call->arena, cp_str_n(stored->sha256, sizeof(stored->sha256)));
    json_t            *answer;

    CP_TRY(cp_audit(call, "material.upload", "order", call->params[0],
                    json_pack("{s:o, s:I, s:o}", "kind", cp_json(kind), "size", (json_int_t) stored->size, "sha256",
                              cp_json(digest))));

    answer = json_pack("{s:o, s:s, s:I, s:o, s:s}", "kind", cp_json(kind), "type", cp_type_mime(stored->type), "size",
                       (json_int_t) stored->size, "sha256", cp_json(digest), "state", "uploaded");
    CP_TRY(cp_answer(call, 201, answer));

    return cp_inspected_tell(put->inspected, answer);
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


/*
 * What must hold, and whether the order has the bytes already. Before the inspector's time is taken, and once more when
 * the order is held.
 */
static cp_code_t
check(cp_call_t *call, bool lock, put_t *put)
{
    cp_str_t  kind = call->params[1];
    cp_code_t code;

    CP_TRY(find_order(call, lock, &put->order));
    CP_TRY(check_upload(call, &put->order, kind));
    CP_TRY(find_open(call, &put->order, kind, &put->current));

    put->known.file = CP_STR_NULL;
    put->seen = false;
    cp_upload_describe(call->upload, &put->stored);

    code = cp_material_same_bytes(call, put->order.id, &put->stored, &put->known);
    if (code == CP_OK) {
        code = cp_inspected_find(call, put->known.file, &put->found);
        put->seen = code == CP_OK;
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


/* Bytes that the order has already need no second file and no room. */
static cp_code_t
store_again(cp_call_t *call, put_t *put)
{
    CP_TRY(retire(call, &put->order, &put->current, "replaced"));
    CP_TRY(cp_material_insert(call, put->order.id, call->params[1], &put->known));

    return give_room(call, &put->order, &put->current);
}


/* Nor do they when they came before there were copies. */
static cp_code_t
store_copies(cp_call_t *call, put_t *put)
{
    CP_TRY(store_again(call, put));
    CP_TRY(cp_material_take_room(call, &put->order, put->inspected->size));

    return cp_inspected_insert(call, put->known.file, put->inspected);
}


static cp_code_t
store_new(cp_call_t *call, put_t *put)
{
    CP_TRY(retire(call, &put->order, &put->current, "replaced"));
    CP_TRY(give_room(call, &put->order, &put->current));
    CP_TRY(cp_material_take_room(call, &put->order, put->stored.size + put->inspected->size));
    CP_TRY(cp_upload_keep(call, call->upload, &put->stored));
    CP_TRY(cp_inspected_insert(call, put->stored.file, put->inspected));

    return cp_material_insert(call, put->order.id, call->params[1], &put->stored);
}


static cp_code_t
store(cp_call_t *call, put_t *put)
{
    CP_TRY(cp_call_begin(call));
    CP_TRY(check(call, true, put));

    if (put->seen) {
        put->inspected = &put->found;
        CP_TRY(store_again(call, put));
    } else if (put->inspected == NULL) {
        return CP_E_RETRY;    /* the bytes were there a moment ago */
    } else if (put->known.file.data != NULL) {
        CP_TRY(store_copies(call, put));
    } else {
        CP_TRY(store_new(call, put));
    }

    CP_TRY(cp_order_apply(call, &put->order, CP_ORDER_ON_EDIT, NULL));

    return answer_uploaded(call, put);
}


cp_code_t
cp_op_material_put(cp_call_t *call)
{
    put_t     put = { 0 };
    cp_code_t code;

    if (call->upload == NULL) {
        cp_bad_field(call, CP_STR("body"), CP_F_REQUIRED);
        return CP_E_INVALID;
    }

    CP_TRY(check(call, false, &put));
    if (!put.seen) {
        CP_TRY(cp_upload_inspect(call, call->upload, &put.inspected));
    }

    code = store(call, &put);

    /*
     * Without its row a file is nobody's, unless the operation runs again with it. A commit that failed may still have
     * happened, so from there on only the sweep may remove files.
     */
    if (code != CP_OK && code != CP_E_RETRY && put.stored.file.data != NULL) {
        cp_stored_remove(call, put.stored.file);
    }
    if (code != CP_E_RETRY && (code != CP_OK || put.seen)) {
        cp_upload_drop_copies(call, call->upload);
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


cp_code_t
cp_op_material_list(cp_call_t *call)
{
    cp_order_t order;
    json_t    *items;

    CP_TRY(cp_order_own(call, call->params[0], false, &order));
    CP_TRY(cp_material_list(call, order.id, order.sale, &items));

    return cp_answer(call, 200, json_pack("{s:o}", "items", items));
}
