/* By the certificate on the TLS connection: the holder of one that was issued here, or a member of staff. */
#include "session/sign_in.h"

#include <stddef.h>

#include "audit/audit.h"
#include "call/fields.h"
#include "catalog/catalog.h"
#include "certificate/certificate.h"
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


cp_code_t
cp_sign_in_by_certificate(cp_call_t *call)
{
    input_t           in;
    cp_account_t      account;
    cp_certificate_t  certificate;
    cp_code_t         code;

    CP_TRY(cp_body_read(call, fields, &in));

    code = cp_staff_authenticate(call);
    if (code == CP_OK) {
        return greet_staff(call);
    }
    if (cp_error(code)->status != 401) {
        return code;
    }

    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_CERTIFICATE));

    code = cp_certificate_of_tls(call, &certificate);
    if (cp_error(code)->status == 401) {
        CP_TRY(cp_call_db(call));
        CP_TRY(cp_sign_in_refused(call, "certificate", CP_STR("unknown")));
    }
    CP_TRY(code);
    CP_TRY(cp_account_by_id(call, certificate.account, &account));

    return cp_sign_in(call, &account, "certificate", certificate.id);
}
