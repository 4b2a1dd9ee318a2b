/* Real-name operations, and the units that a caller acts for. */
#ifndef CP_IDENTITY_OPS_H
#define CP_IDENTITY_OPS_H

#include "call/call.h"

cp_code_t cp_op_identity_person(cp_call_t *call);          /* POST /api/identity/person */
cp_code_t cp_op_identity_organization(cp_call_t *call);    /* POST /api/identity/organization */
cp_code_t cp_op_units_list(cp_call_t *call);               /* GET /api/units */

#endif
