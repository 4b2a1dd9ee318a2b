/* The operations on payments. Each is one row of lib/api.c. */
#ifndef CP_PAYMENT_OPS_H
#define CP_PAYMENT_OPS_H

#include "call/call.h"

cp_code_t cp_op_payment_create(cp_call_t *call);     /* POST /api/orders/{no}/payments */
cp_code_t cp_op_payment_get(cp_call_t *call);        /* GET /api/orders/{no}/payments/{id} */
cp_code_t cp_op_payment_voucher(cp_call_t *call);    /* PUT /api/orders/{no}/payments/{id}/voucher */

cp_code_t cp_op_desk_payments(cp_call_t *call);      /* GET /staff/api/payments */
cp_code_t cp_op_desk_voucher(cp_call_t *call);       /* GET /staff/api/payments/{id}/voucher */
cp_code_t cp_op_desk_voucher_original(cp_call_t *call);    /* GET /staff/api/payments/{id}/voucher/original */
cp_code_t cp_op_desk_confirm(cp_call_t *call);       /* POST /staff/api/payments/{id}/confirm */
cp_code_t cp_op_desk_refuse(cp_call_t *call);        /* POST /staff/api/payments/{id}/refuse */

#endif
