/* Who signed a challenge. */
#include "session/challenge.h"

#include "base/clock.h"
#include "certificate/certificate_store.h"
#include "certificate/client_rules.h"


/* The certificate's bytes, as they came or of the only row with that serial number. */
static cp_code_t
bytes_of(cp_call_t *call, const cp_challenge_answer_t *answer, cp_str_t *der)
{
    if (answer->certificate.data != NULL) {
        *der = answer->certificate;
        return CP_OK;
    }

    return cp_certificate_by_serial(call, answer->serial, der);
}


/*
 * The chain of a certificate: its issuer's certificate is the trust anchor, put into the database by the signer alone.
 * Several issuers may share a name, when their key was changed.
 */
static cp_code_t
check_chain(cp_call_t *call, const cp_x509_t *x509)
{
    cp_public_key_t key;
    cp_x509_t       issuer;
    cp_rows_t      *rows;
    cp_str_t        der;
    bool            named = false;

    CP_TRY(cp_issuers(call, &rows));

    while (cp_issuers_next(rows, &der) == CP_OK) {
        if (!cp_x509_read(der, &issuer) || !cp_str_eq(issuer.subject, x509->issuer)) {
            continue;
        }
        named = true;

        if (cp_public_key_read(issuer.spki, &key) == CP_CSR_GOOD
            && cp_public_key_verify(&key, x509->algorithm, x509->tbs, x509->signature) == CP_CSR_GOOD)
        {
            return cp_client_dates(&issuer, cp_now_ms());
        }
    }

    if (named) {
        return CP_E_CERT_FORGED;
    }

    return cp_str_eq(x509->subject, x509->issuer) ? CP_E_CERT_SELF_SIGNED : CP_E_CERT_UNTRUSTED;
}


/* All that can be said of it before its holder has proved to have the key: nothing that its row says. */
static cp_code_t
judge(cp_call_t *call, cp_str_t der, cp_shown_t *shown)
{
    if (!cp_x509_read(der, &shown->x509)) {
        return CP_E_CERT_UNSUPPORTED;
    }

    CP_TRY(check_chain(call, &shown->x509));
    CP_TRY(cp_client_use(&shown->x509));
    CP_TRY(cp_client_strength(&shown->x509));

    return cp_sha256(der, shown->sha256);
}


static cp_code_t
check_signature(cp_call_t *call, const cp_x509_t *x509, const cp_challenge_t *challenge, cp_str_t signature)
{
    cp_str_t        message = cp_challenge_message(call->arena, challenge);
    cp_public_key_t key;

    if (message.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    if (cp_public_key_read(x509->spki, &key) != CP_CSR_GOOD) {
        return CP_E_CERT_UNSUPPORTED;
    }

    switch (cp_public_key_verify_message(&key, call->arena, message, signature)) {
    case CP_CSR_GOOD:
        return CP_OK;
    case CP_CSR_MEMORY:
        return CP_E_NO_MEMORY;
    default:
        return CP_E_BAD_SIGNATURE;
    }
}


cp_code_t
cp_challenge_verify(cp_call_t *call, const cp_challenge_answer_t *answer, cp_certificate_t *certificate)
{
    cp_challenge_t challenge;
    cp_shown_t     shown;
    cp_str_t       der;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_challenge_try(call, answer->id, &challenge));

    CP_TRY(bytes_of(call, answer, &der));
    CP_TRY(judge(call, der, &shown));
    CP_TRY(check_signature(call, &shown.x509, &challenge, answer->signature));
    CP_TRY(cp_certificate_of_shown(call, &shown, certificate));

    return cp_challenge_redeem(call, &challenge);
}
