/* The finance desk: what is to be decided, the voucher, the decision. */
#include "audit/audit.h"
#include "call/fields.h"
#include "issuance/issuance.h"
#include "material/material_copy.h"
#include "material/material_rules.h"
#include "order/order.h"
#include "payment/payment_json.h"
#include "payment/payment_ops.h"
#include "staff/staff.h"

static const cp_word_t state_words[] = {
    { "pending", 1 }, { "confirmed", 2 }, { "refused", 4 }, { "closed", 8 }, { NULL, 0 },
};


cp_code_t
cp_op_desk_payments(cp_call_t *call)
{
    static const char *const names[] = { "state", "after", "limit", NULL };

    cp_payment_t payment;
    cp_page_t    page;
    cp_rows_t   *rows;
    cp_str_t     state;
    json_t      *items;
    int64_t      count = 0, last = 0;

    (void) cp_query_only(call, names);
    (void) cp_query_param(call, "state", &state);
    if (state.data != NULL && cp_word_bit(state_words, state) == 0) {
        cp_bad_field(call, CP_STR("state"), CP_F_CHOICE);
    }
    CP_TRY(cp_page_read(call, "payments", &page));

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_payment_page(call, state, &page, &rows));

    items = json_array();
    while (cp_payment_next(rows, &payment) == CP_OK) {
        if (count++ == page.limit) {
            return cp_page_answer(call, "payments", items, last);
        }
        if (json_array_append_new(items, cp_payment_desk_json(call, &payment)) != 0) {
            json_decref(items);
            return CP_E_NO_MEMORY;
        }
        last = payment.id;
    }

    return cp_page_answer(call, "payments", items, 0);
}


static cp_code_t
find_voucher(cp_call_t *call, cp_payment_t *payment)
{
    CP_TRY(cp_payment_find(call, call->params[0], false, payment));

    return payment->voucher.file.data == NULL ? CP_E_NOT_FOUND : CP_OK;
}


/* Under what name it is saved. */
static cp_str_t
voucher_stem(cp_call_t *call, const cp_payment_t *payment)
{
    return cp_str_printf(call->arena, "voucher-%.*s", (int) payment->order_no.len, payment->order_no.data);
}


/* Nothing leaves before its row is there. */
static cp_code_t
record(cp_call_t *call, const char *action, const cp_payment_t *payment)
{
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, action, "payment", payment->public_id, NULL));

    return cp_call_commit(call);
}


cp_code_t
cp_op_desk_voucher(cp_call_t *call)
{
    cp_payment_t payment;
    unsigned     page;

    CP_TRY(cp_copy_page(call, &page));
    CP_TRY(find_voucher(call, &payment));
    CP_TRY(cp_copy_show(call, payment.voucher.file, page, voucher_stem(call, &payment)));

    return record(call, "payment.voucher_read", &payment);
}


/* Of no type that anything would open by itself: it is a stranger's file. */
cp_code_t
cp_op_desk_voucher_original(cp_call_t *call)
{
    cp_payment_t payment;
    cp_str_t     bytes, stem;

    CP_TRY(find_voucher(call, &payment));
    CP_TRY(cp_stored_read(call, &payment.voucher, &bytes));

    stem = voucher_stem(call, &payment);
    if (stem.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_file_headers(call, "attachment",
                           cp_download_name(call->arena, stem, cp_type_ending(payment.voucher.type))));
    CP_TRY(cp_answer_raw(call, 200, "application/octet-stream", bytes));

    return record(call, "payment.voucher_download", &payment);
}


/* Loads the payment and its order, both locked, the order first as everywhere; the caller may decide on them. */
static cp_code_t
begin_decision(cp_call_t *call, cp_order_event_t event, cp_payment_t *payment, cp_order_t *order)
{
    CP_TRY(cp_payment_find(call, call->params[0], false, payment));
    CP_TRY(cp_order_by_id(call, payment->order, true, order));
    CP_TRY(cp_payment_find(call, call->params[0], true, payment));

    if (!cp_str_is(payment->state, "pending")) {
        return CP_E_WRONG_STATE;
    }

    CP_TRY(cp_order_may(call, order, event));

    return cp_staff_take_duty(call, order->id, order->agent_index, CP_DUTY_FINANCE);
}


static cp_code_t
finish_decision(cp_call_t *call, const char *action, cp_payment_t *payment, const cp_order_t *order)
{
    json_t *answer;

    CP_TRY(cp_audit(call, action, "payment", payment->public_id,
                    json_pack("{s:o, s:I}", "order", cp_json(order->no), "amount", (json_int_t) payment->amount_fen)));

    answer = json_pack("{s:o, s:o, s:o}", "id", cp_json(payment->public_id), "state", cp_json(payment->state), "order",
                       cp_order_state_json(order));
    CP_TRY(cp_answer(call, 200, answer));

    return cp_call_commit(call);
}


typedef struct {
    cp_str_t  bank_reference;
} confirm_t;

static const cp_field_t confirm_fields[] = {
    { "bank_reference", CP_FIELD_TEXT, true, 1, 64, offsetof(confirm_t, bank_reference), NULL, NULL },
};


cp_code_t
cp_op_desk_confirm(cp_call_t *call)
{
    cp_payment_t payment;
    cp_order_t   order;
    confirm_t    body;

    CP_TRY(cp_body_read(call, confirm_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(begin_decision(call, CP_ORDER_ON_PAYMENT_CONFIRM, &payment, &order));
    CP_TRY(cp_payment_decide(call, payment.id, "confirmed", body.bank_reference, CP_STR_NULL));
    CP_TRY(cp_order_add_paid(call, &order, payment.amount_fen));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_PAYMENT_CONFIRM, NULL));
    CP_TRY(cp_issuance_request(call, &order));

    payment.state = CP_STR("confirmed");

    return finish_decision(call, "payment.confirm", &payment, &order);
}


typedef struct {
    cp_str_t  reason;
} refuse_t;

static const cp_field_t refuse_fields[] = {
    { "reason", CP_FIELD_LONG_TEXT, true, 1, 400, offsetof(refuse_t, reason), NULL, NULL },
};


cp_code_t
cp_op_desk_refuse(cp_call_t *call)
{
    cp_payment_t payment;
    cp_order_t   order;
    refuse_t     body;
    json_t      *reason;

    CP_TRY(cp_body_read(call, refuse_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(begin_decision(call, CP_ORDER_ON_PAYMENT_REFUSE, &payment, &order));
    CP_TRY(cp_payment_decide(call, payment.id, "refused", CP_STR_NULL, body.reason));

    reason = json_pack("[{s:s, s:o}]", "code", "payment_refused", "text", cp_json(body.reason));
    if (reason == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_PAYMENT_REFUSE, reason));

    payment.state = CP_STR("refused");

    return finish_decision(call, "payment.refuse", &payment, &order);
}
