/* Operations about the installation itself. */
#ifndef CP_PORTAL_OPS_H
#define CP_PORTAL_OPS_H

#include "call/call.h"

/* GET /api/catalog: every hall of this installation. */
cp_code_t cp_op_catalog(cp_call_t *call);

/* GET /healthz: 200 when MySQL and Redis answer. */
cp_code_t cp_op_health(cp_call_t *call);

#endif
