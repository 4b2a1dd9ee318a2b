/* Paying: the applicant's side. */
#include "payment/payment_ops.h"

#include <string.h>

#include "call/fields.h"
#include "material/material_copy.h"
#include "order/order.h"
#include "payment/payment_json.h"

typedef struct {
    unsigned  method;
} create_t;

static const cp_field_t create_fields[] = {
    { "method", CP_FIELD_CHOICE, true, 0, 0, offsetof(create_t, method), NULL, cp_payment_words },
};


/* The ways that the hall takes and that this installation can carry out. */
static cp_code_t
check_method(cp_call_t *call, const cp_order_t *order, unsigned method)
{
    const cp_hall_t *hall = cp_catalog_hall(&call->app->catalog, order->hall);

    if (hall == NULL || (hall->payments & CP_PAYMENT_TRANSFER & method) == 0) {
        cp_bad_field(call, CP_STR("method"), CP_F_NOT_SOLD);
    }

    return cp_fields_verdict(call);
}


static cp_code_t
open_payment(cp_call_t *call, cp_order_t *order, unsigned method, cp_payment_t *payment)
{
    memset(payment, 0, sizeof(*payment));

    payment->order = order->id;
    payment->method = cp_str(cp_word_name(cp_payment_words, method));
    payment->amount_fen = order->amount_fen - order->paid_fen;

    CP_TRY(cp_payment_insert(call, payment));

    return cp_order_apply(call, order, CP_ORDER_ON_PAY, NULL);
}


cp_code_t
cp_op_payment_create(cp_call_t *call)
{
    cp_payment_t payment;
    cp_order_t   order;
    create_t     body;
    cp_code_t    found;

    CP_TRY(cp_body_read(call, create_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_own(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_PAY));
    CP_TRY(check_method(call, &order, body.method));

    /* One payment is open at a time: asked again, the same one is shown. */
    found = cp_payment_find_open(call, order.id, &payment);
    if (found == CP_E_NOT_FOUND) {
        CP_TRY(open_payment(call, &order, body.method, &payment));
    } else if (found != CP_OK) {
        return found;
    } else if (!cp_str_is(payment.method, cp_word_name(cp_payment_words, body.method))) {
        return CP_E_ALREADY_EXISTS;
    }

    CP_TRY(cp_answer(call, found == CP_OK ? 200 : 201, cp_payment_payee_json(call, &payment, order.hall)));

    return cp_call_commit(call);
}


/* A payment of the order that is named before it in the path. */
static cp_code_t
find_payment(cp_call_t *call, const cp_order_t *order, bool lock, cp_payment_t *payment)
{
    CP_TRY(cp_payment_find(call, call->params[1], lock, payment));

    return payment->order == order->id ? CP_OK : CP_E_NOT_FOUND;
}


cp_code_t
cp_op_payment_get(cp_call_t *call)
{
    cp_payment_t payment;
    cp_order_t   order;

    CP_TRY(cp_order_own(call, call->params[0], false, &order));
    CP_TRY(find_payment(call, &order, false, &payment));

    return cp_answer(call, 200, cp_payment_payee_json(call, &payment, order.hall));
}


/* A payment that may get a voucher, and its order. */
static cp_code_t
find_pending(cp_call_t *call, bool lock, cp_order_t *order, cp_payment_t *payment)
{
    CP_TRY(cp_order_own(call, call->params[0], lock, order));
    CP_TRY(find_payment(call, order, lock, payment));
    CP_TRY(cp_order_may(call, order, CP_ORDER_ON_PAY));

    return cp_str_is(payment->state, "pending") ? CP_OK : CP_E_WRONG_STATE;
}


static cp_code_t
store_voucher(cp_call_t *call, const cp_inspected_t *inspected, const cp_stored_t *voucher, cp_str_t *replaced)
{
    cp_payment_t payment;
    cp_order_t   order;

    CP_TRY(cp_call_begin(call));
    CP_TRY(find_pending(call, true, &order, &payment));

    *replaced = payment.voucher.file;
    payment.voucher = *voucher;
    payment.voucher_type = cp_str(cp_type_mime(payment.voucher.type));

    CP_TRY(cp_inspected_insert(call, payment.voucher.file, inspected));
    CP_TRY(cp_payment_update_voucher(call, payment.id, &payment.voucher));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_PAY, NULL));

    return cp_answer(call, 201, cp_payment_json(call, &payment));
}


cp_code_t
cp_op_payment_voucher(cp_call_t *call)
{
    const cp_inspected_t *inspected;
    cp_payment_t          payment;
    cp_order_t            order;
    cp_stored_t           voucher = { 0 };
    cp_code_t             code;
    cp_str_t              replaced = CP_STR_NULL;

    if (call->upload == NULL) {
        return CP_E_INTERNAL;
    }

    /* What can be refused is refused before the inspector's time is taken; what takes long, before the order is held. */
    CP_TRY(find_pending(call, false, &order, &payment));
    CP_TRY(cp_upload_inspect(call, call->upload, &inspected));

    code = cp_upload_keep(call, call->upload, &voucher);
    if (code == CP_OK) {
        code = store_voucher(call, inspected, &voucher, &replaced);
    }
    if (code != CP_OK && code != CP_E_RETRY) {
        cp_stored_remove(call, voucher.file);
        cp_upload_drop_copies(call, call->upload);
    }
    CP_TRY(code);
    CP_TRY(cp_call_commit(call));

    /* Its copies are left to the sweep. */
    if (replaced.data != NULL) {
        cp_stored_remove(call, replaced);
    }

    return CP_OK;
}
