/* Running one call: who may, the operation itself, again after a deadlock, and what follows the commit. */
#include "api.h"

#include "account/account.h"
#include "call/later.h"
#include "certificate/certificate.h"
#include "issuance/issuance.h"
#include "session/proof.h"
#include "session/session.h"
#include "session/staff_session.h"
#include "staff/staff.h"

#define TRIES           3
#define RETRY_AFTER_S   2


/*
 * A session that a certificate began goes on as long as that would sign in. Whoever revokes one ends its sessions, but
 * Redis may have been away just then: so the row is looked at, and what it says is done to the session.
 */
static cp_code_t
check_certificate(cp_call_t *call)
{
    cp_certificate_t certificate;
    cp_code_t        code;

    if (call->who.certificate == 0) {
        return CP_OK;
    }

    code = cp_certificate_still_good(call, call->who.certificate, &certificate);
    if (cp_error(code)->status == 401 && cp_session_end(call) != CP_OK) {
        cp_log(CP_LOG_ERROR, "a session whose certificate is not good any more cannot be ended now");
    }

    return code;
}


static cp_code_t
authorise_account(cp_call_t *call)
{
    if (call->who.account == 0) {
        return CP_E_UNAUTHENTICATED;
    }
    CP_TRY(cp_account_admit(call));
    CP_TRY(check_certificate(call));

    return (call->operation->flags & CP_FRESH) != 0 ? cp_proof_demand(call) : CP_OK;
}


static cp_code_t
authorise(cp_call_t *call)
{
    unsigned callers = call->operation->callers;

    if ((callers & (CP_BY_PUBLIC | CP_BY_CALLBACK)) != 0) {
        return CP_OK;
    }

    if ((callers & CP_BY_ACCOUNT) != 0) {
        return authorise_account(call);
    }

    CP_TRY(cp_staff_authenticate(call));
    CP_TRY(cp_staff_session_check(call, NULL));

    return (callers & call->who.roles) != 0 ? CP_OK : CP_E_FORBIDDEN;
}


static cp_code_t
attempt(cp_call_t *call)
{
    cp_code_t code;

    cp_call_reset(call);
    call->who = call->came_as;

    code = authorise(call);
    if (code == CP_OK) {
        code = call->operation->run(call);
    }

    /* An operation that returns in the middle leaves its transaction to us: nothing of it stays. */
    if (call->db != NULL) {
        cp_db_rollback(call->db);
    }

    return code;
}


static void
conclude(cp_call_t *call, cp_code_t code)
{
    if (code == CP_OK || code == CP_E_REPLAY) {
        call->code = CP_OK;
        return;
    }

    /* A row that a check above did not foresee, or a third deadlock in a row. */
    if (code == CP_E_DUPLICATE) {
        code = CP_E_ALREADY_EXISTS;
    } else if (code == CP_E_RETRY) {
        code = CP_E_BUSY;
    }

    call->code = code;
    call->status = cp_error(code)->status;
    call->header_count = 0;
    cp_later_drop(cp_later_take(call));

    if ((call->status == 503 || call->status == 429) && call->retry_after_s == 0) {
        call->retry_after_s = RETRY_AFTER_S;
    }

    if (cp_error(code)->level == CP_LOG_ALERT) {
        cp_log(CP_LOG_ALERT, "operation %s ended with %s, request %.*s", call->operation->id, cp_error(code)->code,
               (int) call->request_id.len, call->request_id.data);
    }
}


void
cp_api_run(cp_call_t *call)
{
    cp_code_t code = CP_E_RETRY;
    int       i;

    for (i = 0; i < TRIES && code == CP_E_RETRY; i++) {
        code = attempt(call);
    }

    conclude(call, code);

    if (call->code == CP_OK && call->push.data != NULL) {
        cp_issuance_push(&call->app->redis, call->arena, call->push);
    }
}
