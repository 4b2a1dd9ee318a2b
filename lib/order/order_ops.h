/* The applicant's operations on orders. Each is one row of lib/api.c. */
#ifndef CP_ORDER_OPS_H
#define CP_ORDER_OPS_H

#include "call/call.h"

cp_code_t cp_op_order_create(cp_call_t *call);       /* POST /api/orders */
cp_code_t cp_op_order_list(cp_call_t *call);         /* GET /api/orders */
cp_code_t cp_op_order_get(cp_call_t *call);          /* GET /api/orders/{no} */
cp_code_t cp_op_order_edit(cp_call_t *call);         /* PATCH /api/orders/{no} */
cp_code_t cp_op_order_cancel(cp_call_t *call);       /* DELETE /api/orders/{no} */
cp_code_t cp_op_order_agree(cp_call_t *call);        /* POST /api/orders/{no}/agreement */
cp_code_t cp_op_order_submit(cp_call_t *call);       /* POST /api/orders/{no}/submit */
cp_code_t cp_op_order_history(cp_call_t *call);      /* GET /api/orders/{no}/history */
cp_code_t cp_op_order_receive(cp_call_t *call);      /* POST /api/orders/{no}/complete */

#endif
