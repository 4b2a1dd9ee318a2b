/* By the certificate on the TLS connection: the holder of one that was issued here, or a member of staff. */
#include "session/sign_in.h"

#include <stddef.h>

#include "audit/audit.h"
#include "call/fields.h"
#include "catalog/catalog.h"
#include "certificate/certificate.h"
#include "certificate/client_rules.h"
#include "staff/staff.h"

typedef struct {
    cp_str_t  method;
} input_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
};


/* A member of staff gets no session: the staff API looks at the certificate at each call. */
static cp_code_t
greet_staff(cp_call_t *call)
{
    json_t *roles = cp_words_json(cp_role_words, call->who.roles);

    CP_TRY(cp_answer(call, 201, json_pack("{s:{s:o, s:o}}", "staff", "id", cp_json(call->who.staff_id), "roles",
                                          roles)));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, "staff.sign_in", "staff", call->who.staff_id, NULL));

    return cp_call_commit(call);
}


/* Records a refusal of what was shown: 401 says that it was the certificate. */
static cp_code_t
refuse(cp_call_t *call, cp_code_t code)
{
    if (cp_error(code)->status == 401) {
        CP_TRY(cp_sign_in_refused(call, "certificate", CP_STR("unknown")));
    }

    return code;
}


cp_code_t
cp_sign_in_by_certificate(cp_call_t *call)
{
    input_t           in;
    cp_shown_t        shown;
    cp_account_t      account;
    cp_certificate_t  certificate;
    cp_code_t         code;

    CP_TRY(cp_body_read(call, fields, &in));

    code = cp_certificate_shown(call, &shown);
    if (code != CP_OK) {
        return refuse(call, code);
    }

    code = cp_staff_of_shown(call, &shown);
    if (code == CP_OK) {
        return greet_staff(call);
    }
    if (code != CP_E_CERT_UNBOUND) {
        return refuse(call, code);
    }

    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_CERTIFICATE));

    code = cp_certificate_of_shown(call, &shown, &certificate);
    if (code == CP_OK) {
        code = cp_client_verdict(call->tls);
    }
    if (code != CP_OK) {
        return refuse(call, code);
    }
    CP_TRY(cp_account_by_id(call, certificate.account, &account));

    return cp_sign_in(call, &account, "certificate", &certificate);
}
