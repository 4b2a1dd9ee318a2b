/* By a challenge that the key of a certificate signed: see challenge.h. */
#include "session/sign_in.h"

#include "catalog/catalog.h"
#include "session/challenge_ops.h"


cp_code_t
cp_sign_in_by_challenge(cp_call_t *call)
{
    cp_account_t     account;
    cp_certificate_t certificate;
    cp_code_t        code;

    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_CHALLENGE));

    code = cp_challenge_answered(call, &certificate);
    if (code != CP_OK) {
        return cp_sign_in_refusal(call, "challenge", code);
    }
    CP_TRY(cp_account_by_id(call, certificate.account, &account));

    return cp_sign_in(call, &account, "challenge", &certificate);
}
