/* Signing in, who am I, signing out. */
#ifndef CP_SESSION_OPS_H
#define CP_SESSION_OPS_H

#include "call/operation.h"

cp_code_t cp_op_session_create(cp_call_t *call);      /* POST /api/sessions */
cp_code_t cp_op_session_show(cp_call_t *call);        /* GET /api/session */
cp_code_t cp_op_session_list(cp_call_t *call);        /* GET /api/sessions */
cp_code_t cp_op_session_end_one(cp_call_t *call);     /* DELETE /api/sessions/{session} */
cp_code_t cp_op_session_end(cp_call_t *call);         /* DELETE /api/session */
cp_code_t cp_op_session_end_all(cp_call_t *call);     /* DELETE /api/sessions */
cp_code_t cp_op_session_prove(cp_call_t *call);       /* POST /api/session/proof */

/* Where signing in and proving again run: with passwords in their pool, else with what asks the database. */
cp_pool_kind_t cp_session_pool(const cp_call_t *call);

#endif
