/* The operations that take a certificate request. Each is one row of lib/api.c. */
#ifndef CP_ISSUANCE_OPS_H
#define CP_ISSUANCE_OPS_H

#include "call/call.h"

/* POST /api/orders/{no}/csr: the holder's request, while the order is filled in. */
cp_code_t cp_op_order_csr(cp_call_t *call);

/* POST /staff/api/orders/{no}/csr: what the production station made on the token, once the order is ready. */
cp_code_t cp_op_desk_csr(cp_call_t *call);

#endif
