/* What all ways of signing in share. */
#include "session/sign_in.h"

#include <string.h>

#include "audit/audit.h"
#include "call/fields.h"
#include "member/member.h"
#include "session/session.h"
#include "session/sign_in_store.h"

#define TRIES  3

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))


bool
cp_sign_in_is_offered(const cp_call_t *call, unsigned ways)
{
    const cp_catalog_t *catalog = &call->app->catalog;
    size_t              i;

    for (i = 0; i < catalog->hall_count; i++) {
        if ((catalog->halls[i]->sign_in & ways) != 0) {
            return true;
        }
    }

    return catalog->hall_count == 0;
}


cp_code_t
cp_sign_in_offered(cp_call_t *call, unsigned way)
{
    if (cp_sign_in_is_offered(call, way)) {
        return CP_OK;
    }

    cp_bad_field(call, CP_STR("method"), CP_F_NOT_SOLD);
    return CP_E_INVALID;
}


/* The ways that a holder may allow; the others end like a wrong proof, so that nobody learns which one is right. */
static const struct {
    const char *method;
    unsigned    way;
    cp_code_t   refusal;
} policy[] = {
    { "sms",         CP_SIGN_IN_SMS,         CP_E_BAD_CODE },
    { "password",    CP_SIGN_IN_PASSWORD,    CP_E_BAD_CREDENTIALS },
    { "certificate", CP_SIGN_IN_CERTIFICATE, CP_E_CERT_UNBOUND },
    { "challenge",   CP_SIGN_IN_CHALLENGE,   CP_E_CERT_UNBOUND },
    { "scan",        CP_SIGN_IN_SCAN,        CP_E_BAD_CODE },
};


static size_t
policy_of(const char *method)
{
    size_t i;

    for (i = 0; i < COUNT(policy) - 1 && strcmp(policy[i].method, method) != 0; i++) {
    }

    return i;
}


bool
cp_sign_in_allowed(const cp_account_t *account, const char *method)
{
    return (account->ways & policy[policy_of(method)].way) != 0;
}


/* One row, which is a transaction of its own; again after a deadlock, for what came before is not done twice. */
cp_code_t
cp_sign_in_refused(cp_call_t *call, const char *method, cp_str_t object_id)
{
    cp_code_t code = CP_E_RETRY;
    int       i;

    CP_TRY(cp_call_db(call));

    for (i = 0; i < TRIES && code == CP_E_RETRY; i++) {
        code = cp_audit(call, "session.refuse", "account", object_id, json_pack("{s:s}", "method", method));
    }

    return code == CP_E_RETRY ? CP_E_BUSY : code;
}


cp_code_t
cp_sign_in_refusal(cp_call_t *call, const char *method, cp_code_t code)
{
    if (cp_error(code)->status == 401) {
        CP_TRY(cp_sign_in_refused(call, method, CP_STR("unknown")));
    }

    return code;
}


static cp_code_t
check_unit(cp_call_t *call)
{
    cp_membership_t membership;
    cp_code_t       code;

    if (call->who.unit_id.data == NULL) {
        return CP_OK;
    }

    code = cp_membership(call, call->who.unit_id, CP_HOLD_SHARED, &membership);

    return code == CP_E_NOT_FOUND ? cp_session_set_unit(call, CP_STR_NULL) : code;
}


/* What the session does not stand on any more. Without its unit it goes on. */
static cp_code_t
check_grounds(cp_call_t *call, const cp_account_t *account)
{
    CP_TRY(cp_account_still(call, account));
    if (call->who.certificate != 0) {
        CP_TRY(cp_certificate_stays(call, call->who.certificate));
    }

    return check_unit(call);
}


/*
 * A password that was reset, a membership that was ended or a certificate that was revoked between the reading of the
 * account and the beginning of the session ended no session of it. From now on the session is found, for whoever does
 * one of these waits, or is waited for, here.
 */
static cp_code_t
record(cp_call_t *call, const cp_account_t *account, const char *method)
{
    cp_audit_row_t row;
    cp_code_t      code = CP_OK;
    bool           stands = false;
    int            i;

    CP_TRY(cp_audit_row(call, "session.create", "account", account->public_id,
                        json_pack("{s:s, s:o*}", "method", method, "device",
                                  call->who.device.data == NULL ? NULL : cp_json(call->who.device)), &row));

    for (i = 0; i < TRIES && !stands && (code == CP_OK || code == CP_E_RETRY); i++) {
        code = cp_sign_in_record(call, account, &row, &stands);
        if (code == CP_OK && !stands) {
            code = check_grounds(call, account);
        }
    }

    return code == CP_E_RETRY || (code == CP_OK && !stands) ? CP_E_BUSY : code;
}


static cp_code_t
tell(cp_call_t *call, const cp_account_t *account)
{
    json_t *shown;

    CP_TRY(cp_account_json(call, account, &shown));

    return cp_answer(call, 201, json_pack("{s:o}", "account", shown));
}


/* The session first: nobody is told the token of one that is not recorded, and it is ended again. */
static cp_code_t
start(cp_call_t *call, const cp_account_t *account, const char *method, const cp_certificate_t *certificate,
      const cp_limit_code_t *code)
{
    cp_code_t result;

    call->who.account = account->id;
    call->who.account_id = account->public_id;
    call->who.unit_id = certificate == NULL ? account->sole_unit : certificate->unit_id;
    call->who.method = cp_str(method);
    call->who.certificate = certificate == NULL ? 0 : certificate->id;

    result = cp_session_start_by_code(call, code);
    if (result != CP_OK) {
        call->who = call->came_as;
        return result;
    }

    result = record(call, account, method);
    if (result == CP_OK) {
        result = tell(call, account);
    }
    if (result != CP_OK && cp_session_end(call) != CP_OK) {
        cp_log(CP_LOG_ERROR, "a session that was not recorded is left until it ends by itself");
    }

    return result;
}


cp_code_t
cp_sign_in(cp_call_t *call, const cp_account_t *account, const char *method, const cp_certificate_t *certificate)
{
    if (!account->active) {
        CP_TRY(cp_sign_in_refused(call, method, account->public_id));
        return CP_E_FORBIDDEN;
    }
    if (!cp_sign_in_allowed(account, method)) {
        CP_TRY(cp_sign_in_refused(call, method, account->public_id));
        return policy[policy_of(method)].refusal;
    }

    return start(call, account, method, certificate, NULL);
}


cp_code_t
cp_sign_in_by_code(cp_call_t *call, const cp_account_t *account, const char *method, const cp_limit_code_t *code)
{
    if (!account->active || !cp_sign_in_allowed(account, method)) {
        CP_TRY(cp_limit_redeem(&call->app->redis, call->arena, code));
    }
    if (!account->active) {
        return cp_sign_in(call, account, method, NULL);
    }
    if (!cp_sign_in_allowed(account, method)) {
        return policy[policy_of(method)].refusal;
    }

    return start(call, account, method, NULL, code);
}
