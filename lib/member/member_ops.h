/* Operations on who acts for a unit. */
#ifndef CP_MEMBER_OPS_H
#define CP_MEMBER_OPS_H

#include "call/call.h"

cp_code_t cp_op_session_unit(cp_call_t *call);            /* PUT /api/session/unit */

cp_code_t cp_op_member_list(cp_call_t *call);             /* GET /api/units/{unit}/members */
cp_code_t cp_op_member_remove(cp_call_t *call);           /* DELETE /api/units/{unit}/members/{account} */
cp_code_t cp_op_member_administrator(cp_call_t *call);    /* POST /api/units/{unit}/administrator */

cp_code_t cp_op_invitation_create(cp_call_t *call);       /* POST /api/units/{unit}/members */
cp_code_t cp_op_invitation_of_unit(cp_call_t *call);      /* GET /api/units/{unit}/invitations */
cp_code_t cp_op_invitation_withdraw(cp_call_t *call);     /* DELETE /api/units/{unit}/invitations/{invitation} */
cp_code_t cp_op_invitation_list(cp_call_t *call);         /* GET /api/invitations */
cp_code_t cp_op_invitation_accept(cp_call_t *call);       /* POST /api/invitations/{invitation}/accept */
cp_code_t cp_op_invitation_refuse(cp_call_t *call);       /* POST /api/invitations/{invitation}/refuse */

cp_code_t cp_op_request_create(cp_call_t *call);          /* POST /api/units/requests */
cp_code_t cp_op_request_list(cp_call_t *call);            /* GET /api/units/requests */
cp_code_t cp_op_request_of_unit(cp_call_t *call);         /* GET /api/units/{unit}/requests */
cp_code_t cp_op_request_approve(cp_call_t *call);         /* POST /api/units/{unit}/requests/{request}/approve */
cp_code_t cp_op_request_refuse(cp_call_t *call);          /* POST /api/units/{unit}/requests/{request}/refuse */

cp_code_t cp_op_desk_units(cp_call_t *call);              /* GET /staff/api/units */
cp_code_t cp_op_desk_administrator(cp_call_t *call);      /* POST /staff/api/units/{unit}/administrator */

#endif
