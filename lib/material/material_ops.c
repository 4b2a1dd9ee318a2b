#include "material/material_ops.h"

#include <string.h>

#include "audit/audit.h"
#include "identity/identity.h"
#include "material/material_copy.h"
#include "material/material_kept.h"
#include "material/material_quota.h"
#include "material/material_rules.h"
#include "material/material_store.h"
#include "order/order.h"


/* What came, and what there is already. */
typedef struct {
    cp_order_t            order;
    cp_kept_list_t        kept;
    const cp_kept_t      *current;      /* of the kind; NULL: none */
    const cp_kept_t      *known;        /* with the same bytes; NULL: none */
    cp_stored_t           stored;       /* what came; file {0, NULL} until it is in the store */
    cp_inspected_t        found;        /* what is known of those bytes */
    const cp_inspected_t *inspected;    /* NULL: not yet */
} put_t;


/* The calling account's order in a state in which its materials may change. */
static cp_code_t
find_order(cp_call_t *call, bool lock, cp_order_t *order)
{
    CP_TRY(cp_order_own(call, call->params[0], lock, order));

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


/* What was submitted is frozen, unless the review rejected it: the reviewer must find the rest as it was. */
static cp_code_t
check_open(const cp_order_t *order, const cp_kept_t *current)
{
    return current != NULL && order->submitted_ms != 0 && current->material.created_ms <= order->submitted_ms
           && !cp_str_is(current->material.state, "rejected") ? CP_E_FROZEN : CP_OK;
}


/* Whether an order is sold as it was when the upload was held against its rules. */
static bool
is_same_sale(const cp_order_t *a, const cp_order_t *b)
{
    return a->id == b->id && a->unit == b->unit && cp_str_eq(a->service, b->service) && cp_str_eq(a->sale, b->sale);
}


/* Whether the order has the bytes and they were inspected; what came before there were copies was not. */
static bool
is_seen(const put_t *put)
{
    return put->known != NULL && put->known->material.pages != 0;
}


/* What must hold, and what the order has already: looked up first, and once more when the order is held. */
static cp_code_t
check(cp_call_t *call, bool lock, put_t *put)
{
    cp_order_t before = put->order;

    CP_TRY(find_order(call, lock, &put->order));
    if (!is_same_sale(&put->order, &before)) {
        CP_TRY(check_upload(call, &put->order, call->params[1]));
    }

    CP_TRY(cp_kept_read(call, put->order.id, &put->kept));
    put->current = cp_kept_current(&put->kept, call->params[1]);
    put->known = cp_kept_same_bytes(&put->kept, &put->stored);

    CP_TRY(check_open(&put->order, put->current));

    return is_seen(put) ? cp_upload_fits(call, call->upload, put->stored.type, put->known->material.pages) : CP_OK;
}


/*
 * What takes long is done before the order is held: new bytes are inspected, and are in the store before a row names
 * them.
 */
static cp_code_t
prepare(cp_call_t *call, put_t *put)
{
    cp_upload_describe(call->upload, &put->stored);
    CP_TRY(check(call, false, put));

    if (!is_seen(put)) {
        CP_TRY(cp_upload_inspect(call, call->upload, &put->inspected));
    }

    return put->known != NULL ? CP_OK : cp_upload_keep(call, call->upload, &put->stored);
}


/* Room for what is new, in exchange for what is retired, and the row of it. */
static cp_code_t
replace(cp_call_t *call, put_t *put, const cp_stored_t *stored, int64_t size)
{
    const cp_order_t *order = &put->order;
    cp_str_t          kind = call->params[1];
    int64_t           freed = 0;

    /* The same bytes in place of themselves keep their file. */
    if (put->current != put->known) {
        freed = cp_kept_freed(&put->kept, put->current, order->submitted_ms);
    }
    if (put->current != NULL) {
        CP_TRY(cp_material_retire(call, order->id, kind, "replaced", order->submitted_ms));
    }
    CP_TRY(cp_material_change_room(call, order, cp_kept_bytes(&put->kept), freed, size));

    return cp_material_insert(call, order->id, kind, stored);
}


/* Bytes that the order has already need no second file. */
static cp_code_t
store_known(cp_call_t *call, put_t *put)
{
    const cp_stored_t *known = &put->known->material.stored;

    if (is_seen(put)) {
        put->found = (cp_inspected_t) { .pages = put->known->material.pages, .hints = put->known->material.hints,
                                        .orientation = put->known->material.orientation };
        put->inspected = &put->found;
        return replace(call, put, known, 0);
    }
    if (put->inspected == NULL) {
        return CP_E_RETRY;    /* they were inspected a moment ago */
    }

    CP_TRY(replace(call, put, known, put->inspected->size));

    return cp_inspected_insert(call, known->file, put->inspected);
}


static cp_code_t
store_new(cp_call_t *call, put_t *put)
{
    if (put->inspected == NULL || put->stored.file.data == NULL) {
        return CP_E_RETRY;    /* the bytes were there a moment ago */
    }

    CP_TRY(replace(call, put, &put->stored, put->stored.size + put->inspected->size));

    return cp_inspected_insert(call, put->stored.file, put->inspected);
}


static cp_code_t
store(cp_call_t *call, put_t *put)
{
    CP_TRY(cp_call_begin(call));
    CP_TRY(check(call, true, put));
    CP_TRY(put->known != NULL ? store_known(call, put) : store_new(call, put));
    CP_TRY(cp_order_apply(call, &put->order, CP_ORDER_ON_EDIT, NULL));

    return answer_uploaded(call, put);
}


/* A file or copies without a row are nobody's, unless the operation runs again with them. */
static void
drop_unused(cp_call_t *call, const put_t *put, cp_code_t code)
{
    if (code == CP_E_RETRY) {
        return;
    }
    if (code != CP_OK || put->known != NULL) {
        cp_stored_remove(call, put->stored.file);
    }
    if (code != CP_OK || is_seen(put)) {
        cp_upload_drop_copies(call, call->upload);
    }
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

    code = prepare(call, &put);
    if (code == CP_OK) {
        code = store(call, &put);
    }

    /* A commit that failed may still have happened: from there on only the sweep may remove files. */
    drop_unused(call, &put, code);
    CP_TRY(code);

    return cp_call_commit(call);
}


cp_code_t
cp_op_material_remove(cp_call_t *call)
{
    cp_order_t       order;
    cp_kept_list_t   kept;
    const cp_kept_t *current;
    cp_str_t         kind = call->params[1];

    CP_TRY(cp_call_begin(call));
    CP_TRY(find_order(call, true, &order));
    CP_TRY(cp_kept_read(call, order.id, &kept));
    current = cp_kept_current(&kept, kind);
    if (current == NULL) {
        return CP_E_NOT_FOUND;
    }

    CP_TRY(check_open(&order, current));
    CP_TRY(cp_material_retire(call, order.id, kind, "removed", order.submitted_ms));
    CP_TRY(cp_material_change_room(call, &order, 0, cp_kept_freed(&kept, current, order.submitted_ms), 0));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_EDIT, NULL));
    CP_TRY(cp_audit(call, "material.remove", "order", order.no, json_pack("{s:o}", "kind", cp_json(kind))));

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
