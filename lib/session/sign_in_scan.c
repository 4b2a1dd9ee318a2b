/* By a code that the browser showed and a phone, signed in, let in: see scan/scan.h. */
#include "session/sign_in.h"

#include <stddef.h>

#include "call/fields.h"
#include "catalog/catalog.h"
#include "scan/scan.h"
#include "session/session.h"

typedef struct {
    cp_str_t  method;
    cp_str_t  scan;
    cp_str_t  secret;
} input_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "scan", CP_FIELD_TEXT, true, 1, 32, offsetof(input_t, scan), NULL, NULL },
    { "secret", CP_FIELD_SECRET, true, 1, 64, offsetof(input_t, secret), NULL, NULL },
};


/* Who signed out on the phone meanwhile, or was signed out, let nobody in: looked at once the new session is there. */
static cp_code_t
check_approver(cp_call_t *call, const cp_scan_claim_t *claim)
{
    bool lives;

    CP_TRY(cp_session_is_there(call, call->who.account_id, claim->session_key, &lives));
    if (lives) {
        return CP_OK;
    }
    CP_TRY(cp_session_end(call));

    return CP_E_BAD_CODE;
}


static cp_code_t
redeem(cp_call_t *call, const input_t *in, cp_account_t *account)
{
    cp_scan_claim_t claim;
    cp_str_t        mac;

    CP_TRY(cp_scan_mac(call, in->secret, &mac));
    CP_TRY(cp_scan_claim(call, in->scan, mac, &claim));
    CP_TRY(cp_account_by_id(call, claim.account, account));
    CP_TRY(cp_sign_in_by_code(call, account, "scan", &claim.code));

    return check_approver(call, &claim);
}


cp_code_t
cp_sign_in_by_scan(cp_call_t *call)
{
    input_t      in;
    cp_account_t account = { 0 };
    cp_code_t    code;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_SCAN));

    code = redeem(call, &in, &account);
    if (code == CP_E_BAD_CODE) {
        CP_TRY(cp_sign_in_refused(call, "scan", account.id != 0 ? account.public_id : CP_STR("unknown")));
    }

    return code;
}
