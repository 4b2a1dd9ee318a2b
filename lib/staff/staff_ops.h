/* The operations about staff themselves. */
#ifndef CP_STAFF_OPS_H
#define CP_STAFF_OPS_H

#include "call/call.h"

cp_code_t cp_op_staff_session(cp_call_t *call);        /* GET /staff/api/session */
cp_code_t cp_op_staff_session_end(cp_call_t *call);    /* DELETE /staff/api/session */

#endif
