#include "certificate/certificate.h"

#include <string.h>

#include "base/clock.h"
#include "certificate/certificate_store.h"
#include "certificate/x509.h"


static cp_code_t
check_verdict(const cp_call_t *call)
{
    static const cp_code_t codes[] = {
        [CP_TLS_NO_CERTIFICATE] = CP_E_CERT_MISSING,
        [CP_TLS_VERIFIED] = CP_OK,
        [CP_TLS_EXPIRED] = CP_E_CERT_EXPIRED,
        [CP_TLS_NOT_YET_VALID] = CP_E_CERT_NOT_YET,
        [CP_TLS_UNTRUSTED] = CP_E_CERT_UNTRUSTED,
        [CP_TLS_PURPOSE] = CP_E_CERT_PURPOSE,
    };

    if (!call->client_tls || call->certificate.data == NULL) {
        return CP_E_CERT_MISSING;
    }

    return codes[call->tls];
}


/* A TLS session may be resumed long after its handshake: the dates are looked at again. */
static cp_code_t
check_dates(const cp_x509_t *x509, int64_t now_ms)
{
    if (now_ms < x509->not_before_ms) {
        return CP_E_CERT_NOT_YET;
    }

    return now_ms > x509->not_after_ms + 999 ? CP_E_CERT_EXPIRED : CP_OK;
}


cp_code_t
cp_certificate_of_tls(cp_call_t *call, cp_certificate_t *certificate)
{
    unsigned char sha256[CP_SHA256_SIZE];
    cp_x509_t     x509;
    cp_code_t     code;
    bool          active;

    memset(certificate, 0, sizeof(*certificate));

    CP_TRY(check_verdict(call));

    if (!cp_x509_read(call->certificate, &x509)) {
        return CP_E_CERT_UNTRUSTED;
    }
    if (!cp_x509_is_for_clients(&x509)) {
        return CP_E_CERT_PURPOSE;
    }
    CP_TRY(check_dates(&x509, cp_now_ms()));

    CP_TRY(cp_sha256(call->certificate, sha256));
    CP_TRY(cp_call_db(call));

    code = cp_certificate_by_sha256(call, cp_str_n(sha256, sizeof(sha256)), certificate, &active);
    if (code != CP_OK) {
        return code == CP_E_NOT_FOUND ? CP_E_CERT_UNBOUND : code;
    }

    if (cp_str_is(certificate->state, "revoked")) {
        return CP_E_CERT_REVOKED;
    }
    if (cp_str_is(certificate->state, "superseded")) {
        return CP_E_CERT_SUPERSEDED;
    }

    return cp_str_is(certificate->state, "valid") && active ? CP_OK : CP_E_CERT_UNBOUND;
}
