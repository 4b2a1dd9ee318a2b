/*
 * Payments for orders. One is open at a time; finance decides it once. What was paid back stands beside what was paid,
 * with a negative amount, so that the confirmed rows of an order add up to certificate_order.paid_fen.
 */
#ifndef CP_PAYMENT_H
#define CP_PAYMENT_H

#include "call/call.h"

/* An order's payments as its owner sees them, [{id, method, amount, state, remark_code, …}]; the caller's reference. */
cp_code_t cp_payment_list_json(cp_call_t *call, int64_t order, json_t **list);

/* Closes the open payment of an order that was cancelled, if there is one. */
cp_code_t cp_payment_close_open(cp_call_t *call, int64_t order);

/* Records that `fen` went back; CP_E_ALREADY_EXISTS when the bank's reference was used before. */
cp_code_t cp_payment_record_refund(cp_call_t *call, int64_t order, int64_t fen, cp_str_t bank_reference);

#endif
