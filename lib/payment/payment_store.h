/* All SQL on payments. */
#ifndef CP_PAYMENT_STORE_H
#define CP_PAYMENT_STORE_H

#include "call/page.h"
#include "material/material.h"
#include "payment/payment.h"

typedef struct {
    int64_t      id;
    cp_str_t     public_id;
    int64_t      order;
    cp_str_t     order_no;
    cp_str_t     method;
    int64_t      amount_fen;
    cp_str_t     state;             /* "pending", "confirmed", "refused", "closed" */
    cp_str_t     remark_code;       /* what the payer writes into the transfer's memo */
    cp_str_t     voucher_type;      /* MIME, {0, NULL}: no voucher */
    cp_stored_t  voucher;
    cp_str_t     bank_reference;
    cp_str_t     reason;            /* of a refusal */
    int64_t      created_ms;
    int64_t      decided_ms;
} cp_payment_t;

/* Found by public id, locked if so asked; the open one of an order; CP_E_NOT_FOUND. */
cp_code_t cp_payment_find(cp_call_t *call, cp_str_t public_id, bool lock, cp_payment_t *payment);
cp_code_t cp_payment_find_open(cp_call_t *call, int64_t order, cp_payment_t *payment);

/* Inserts an open payment; sets its ids, remark code and time. */
cp_code_t cp_payment_insert(cp_call_t *call, cp_payment_t *payment);

cp_code_t cp_payment_update_voucher(cp_call_t *call, int64_t id, const cp_stored_t *stored);

/*
 * Decides a pending payment by the calling member of staff. CP_E_ALREADY_EXISTS: the bank's reference was used before;
 * CP_E_WRONG_STATE: it was decided already.
 */
cp_code_t cp_payment_decide(cp_call_t *call, int64_t id, const char *state, cp_str_t bank_reference, cp_str_t reason);

/* All payments of a state (or any, {0, NULL}), oldest first: one row more than the page's limit. */
cp_code_t cp_payment_page(cp_call_t *call, cp_str_t state, const cp_page_t *page, cp_rows_t **rows);
cp_code_t cp_payment_of_order(cp_call_t *call, int64_t order, cp_rows_t **rows);

/* Takes the next row of either. */
cp_code_t cp_payment_next(cp_rows_t *rows, cp_payment_t *payment);

#endif
