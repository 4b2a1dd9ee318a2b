/* Payments as answers show them. */
#ifndef CP_PAYMENT_JSON_H
#define CP_PAYMENT_JSON_H

#include "payment/payment_store.h"

/* For the payer: id, method, amount, state, remark_code, voucher, reason, times. New reference, NULL without memory. */
json_t *cp_payment_json(cp_call_t *call, const cp_payment_t *payment);

/* The same with the payee of the order's hall. */
json_t *cp_payment_payee_json(cp_call_t *call, const cp_payment_t *payment, cp_str_t hall);

/* For finance: the order's number and the bank's reference too. */
json_t *cp_payment_desk_json(cp_call_t *call, const cp_payment_t *payment);

#endif
