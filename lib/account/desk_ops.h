/* What staff do about accounts. */
#ifndef CP_ACCOUNT_DESK_OPS_H
#define CP_ACCOUNT_DESK_OPS_H

#include "call/call.h"

cp_code_t cp_op_desk_phone_changes(cp_call_t *call);           /* GET /staff/api/phone-changes */
cp_code_t cp_op_desk_phone_change(cp_call_t *call);            /* GET /staff/api/phone-changes/{change} */
cp_code_t cp_op_desk_phone_change_approve(cp_call_t *call);    /* POST /staff/api/phone-changes/{change}/approve */
cp_code_t cp_op_desk_phone_change_reject(cp_call_t *call);     /* POST /staff/api/phone-changes/{change}/reject */

cp_code_t cp_op_desk_account_find(cp_call_t *call);            /* POST /staff/api/account-search */
cp_code_t cp_op_desk_account(cp_call_t *call);                 /* GET /staff/api/accounts/{account} */
cp_code_t cp_op_desk_account_disable(cp_call_t *call);         /* POST /staff/api/accounts/{account}/disable */
cp_code_t cp_op_desk_account_enable(cp_call_t *call);          /* POST /staff/api/accounts/{account}/enable */

#endif
