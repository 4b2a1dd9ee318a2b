/* The review desk: claim, approve, reject. Only who holds the claim decides. */
#include <stdlib.h>

#include "base/clock.h"
#include "call/fields.h"
#include "issuance/issuance.h"
#include "material/material.h"
#include "order/desk_ops.h"
#include "order/order_state.h"
#include "order/order_store.h"
#include "staff/staff.h"

#define MINUTE_MS      (60 * 1000LL)
#define CLAIM_MINUTES  30    /* of an order whose hall is no longer configured */
#define REASONS_MAX    50

typedef struct {
    json_t *reasons;
} reject_t;

static const cp_field_t reject_fields[] = {
    { "reasons", CP_FIELD_ARRAY, true, 1, REASONS_MAX, offsetof(reject_t, reasons), NULL, NULL },
};

typedef struct {
    unsigned  field;
    cp_str_t  material;
    cp_str_t  code;
    cp_str_t  text;
} reason_t;

/* What a reviewer may find wrong; the bit tells nothing but "known". */
static const cp_word_t field_words[] = {
    { "email", 1 },
    { "address", 1 }, { "address.province", 1 }, { "address.city", 1 }, { "address.county", 1 },
    { "address.street", 1 },
    { "invoice", 1 }, { "invoice.type", 1 }, { "invoice.title", 1 }, { "invoice.tax_number", 1 },
    { "invoice.email", 1 }, { "invoice.address", 1 }, { "invoice.phone", 1 }, { "invoice.bank", 1 },
    { "invoice.account", 1 },
    { "delivery", 1 }, { "delivery.method", 1 }, { "delivery.recipient", 1 }, { "delivery.phone", 1 },
    { "delivery.address", 1 },
    { "agreement", 1 }, { "csr", 1 }, { "unit", 1 }, { "agent", 1 }, { "product", 1 }, { "order", 1 },
    { NULL, 0 },
};

static const cp_field_t reason_fields[] = {
    { "field",    CP_FIELD_CHOICE,    false, 0, 0, offsetof(reason_t, field), NULL, field_words },
    { "material", CP_FIELD_TEXT,      false, 1, 64, offsetof(reason_t, material), NULL, NULL },
    { "code",     CP_FIELD_TEXT,      true,  1, 40, offsetof(reason_t, code), NULL, NULL },
    { "text",     CP_FIELD_LONG_TEXT, true,  1, 400, offsetof(reason_t, text), NULL, NULL },
};


static int64_t
claim_end(cp_call_t *call, const cp_order_t *order, int64_t now_ms)
{
    const cp_hall_t *hall = cp_catalog_hall(&call->app->catalog, order->hall);
    int64_t          minutes = hall == NULL || hall->claim_minutes == 0 ? CLAIM_MINUTES : hall->claim_minutes;

    return now_ms + minutes * MINUTE_MS;
}


static bool
is_claimed(const cp_order_t *order, int64_t now_ms)
{
    return order->claim_staff != 0 && order->claim_until_ms > now_ms;
}


cp_code_t
cp_op_desk_claim(cp_call_t *call)
{
    cp_order_t order;
    int64_t    now_ms = cp_now_ms(), until_ms;
    json_t    *answer;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_any(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_CLAIM));

    if (is_claimed(&order, now_ms) && order.claim_staff != call->who.staff) {
        return CP_E_CLAIMED;
    }

    until_ms = claim_end(call, &order, now_ms);

    CP_TRY(cp_staff_take_duty(call, order.id, order.agent_index, CP_DUTY_REVIEW));
    CP_TRY(cp_order_update_claim(call, order.id, call->who.staff, until_ms));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_CLAIM, NULL));

    answer = cp_order_state_json(&order);
    json_object_set_new(answer, "claimed_until", cp_json_time(call, until_ms));
    CP_TRY(cp_answer(call, 200, answer));

    return cp_call_commit(call);
}


/* Loads the order for a decision: the rule, the claim and the duty allow it. */
static cp_code_t
begin_decision(cp_call_t *call, cp_order_event_t event, cp_order_t *order)
{
    CP_TRY(cp_order_any(call, call->params[0], true, order));
    CP_TRY(cp_order_may(call, order, event));

    if (!is_claimed(order, cp_now_ms()) || order->claim_staff != call->who.staff) {
        return CP_E_NOT_CLAIMED;
    }

    return cp_staff_take_duty(call, order->id, order->agent_index, CP_DUTY_REVIEW);
}


/* What is approved is what was submitted: anything else got past the rules, and a person must look. */
static cp_code_t
check_materials(cp_call_t *call, const cp_order_t *order)
{
    cp_str_t submitted, now;

    CP_TRY(cp_order_submitted_digest(call, order->id, &submitted));
    CP_TRY(cp_material_set_digest(call, order->id, &now));

    if (submitted.data != NULL && !cp_str_eq(submitted, now)) {
        cp_log(CP_LOG_ALERT, "order %.*s: its materials are not those that were submitted", (int) order->no.len,
               order->no.data);
        return CP_E_INTERNAL;
    }

    return CP_OK;
}


cp_code_t
cp_op_desk_approve(cp_call_t *call)
{
    cp_order_t order;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));

    CP_TRY(begin_decision(call, CP_ORDER_ON_APPROVE, &order));
    CP_TRY(check_materials(call, &order));
    CP_TRY(cp_order_update_reasons(call, order.id, CP_STR_NULL));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_APPROVE, NULL));
    CP_TRY(cp_issuance_request(call, &order));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}


static void
mark(cp_call_t *call, size_t i, const char *field, cp_field_code_t why)
{
    cp_str_t name = cp_str_printf(call->arena, "reasons.%zu%s%s", i, field == NULL ? "" : ".",
                                  field == NULL ? "" : field);

    cp_bad_field(call, name.data == NULL ? CP_STR("reasons") : name, why);
}


static bool
names(const json_t *given, const char *member)
{
    const json_t *value = json_object_get(given, member);

    return value != NULL && !json_is_null(value);
}


/* One reason names one field or one material, which is marked: the applicant must replace it. */
static cp_code_t
read_reason(cp_call_t *call, const cp_order_t *order, size_t i, const json_t *given)
{
    cp_str_t  prefix = cp_str_printf(call->arena, "reasons.%zu.", i);
    bool      names_field = names(given, "field");
    reason_t  reason;
    cp_code_t code;

    if (prefix.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (!json_is_object(given)) {
        mark(call, i, NULL, CP_F_TYPE);
        return CP_OK;
    }

    (void) cp_fields_read(call, given, prefix.data, reason_fields, sizeof(reason_fields) / sizeof(reason_fields[0]),
                          &reason, sizeof(reason));

    if (names_field == names(given, "material")) {
        mark(call, i, names_field ? "material" : "field", names_field ? CP_F_UNKNOWN : CP_F_REQUIRED);
        return CP_OK;
    }

    if (reason.material.data == NULL) {
        return CP_OK;
    }

    code = cp_material_reject(call, order->id, reason.material);
    if (code == CP_E_NOT_FOUND) {
        mark(call, i, "material", CP_F_CHOICE);
        return CP_OK;
    }

    return code;
}


static cp_code_t
read_reasons(cp_call_t *call, const cp_order_t *order, const json_t *reasons)
{
    json_t *reason;
    size_t  i;

    json_array_foreach(reasons, i, reason) {
        CP_TRY(read_reason(call, order, i, reason));
    }

    return cp_fields_verdict(call);
}


static cp_code_t
store_reasons(cp_call_t *call, int64_t order, const json_t *reasons)
{
    char     *text = json_dumps(reasons, JSON_COMPACT);
    cp_code_t code;

    code = text == NULL ? CP_E_NO_MEMORY : cp_order_update_reasons(call, order, cp_str(text));
    free(text);

    return code;
}


cp_code_t
cp_op_desk_reject(cp_call_t *call)
{
    cp_order_t order;
    reject_t   body;

    CP_TRY(cp_body_read(call, reject_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(begin_decision(call, CP_ORDER_ON_REJECT, &order));
    CP_TRY(read_reasons(call, &order, body.reasons));
    CP_TRY(store_reasons(call, order.id, body.reasons));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_REJECT, json_incref(body.reasons)));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}
