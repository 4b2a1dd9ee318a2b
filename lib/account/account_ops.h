/* Operations on one's own account. */
#ifndef CP_ACCOUNT_OPS_H
#define CP_ACCOUNT_OPS_H

#include "call/call.h"

cp_code_t cp_op_sms_code_create(cp_call_t *call);      /* POST /api/sms-codes */
cp_code_t cp_op_account_password(cp_call_t *call);     /* PUT /api/account/password */

#endif
