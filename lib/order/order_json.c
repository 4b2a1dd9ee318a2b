#include "order/order_json.h"

#include "account/account.h"
#include "base/clock.h"
#include "material/material.h"
#include "payment/payment.h"


/* Takes the reference to `value`; NULL means that memory ran out while it was made. */
static cp_code_t
put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


json_t *
cp_order_head_json(cp_call_t *call, const cp_order_t *o)
{
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "no", cp_json(o->no), "state",
                     cp_order_state_name(o->state), "service", cp_json(o->service), "hall", cp_json(o->hall), "project",
                     cp_json(o->project), "product", cp_json(o->product), "amount", (json_int_t) o->amount_fen, "paid",
                     (json_int_t) o->paid_fen, "version", (json_int_t) o->version, "created_at",
                     cp_json_time(call, o->created_ms), "updated_at", cp_json_time(call, o->updated_ms),
                     "submitted_at", cp_json_time(call, o->submitted_ms));
}


json_t *
cp_order_line_json(cp_call_t *call, const cp_order_line_t *l, cp_order_view_t view)
{
    bool    claimed = l->claim_staff != 0 && l->claim_until_ms > cp_now_ms();
    json_t *item;

    item = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:{s:o, s:o}, s:o, s:o, s:o}", "no",
                     cp_json(l->no), "state", cp_json(l->state), "service", cp_json(l->service), "hall",
                     cp_json(l->hall), "project", cp_json(l->project), "product", cp_json(l->product), "delivery",
                     cp_json(l->delivery), "amount", (json_int_t) l->amount_fen, "paid", (json_int_t) l->paid_fen,
                     "version", (json_int_t) l->version, "unit", "id", cp_json(l->unit), "name", cp_json(l->unit_name),
                     "created_at", cp_json_time(call, l->created_ms), "updated_at", cp_json_time(call, l->updated_ms),
                     "submitted_at", cp_json_time(call, l->submitted_ms));

    if (view == CP_ORDER_FOR_STAFF
        && put(item, "claimed", claimed ? json_string(l->claim_staff == call->who.staff ? "me" : "other")
                                        : json_null()) != CP_OK)
    {
        json_decref(item);
        return NULL;
    }

    return item;
}


static bool
is_editable(const cp_order_t *order)
{
    return order->state == CP_ORDER_DRAFT || order->state == CP_ORDER_REJECTED;
}


/* The filled-in parts, masked, and what is missing beside them. */
static cp_code_t
add_details(cp_call_t *call, const cp_order_t *order, cp_order_view_t view, const cp_unit_t *unit, json_t *details,
            json_t *root)
{
    static const char *const parts[] = { "email", "address", "invoice", "delivery" };

    json_t *missing = json_array();
    size_t  i;

    if (is_editable(order)) {
        json_decref(missing);
        CP_TRY(cp_order_missing(call, order, details, unit->kind, &missing));
    }
    CP_TRY(put(root, "missing", missing));

    CP_TRY(cp_order_mask_details(call, details, view));

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        json_t *part = json_object_get(details, parts[i]);

        CP_TRY(put(root, parts[i], part == NULL ? json_null() : json_incref(part)));
    }

    return CP_OK;
}


/* The agent, by whom the order was entered, as both sides may see them. */
static cp_code_t
add_agent(cp_call_t *call, const cp_order_t *order, json_t *root)
{
    cp_person_t person;

    CP_TRY(cp_person_by_id(call, order->person, &person));

    return put(root, "agent", json_pack("{s:o, s:o}", "name", cp_json(cp_mask_name(call->arena, person.name)),
                                        "id_number", cp_json(cp_mask_id_number(call->arena, person.id_number))));
}


static cp_code_t
add_parts(cp_call_t *call, const cp_order_t *order, cp_order_view_t view, json_t *root)
{
    cp_unit_t unit;
    json_t   *details;
    cp_code_t code;

    CP_TRY(cp_unit_by_id(call, order->unit, &unit));
    CP_TRY(put(root, "unit", json_pack("{s:o, s:o, s:o, s:o, s:b}", "id", cp_json(unit.public_id), "kind",
                                       cp_json(unit.kind), "name", cp_json(unit.name), "uscc", cp_json(unit.uscc),
                                       "verified", (int) unit.verified)));

    CP_TRY(add_agent(call, order, root));

    CP_TRY(cp_order_details(call, order, &details));
    code = add_details(call, order, view, &unit, details, root);
    json_decref(details);

    return code;
}


static json_t *
agreement_json(cp_call_t *call, const cp_order_t *order)
{
    const cp_hall_t *hall = cp_catalog_hall(&call->app->catalog, order->hall);
    bool             accepted = order->agreement_version.data != NULL;
    cp_str_t         version = accepted         ? order->agreement_version
                               : hall == NULL ? CP_STR_NULL
                                              : hall->agreement.version;

    return json_pack("{s:o, s:b}", "version", cp_json(version), "accepted", (int) accepted);
}


/* JSON that an order keeps as text: its snapshot, its reasons. */
static json_t *
stored_json(cp_str_t text)
{
    return text.data == NULL ? json_null() : json_loadb(text.data, text.len, 0, NULL);
}


static cp_code_t
add_lists(cp_call_t *call, const cp_order_t *order, json_t *root)
{
    json_t *materials, *payments, *certificates;

    CP_TRY(cp_material_list(call, order->id, order->sale, &materials));
    CP_TRY(put(root, "materials", materials));

    CP_TRY(cp_payment_list_json(call, order->id, &payments));
    CP_TRY(put(root, "payments", payments));

    CP_TRY(cp_order_certificates(call, order->id, &certificates));
    return put(root, "certificates", certificates);
}


static cp_code_t
add_claim(cp_call_t *call, const cp_order_t *order, json_t *root)
{
    if (order->claim_staff == 0 || order->claim_until_ms <= cp_now_ms()) {
        return put(root, "claim", json_null());
    }

    return put(root, "claim", json_pack("{s:s, s:o}", "by", order->claim_staff == call->who.staff ? "me" : "other",
                                        "until", cp_json_time(call, order->claim_until_ms)));
}


static cp_code_t
add_all(cp_call_t *call, const cp_order_t *order, cp_order_view_t view, json_t *root)
{
    CP_TRY(add_parts(call, order, view, root));
    CP_TRY(put(root, "agreement", agreement_json(call, order)));
    CP_TRY(put(root, "csr", json_boolean(order->csr.data != NULL)));
    CP_TRY(put(root, "csr_by", cp_json(order->csr_by)));
    CP_TRY(put(root, "reasons", stored_json(order->reasons)));
    CP_TRY(put(root, "courier", cp_json(order->courier)));
    CP_TRY(put(root, "tracking", cp_json(order->tracking)));
    CP_TRY(put(root, "sale", stored_json(order->sale)));

    if (view == CP_ORDER_FOR_STAFF) {
        CP_TRY(add_claim(call, order, root));
    }

    return add_lists(call, order, root);
}


cp_code_t
cp_order_json(cp_call_t *call, const cp_order_t *order, cp_order_view_t view, json_t **out)
{
    json_t   *root = cp_order_head_json(call, order);
    cp_code_t code;

    code = root == NULL ? CP_E_NO_MEMORY : add_all(call, order, view, root);
    if (code != CP_OK) {
        json_decref(root);
        return code;
    }

    *out = root;
    return CP_OK;
}


cp_code_t
cp_order_history_json(cp_call_t *call, int64_t order, bool edits, json_t **out)
{
    cp_str_t   event, state, actor, reason;
    cp_rows_t *rows;
    int64_t    at_ms;
    json_t    *items;

    CP_TRY(cp_order_events(call, order, edits, &rows));

    items = json_array();
    while (cp_db_next(rows, &event, &state, &actor, &reason, &at_ms) == CP_OK) {
        json_t *item = json_pack("{s:o, s:o, s:o, s:o, s:o}", "event", cp_json(event), "state", cp_json(state), "at",
                                 cp_json_time(call, at_ms), "actor", cp_json(actor), "reason", stored_json(reason));

        if (json_array_append_new(items, item) != 0) {
            json_decref(items);
            return CP_E_NO_MEMORY;
        }
    }

    *out = json_pack("{s:o}", "items", items);

    return *out == NULL ? CP_E_NO_MEMORY : CP_OK;
}
