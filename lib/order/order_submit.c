/* The applicant's steps after filling in: the agreement, the submission, the history, the receipt. */
#include "base/clock.h"
#include "call/fields.h"
#include "material/material.h"
#include "order/order_json.h"
#include "order/order_ops.h"
#include "order/order_state.h"

typedef struct {
    cp_str_t  version;
    cp_str_t  sha256;
} agree_t;

static const cp_field_t agree_fields[] = {
    { "version", CP_FIELD_TEXT, true, 1, 32, offsetof(agree_t, version), NULL, NULL },
    { "sha256",  CP_FIELD_TEXT, true, 1, 128, offsetof(agree_t, sha256), NULL, NULL },
};


cp_code_t
cp_op_order_agree(cp_call_t *call)
{
    const cp_hall_t *hall;
    cp_order_t       order;
    agree_t          body;

    CP_TRY(cp_body_read(call, agree_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_own(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_EDIT));

    hall = cp_catalog_hall(&call->app->catalog, order.hall);
    if (hall == NULL || !cp_str_eq(body.version, hall->agreement.version)
        || !cp_str_eq(body.sha256, hall->agreement.sha256))
    {
        return CP_E_AGREEMENT_CHANGED;
    }

    CP_TRY(cp_order_update_agreement(call, order.id, body.version, body.sha256, cp_now_ms()));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_EDIT, NULL));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}


static cp_code_t
refuse_incomplete(cp_call_t *call, const json_t *missing)
{
    json_t *name;
    size_t  i;

    json_array_foreach(missing, i, name) {
        cp_str_t copy = cp_str_dup(call->arena, cp_str(json_string_value(name)));

        if (copy.data == NULL) {
            return CP_E_NO_MEMORY;
        }
        cp_bad_field(call, copy, CP_F_REQUIRED);
    }

    return call->bad_count == 0 ? CP_OK : CP_E_INCOMPLETE;
}


static cp_code_t
check_complete(cp_call_t *call, const cp_order_t *order, const cp_unit_t *unit)
{
    json_t   *details, *missing;
    cp_code_t code;

    CP_TRY(cp_order_details(call, order, &details));
    code = cp_order_missing(call, order, details, unit->kind, &missing);
    json_decref(details);
    CP_TRY(code);

    code = refuse_incomplete(call, missing);
    json_decref(missing);

    return code;
}


/* One certificate a unit and project: the hold is a unique column, so that of two orders at once one is refused. */
static cp_code_t
take_hold(cp_call_t *call, const cp_order_t *order, const cp_unit_t *unit)
{
    cp_order_terms_t terms;

    if (!cp_order_terms(order->sale, &terms)) {
        return CP_E_INTERNAL;
    }

    if (!terms.one_per_unit || !cp_str_is(order->service, "new")) {
        return CP_OK;
    }

    return cp_order_take_hold(call, order->id, cp_order_hold_key(call->arena, order, unit->uscc));
}


cp_code_t
cp_op_order_submit(cp_call_t *call)
{
    cp_order_t order;
    cp_unit_t  unit;
    cp_str_t   digest;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_own(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_SUBMIT));
    CP_TRY(cp_unit_by_id(call, order.unit, &unit));
    cp_order_check_name(call, order.profile, &unit);
    CP_TRY(cp_fields_verdict(call));
    CP_TRY(check_complete(call, &order, &unit));

    CP_TRY(take_hold(call, &order, &unit));
    CP_TRY(cp_material_set_digest(call, order.id, &digest));
    CP_TRY(cp_order_update_submitted(call, order.id, cp_now_ms(), digest));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_SUBMIT, NULL));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}


cp_code_t
cp_op_order_history(cp_call_t *call)
{
    cp_order_t order;
    json_t    *answer;

    CP_TRY(cp_order_own(call, call->params[0], false, &order));
    CP_TRY(cp_order_history_json(call, order.id, false, &answer));

    return cp_answer(call, 200, answer);
}


cp_code_t
cp_op_order_receive(cp_call_t *call)
{
    cp_order_t order;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_own(call, call->params[0], true, &order));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_COMPLETE, NULL));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}
