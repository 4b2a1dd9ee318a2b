/* By a password. */
#include "session/sign_in.h"

#include <stddef.h>

#include "account/login.h"
#include "account/password.h"
#include "account/password_guard.h"
#include "call/fields.h"
#include "captcha/captcha.h"
#include "catalog/catalog.h"

typedef struct {
    cp_str_t  method;
    cp_str_t  login;
    cp_str_t  password;
    cp_str_t  captcha_id;
    cp_str_t  captcha_answer;
} input_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "login", CP_FIELD_TEXT, true, 1, CP_LOGIN_MAX, offsetof(input_t, login), NULL, NULL },
    { "password", CP_FIELD_SECRET, true, 1, CP_PASSWORD_MAX, offsetof(input_t, password), NULL, NULL },
    { "captcha_id", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ID_MAX, offsetof(input_t, captcha_id), NULL, NULL },
    { "captcha_answer", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ANSWER_MAX, offsetof(input_t, captcha_answer), NULL, NULL },
};


/*
 * Whose login it is and whether the password is theirs: CP_E_BAD_CREDENTIALS for all that is not so, after the same
 * work. *account is of the login, cleared when nobody has it.
 */
static cp_code_t
check(cp_call_t *call, const input_t *in, cp_account_t *account)
{
    cp_code_t known = cp_account_by_login(call, in->login, account);

    if (known != CP_OK && known != CP_E_NOT_FOUND) {
        return known;
    }
    if (known == CP_E_NOT_FOUND) {
        *account = (cp_account_t) { 0 };
    }

    CP_TRY(cp_password_verify(call->arena, in->password, account->password));

    return account->active && cp_sign_in_allowed(account, "password") ? CP_OK : CP_E_BAD_CREDENTIALS;
}


cp_code_t
cp_sign_in_by_password(cp_call_t *call)
{
    input_t             in;
    cp_account_t        account = { 0 };
    cp_password_guard_t guard;
    cp_code_t           code, counted;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_PASSWORD | CP_SIGN_IN_COMPANY));
    CP_TRY(cp_password_guard_enter(call, in.login, in.captcha_id, in.captcha_answer, in.password, &guard));

    code = check(call, &in, &account);
    counted = cp_password_guard_leave(call, &guard, code == CP_OK ? CP_GUARD_SUCCESS
                                                    : code == CP_E_BAD_CREDENTIALS ? CP_GUARD_FAILURE
                                                    : CP_GUARD_ABORTED);
    if (code == CP_OK || code == CP_E_BAD_CREDENTIALS) {
        CP_TRY(counted);
    }

    if (code == CP_E_BAD_CREDENTIALS) {
        CP_TRY(cp_sign_in_refused(call, "password", account.id != 0 ? account.public_id : CP_STR("unknown")));
    }
    if (code == CP_E_BUSY) {
        call->retry_after_s = 1;
    }
    CP_TRY(code);

    return cp_sign_in(call, &account, "password", NULL);
}
