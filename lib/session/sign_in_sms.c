/* By a code sent to the phone; registers at first use. */
#include "session/sign_in.h"

#include <stddef.h>

#include "account/sms_code.h"
#include "base/metric.h"
#include "call/fields.h"
#include "catalog/catalog.h"
#include "identity/identity.h"

typedef struct {
    cp_str_t  method;
    cp_str_t  phone;
    cp_str_t  code;
    cp_str_t  request;
} input_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "phone", CP_FIELD_TEXT, true, 1, 20, offsetof(input_t, phone), cp_field_mobile, NULL },
    { "code", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, code), NULL, NULL },
    { "request", CP_FIELD_TEXT, false, 1, CP_SMS_REQUEST_MAX, offsetof(input_t, request), NULL, NULL },
};


/* Who has none yet gets an account for a right code, which is used up only by the session that follows. */
static cp_code_t
account_of(cp_call_t *call, cp_str_t phone, const cp_limit_code_t *code, cp_account_t *account, bool *known)
{
    cp_code_t found = cp_account_by_phone(call, phone, account);

    *known = found == CP_OK;
    if (found != CP_E_NOT_FOUND) {
        return found;
    }

    CP_TRY(cp_limit_look(&call->app->redis, call->arena, code));

    return cp_account_register(call, phone, account);
}


cp_code_t
cp_sign_in_by_sms(cp_call_t *call)
{
    input_t         in;
    cp_account_t    account;
    cp_limit_code_t claim;
    cp_code_t       code;
    bool            known;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_SMS));
    CP_TRY(cp_sms_code_claim(call, in.phone, CP_SMS_FOR_LOGIN, CP_STR(""), in.code, &claim));
    if (in.request.data != NULL) {
        CP_TRY(cp_sms_code_bind(call, in.request, &claim));
    }

    code = account_of(call, in.phone, &claim, &account, &known);
    if (code == CP_OK) {
        code = cp_sign_in_by_code(call, &account, "sms", &claim);
    }

    if (code == CP_OK) {
        cp_metric(CP_METRIC_SMS_RETURNED);
    } else if (code == CP_E_BAD_CODE) {
        cp_sms_code_refused(call, &claim);
        CP_TRY(cp_sign_in_refused(call, "sms", known ? account.public_id : CP_STR("unknown")));
    }

    return code;
}
