/* Operations on one's own account. */
#ifndef CP_ACCOUNT_OPS_H
#define CP_ACCOUNT_OPS_H

#include "call/call.h"

cp_code_t cp_op_sms_code_create(cp_call_t *call);      /* POST /api/sms-codes */
cp_code_t cp_op_account_password(cp_call_t *call);     /* PUT /api/account/password */

cp_code_t cp_op_account_create(cp_call_t *call);              /* POST /api/accounts */
cp_code_t cp_op_account_email(cp_call_t *call);               /* PUT /api/account/email */
cp_code_t cp_op_account_email_remove(cp_call_t *call);        /* DELETE /api/account/email */
cp_code_t cp_op_account_user_name(cp_call_t *call);           /* PUT /api/account/user-name */
cp_code_t cp_op_account_user_name_remove(cp_call_t *call);    /* DELETE /api/account/user-name */
cp_code_t cp_op_account_company(cp_call_t *call);             /* PUT /api/account/company */
cp_code_t cp_op_account_company_remove(cp_call_t *call);      /* DELETE /api/account/company */
cp_code_t cp_op_account_phone(cp_call_t *call);               /* PUT /api/account/phone */
cp_code_t cp_op_account_ways(cp_call_t *call);                /* PUT /api/account/sign-in-ways */
cp_code_t cp_op_account_ways_remove(cp_call_t *call);         /* DELETE /api/account/sign-in-ways */
cp_code_t cp_op_account_close(cp_call_t *call);               /* POST /api/account/close */
cp_code_t cp_op_reset_create(cp_call_t *call);                /* POST /api/password-resets */
cp_code_t cp_op_reset_finish(cp_call_t *call);                /* PUT /api/password-resets/{reset} */
cp_code_t cp_op_phone_change_create(cp_call_t *call);         /* POST /api/phone-changes */
cp_code_t cp_op_phone_change_show(cp_call_t *call);           /* GET /api/phone-changes/{change} */

#endif
