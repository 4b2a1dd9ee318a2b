/* The auditor's operations. */
#ifndef CP_AUDIT_OPS_H
#define CP_AUDIT_OPS_H

#include "call/call.h"

cp_code_t cp_op_audit_list(cp_call_t *call);         /* GET /staff/api/audit */

#endif
