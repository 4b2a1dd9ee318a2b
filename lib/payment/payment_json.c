#include "payment/payment_json.h"


static json_t *
voucher_json(cp_call_t *call, const cp_payment_t *p)
{
    if (p->voucher.file.data == NULL) {
        return json_null();
    }

    return json_pack("{s:o, s:I, s:o}", "type", cp_json(p->voucher_type), "size", (json_int_t) p->voucher.size,
                     "sha256", cp_json(cp_str_hex(call->arena, cp_str_n(p->voucher.sha256, CP_SHA256_SIZE))));
}


json_t *
cp_payment_json(cp_call_t *call, const cp_payment_t *p)
{
    return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id", cp_json(p->public_id), "method",
                     cp_json(p->method), "amount", (json_int_t) p->amount_fen, "state", cp_json(p->state),
                     "remark_code", cp_json(p->remark_code), "voucher", voucher_json(call, p), "reason",
                     cp_json(p->reason), "created_at", cp_json_time(call, p->created_ms), "decided_at",
                     cp_json_time(call, p->decided_ms));
}


json_t *
cp_payment_payee_json(cp_call_t *call, const cp_payment_t *p, cp_str_t hall_name)
{
    const cp_hall_t *hall = cp_catalog_hall(&call->app->catalog, hall_name);
    json_t          *json = cp_payment_json(call, p), *payee;

    payee = hall == NULL ? json_null()
                         : json_pack("{s:o, s:o, s:o}", "name", cp_json(hall->payee.name), "bank",
                                     cp_json(hall->payee.bank), "account", cp_json(hall->payee.account));

    if (json_object_set_new(json, "payee", payee) != 0) {
        json_decref(json);
        return NULL;
    }

    return json;
}


json_t *
cp_payment_desk_json(cp_call_t *call, const cp_payment_t *p)
{
    json_t *json = cp_payment_json(call, p);

    if (json_object_set_new(json, "order", cp_json(p->order_no)) != 0
        || json_object_set_new(json, "bank_reference", cp_json(p->bank_reference)) != 0)
    {
        json_decref(json);
        return NULL;
    }

    return json;
}


cp_code_t
cp_payment_list_json(cp_call_t *call, int64_t order, json_t **list)
{
    cp_payment_t payment;
    cp_rows_t   *rows;

    CP_TRY(cp_payment_of_order(call, order, &rows));

    *list = json_array();
    while (cp_payment_next(rows, &payment) == CP_OK) {
        if (json_array_append_new(*list, cp_payment_json(call, &payment)) != 0) {
            json_decref(*list);
            return CP_E_NO_MEMORY;
        }
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}
