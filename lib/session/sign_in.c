/* What all ways of signing in share. */
#include "session/sign_in.h"

#include "audit/audit.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "session/session.h"


cp_code_t
cp_sign_in_offered(cp_call_t *call, unsigned way)
{
    const cp_catalog_t *catalog = &call->app->catalog;
    size_t              i;

    for (i = 0; i < catalog->hall_count; i++) {
        if ((catalog->halls[i]->sign_in & way) != 0) {
            return CP_OK;
        }
    }

    if (catalog->hall_count == 0) {
        return CP_OK;
    }

    cp_bad_field(call, CP_STR("method"), CP_F_NOT_SOLD);
    return CP_E_INVALID;
}


cp_code_t
cp_sign_in_refused(cp_call_t *call, const char *method, cp_str_t object_id)
{
    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_audit(call, "session.refuse", "account", object_id, json_pack("{s:s}", "method", method)));

    return cp_db_commit(call->db);
}


cp_code_t
cp_sign_in(cp_call_t *call, const cp_account_t *account, const char *method, const cp_certificate_t *certificate)
{
    json_t *shown;

    if (!account->active) {
        CP_TRY(cp_sign_in_refused(call, method, account->public_id));
        return CP_E_FORBIDDEN;
    }

    call->who.account = account->id;
    call->who.account_id = account->public_id;
    call->who.method = cp_str(method);
    call->who.certificate = certificate == NULL ? 0 : certificate->id;
    if (certificate != NULL) {
        call->who.unit_id = certificate->unit_id;
    } else {
        CP_TRY(cp_sole_unit_of_caller(call, &call->who.unit_id));
    }

    CP_TRY(cp_account_json(call, account, &shown));
    CP_TRY(cp_answer(call, 201, json_pack("{s:o}", "account", shown)));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, "session.create", "account", account->public_id, json_pack("{s:s}", "method", method)));
    CP_TRY(cp_call_commit(call));

    return cp_session_start(call);
}
