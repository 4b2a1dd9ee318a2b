/* Revoking a certificate: staff any one, a member of a unit those that it may see. The signer makes the CRLs new. */
#include <stddef.h>

#include "account/account.h"
#include "account/notice.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "call/fields.h"
#include "certificate/certificate_ops.h"
#include "certificate/certificate_rules.h"
#include "certificate/certificate_store.h"
#include "order/order.h"
#include "session/session.h"

/* The signer takes this message for "a certificate was revoked: make the CRLs new". */
#define CRL_MESSAGE  "crl"

typedef struct {
    unsigned  reason;
} revoke_t;

static const cp_field_t desk_fields[] = {
    { "reason", CP_FIELD_CHOICE, true, 0, 0, offsetof(revoke_t, reason), NULL, cp_reason_words },
};

static const cp_field_t holder_fields[] = {
    { "reason", CP_FIELD_CHOICE, true, 0, 0, offsetof(revoke_t, reason), NULL, cp_holder_reason_words },
};


static bool
was_begun_with(const cp_principal_t *who, const void *certificate)
{
    return who->certificate == *(const int64_t *) certificate;
}


/*
 * A revocation does not wait for Redis: every call of a session that a certificate began looks at the certificate's row
 * and ends what is left.
 */
static void
end_sessions(cp_call_t *call, const cp_revocable_t *certificate)
{
    cp_code_t code = cp_session_end_matching(call, certificate->account_id, was_begun_with, &certificate->id);

    if (code == CP_OK && was_begun_with(&call->who, &certificate->id)) {
        code = cp_session_end(call);
    }
    if (code != CP_OK) {
        cp_log(CP_LOG_ERROR, "sessions of a certificate that is revoked cannot be ended now");
    }
}


static cp_code_t
tell_holder(cp_call_t *call, const cp_revocable_t *certificate)
{
    cp_account_t account;

    CP_TRY(cp_account_by_id(call, certificate->account, &account));

    return cp_notice_later(call, CP_NOTICE_CERTIFICATE_REVOKED, account.phone, CP_STR_NULL);
}


/* In the open transaction, up to its end. */
static cp_code_t
revoke(cp_call_t *call, unsigned reason)
{
    const char    *word = cp_word_name(cp_reason_words, reason);
    int64_t        now_ms = cp_now_ms();
    cp_revocable_t certificate;

    CP_TRY(cp_certificate_lock(call, call->params[0], &certificate));
    if (cp_str_is(certificate.state, "revoked")) {
        return CP_E_CONFLICT;
    }

    CP_TRY(cp_certificate_revoke(call, certificate.id, cp_reason_number(reason), now_ms));
    CP_TRY(cp_order_release_hold(call, certificate.order));
    CP_TRY(tell_holder(call, &certificate));
    CP_TRY(cp_audit(call, "certificate.revoke", "certificate", call->params[0],
                    json_pack("{s:o, s:s}", "issuer", cp_json(certificate.issuer), "reason", word)));

    CP_TRY(cp_answer(call, 200,
                     json_pack("{s:o, s:s, s:o, s:s}", "serial", cp_json(call->params[0]), "state", "revoked",
                               "revoked_at", cp_json_time(call, now_ms), "reason", word)));
    end_sessions(call, &certificate);
    call->push = CP_STR(CRL_MESSAGE);

    return cp_call_commit(call);
}


cp_code_t
cp_op_desk_certificate_revoke(cp_call_t *call)
{
    revoke_t in;

    CP_TRY(cp_body_read(call, desk_fields, &in));
    CP_TRY(cp_call_begin(call));

    return revoke(call, in.reason);
}


cp_code_t
cp_op_certificate_revoke(cp_call_t *call)
{
    revoke_t in;

    CP_TRY(cp_body_read(call, holder_fields, &in));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_certificate_is_seen(call, call->who.account, call->params[0]));

    return revoke(call, in.reason);
}
