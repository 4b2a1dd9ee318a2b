/* The operations of staff on orders. Each is one row of lib/api.c. */
#ifndef CP_DESK_OPS_H
#define CP_DESK_OPS_H

#include "call/call.h"

cp_code_t cp_op_desk_orders(cp_call_t *call);        /* GET /staff/api/orders */
cp_code_t cp_op_desk_order(cp_call_t *call);         /* GET /staff/api/orders/{no} */
cp_code_t cp_op_desk_history(cp_call_t *call);       /* GET /staff/api/orders/{no}/history */

cp_code_t cp_op_desk_claim(cp_call_t *call);         /* POST /staff/api/orders/{no}/claim */
cp_code_t cp_op_desk_approve(cp_call_t *call);       /* POST /staff/api/orders/{no}/approve */
cp_code_t cp_op_desk_reject(cp_call_t *call);        /* POST /staff/api/orders/{no}/reject */

cp_code_t cp_op_desk_delivery(cp_call_t *call);      /* GET /staff/api/orders/{no}/delivery */
cp_code_t cp_op_desk_ship(cp_call_t *call);          /* POST /staff/api/orders/{no}/ship */
cp_code_t cp_op_desk_complete(cp_call_t *call);      /* POST /staff/api/orders/{no}/complete */

cp_code_t cp_op_desk_refund(cp_call_t *call);        /* POST /staff/api/orders/{no}/refund */
cp_code_t cp_op_desk_refunded(cp_call_t *call);      /* POST /staff/api/orders/{no}/refunded */

#endif
