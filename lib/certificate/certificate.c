#include "certificate/certificate.h"

#include <string.h>

#include "base/clock.h"
#include "certificate/certificate_store.h"
#include "certificate/client_rules.h"


/* What is wrong with the bytes, or with what the TLS layer found, told in the order of CP_TLS_…. */
static cp_code_t
judge(const cp_call_t *call, const cp_x509_t *x509)
{
    CP_TRY(cp_client_use(x509));
    CP_TRY(cp_client_strength(x509));

    /* Dates come last, and are looked at again with the row: a TLS session may be resumed long after its handshake. */
    if (call->tls == CP_TLS_EXPIRED || call->tls == CP_TLS_NOT_YET_VALID) {
        return CP_OK;
    }

    return cp_client_verdict(call->tls);
}


cp_code_t
cp_certificate_shown(const cp_call_t *call, cp_shown_t *shown)
{
    if (!call->client_tls || call->certificate.data == NULL) {
        return CP_E_CERT_MISSING;
    }

    switch (call->tls) {
    case CP_TLS_NO_CERTIFICATE:
    case CP_TLS_SELF_SIGNED:
    case CP_TLS_FORGED:
    case CP_TLS_UNTRUSTED:
        return cp_client_verdict(call->tls);
    default:
        break;
    }

    if (!cp_x509_read(call->certificate, &shown->x509)) {
        return CP_E_CERT_UNSUPPORTED;
    }
    CP_TRY(judge(call, &shown->x509));

    return cp_sha256(call->certificate, shown->sha256);
}


/* The verdict on a row. Revoked or superseded goes before expired: a renewal would not help its holder. */
static cp_code_t
check_row(const cp_certificate_t *certificate, int64_t now_ms)
{
    cp_x509_t dates = { .not_before_ms = certificate->not_before_ms, .not_after_ms = certificate->not_after_ms };

    if (cp_str_is(certificate->state, "revoked")) {
        return CP_E_CERT_REVOKED;
    }
    if (cp_str_is(certificate->state, "superseded")) {
        return CP_E_CERT_SUPERSEDED;
    }
    CP_TRY(cp_client_dates(&dates, now_ms));

    if (!certificate->account_active) {
        return CP_E_CERT_DISABLED;
    }
    if (!certificate->member) {
        return CP_E_CERT_NOT_MEMBER;
    }

    return cp_str_is(certificate->state, "valid") ? CP_OK : CP_E_CERT_UNBOUND;
}


cp_code_t
cp_certificate_judge(const cp_shown_t *shown, const cp_certificate_t *certificate, int64_t now_ms)
{
    if (certificate == NULL) {
        CP_TRY(cp_client_dates(&shown->x509, now_ms));
        return CP_E_CERT_UNBOUND;
    }

    return check_row(certificate, now_ms);
}


cp_code_t
cp_certificate_of_shown(cp_call_t *call, const cp_shown_t *shown, cp_certificate_t *certificate)
{
    cp_code_t code;

    CP_TRY(cp_call_db(call));

    code = cp_certificate_by_sha256(call, cp_str_n(shown->sha256, sizeof(shown->sha256)), certificate);
    if (code != CP_OK && code != CP_E_NOT_FOUND) {
        return code;
    }

    return cp_certificate_judge(shown, code == CP_OK ? certificate : NULL, cp_now_ms());
}


cp_code_t
cp_certificate_of_tls(cp_call_t *call, cp_certificate_t *certificate)
{
    cp_shown_t shown;

    memset(certificate, 0, sizeof(*certificate));

    CP_TRY(cp_certificate_shown(call, &shown));
    CP_TRY(cp_certificate_of_shown(call, &shown, certificate));

    /* An issuer may have run out as well. */
    return cp_client_verdict(call->tls);
}


cp_code_t
cp_certificate_still_good(cp_call_t *call, int64_t id, cp_certificate_t *certificate)
{
    cp_code_t code;

    CP_TRY(cp_call_db(call));

    code = cp_certificate_by_id(call, id, certificate);
    if (code == CP_E_NOT_FOUND) {
        return CP_E_CERT_UNBOUND;
    }
    CP_TRY(code);

    return check_row(certificate, cp_now_ms());
}


cp_code_t
cp_certificate_stays(cp_call_t *call, int64_t id)
{
    cp_str_t state;

    CP_TRY(cp_certificate_hold(call, id, &state));

    return cp_str_is(state, "valid") ? CP_OK : cp_str_is(state, "superseded") ? CP_E_CERT_SUPERSEDED
                                                                              : CP_E_CERT_REVOKED;
}
