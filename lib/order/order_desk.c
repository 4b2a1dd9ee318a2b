/* What staff see of an order, its delivery, and the way back of the money. */
#include "audit/audit.h"
#include "call/fields.h"
#include "order/desk_ops.h"
#include "order/order_json.h"
#include "order/order_state.h"
#include "payment/payment.h"
#include "staff/staff.h"


cp_code_t
cp_op_desk_order(cp_call_t *call)
{
    cp_order_t order;
    json_t    *answer;

    CP_TRY(cp_order_any(call, call->params[0], false, &order));
    CP_TRY(cp_order_json(call, &order, CP_ORDER_FOR_STAFF, &answer));

    return cp_answer(call, 200, answer);
}


cp_code_t
cp_op_desk_history(cp_call_t *call)
{
    cp_order_t order;
    json_t    *answer;

    CP_TRY(cp_order_any(call, call->params[0], false, &order));
    CP_TRY(cp_order_history_json(call, order.id, true, &answer));

    return cp_answer(call, 200, answer);
}


/* The parcel's label needs the recipient in clear: only while there is a parcel to send, and each look is recorded. */
cp_code_t
cp_op_desk_delivery(cp_call_t *call)
{
    cp_order_t order;
    json_t    *details, *delivery;

    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_any(call, call->params[0], false, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_SHIP));

    CP_TRY(cp_order_details(call, &order, &details));
    delivery = json_incref(json_object_get(details, "delivery"));
    json_decref(details);

    CP_TRY(cp_answer(call, 200, json_pack("{s:o, s:o}", "no", cp_json(order.no), "delivery", delivery)));
    CP_TRY(cp_audit(call, "order.delivery_read", "order", order.no, NULL));

    return cp_call_commit(call);
}


typedef struct {
    cp_str_t  courier;
    cp_str_t  number;
} ship_t;

static const cp_field_t ship_fields[] = {
    { "courier", CP_FIELD_TEXT, true, 1, 64, offsetof(ship_t, courier), NULL, NULL },
    { "number",  CP_FIELD_TEXT, true, 1, 64, offsetof(ship_t, number), NULL, NULL },
};


cp_code_t
cp_op_desk_ship(cp_call_t *call)
{
    cp_order_t order;
    ship_t     body;

    CP_TRY(cp_body_read(call, ship_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_any(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_SHIP));
    CP_TRY(cp_staff_take_duty(call, order.id, order.agent_index, CP_DUTY_PRODUCTION));

    CP_TRY(cp_order_update_shipping(call, order.id, body.courier, body.number));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_SHIP, NULL));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}


cp_code_t
cp_op_desk_complete(cp_call_t *call)
{
    cp_order_t order;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_any(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_COMPLETE));
    CP_TRY(cp_staff_take_duty(call, order.id, order.agent_index, CP_DUTY_PRODUCTION));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_COMPLETE, NULL));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}


typedef struct {
    cp_str_t  reason;
} refund_t;

static const cp_field_t refund_fields[] = {
    { "reason", CP_FIELD_LONG_TEXT, true, 1, 400, offsetof(refund_t, reason), NULL, NULL },
};


cp_code_t
cp_op_desk_refund(cp_call_t *call)
{
    cp_order_t order;
    refund_t   body;
    json_t    *reason;

    CP_TRY(cp_body_read(call, refund_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_any(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_REFUND));
    CP_TRY(cp_staff_take_duty(call, order.id, order.agent_index, CP_DUTY_FINANCE));

    reason = json_pack("[{s:s, s:o}]", "code", "refund", "text", cp_json(body.reason));
    if (reason == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_REFUND, reason));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}


typedef struct {
    cp_str_t  bank_reference;
} refunded_t;

static const cp_field_t refunded_fields[] = {
    { "bank_reference", CP_FIELD_TEXT, true, 1, 64, offsetof(refunded_t, bank_reference), NULL, NULL },
};


cp_code_t
cp_op_desk_refunded(cp_call_t *call)
{
    cp_order_t order;
    refunded_t body;

    CP_TRY(cp_body_read(call, refunded_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_any(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_REFUND_DONE));
    CP_TRY(cp_staff_take_duty(call, order.id, order.agent_index, CP_DUTY_FINANCE));

    CP_TRY(cp_payment_record_refund(call, order.id, order.paid_fen, body.bank_reference));
    CP_TRY(cp_order_add_paid(call, &order, -order.paid_fen));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_REFUND_DONE, NULL));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}
