#include "staff/staff_ops.h"

#include "audit/audit.h"
#include "session/staff_session.h"
#include "staff/staff_store.h"


cp_code_t
cp_op_staff_session(cp_call_t *call)
{
    cp_staff_session_t session;
    cp_str_t           name;
    json_t            *shown = NULL;

    CP_TRY(cp_staff_session_check(call, &session));
    CP_TRY(cp_staff_name(call, &name));

    if (session.since_ms != 0) {
        shown = json_pack("{s:o, s:o}", "since", cp_json_time(call, session.since_ms), "expires",
                          cp_json_time(call, session.expires_ms));
    }

    return cp_answer(call, 200, json_pack("{s:o, s:o, s:o, s:o}", "id", cp_json(call->who.staff_id), "name",
                                          cp_json(name), "roles", cp_words_json(cp_role_words, call->who.roles),
                                          "session", shown == NULL ? json_null() : shown));
}


cp_code_t
cp_op_staff_session_end(cp_call_t *call)
{
    if (cp_staff_session_wanted(call)) {
        CP_TRY(cp_staff_session_end(call));
        CP_TRY(cp_call_db(call));
        CP_TRY(cp_audit(call, "staff.sign_out", "staff", call->who.staff_id, NULL));
    }

    return cp_answer(call, 204, NULL);
}
