/* By a code sent to the phone; registers at first use. */
#include "session/sign_in.h"

#include <stddef.h>

#include "account/sms_code.h"
#include "call/fields.h"
#include "catalog/catalog.h"
#include "identity/identity.h"

typedef struct {
    cp_str_t  method;
    cp_str_t  phone;
    cp_str_t  code;
} input_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "phone", CP_FIELD_TEXT, true, 1, 20, offsetof(input_t, phone), cp_field_mobile, NULL },
    { "code", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, code), NULL, NULL },
};


cp_code_t
cp_sign_in_by_sms(cp_call_t *call)
{
    input_t      in;
    cp_account_t account;
    cp_code_t    code, known;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_SMS));

    /* Read before the code is used up: a database that is away must not cost it. */
    known = cp_account_by_phone(call, in.phone, &account);
    if (known != CP_OK && known != CP_E_NOT_FOUND) {
        return known;
    }

    code = cp_sms_code_redeem(call, in.phone, CP_SMS_FOR_LOGIN, in.code);
    if (code == CP_E_BAD_CODE) {
        CP_TRY(cp_sign_in_refused(call, "sms", known == CP_OK ? account.public_id : CP_STR("unknown")));
    }
    CP_TRY(code);

    CP_TRY(cp_account_register(call, in.phone, &account));

    return cp_sign_in(call, &account, "sms", NULL);
}
