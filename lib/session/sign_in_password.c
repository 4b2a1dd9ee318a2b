/* By a password. */
#include "session/sign_in.h"

#include <stddef.h>

#include "account/login.h"
#include "account/password.h"
#include "call/fields.h"
#include "catalog/catalog.h"
#include "redis/limit.h"

#define FAILURES           10
#define FAILURES_WINDOW_S  (15 * 60)

typedef struct {
    cp_str_t  method;
    cp_str_t  login;
    cp_str_t  password;
} input_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "login", CP_FIELD_TEXT, true, 1, CP_LOGIN_MAX, offsetof(input_t, login), NULL, NULL },
    { "password", CP_FIELD_SECRET, true, 1, CP_PASSWORD_MAX, offsetof(input_t, password), NULL, NULL },
};


/* Failures of one login from one address, whether there is such an account or not. */
static cp_code_t
failures_of(cp_call_t *call, cp_str_t login, cp_limit_t *failures)
{
    cp_login_t read;
    cp_str_t   name;

    CP_TRY(cp_login_read(call->arena, login, &read));
    CP_TRY(cp_login_key(call, &read, &name));

    name = cp_str_printf(call->arena, "%s:%.*s", name.data, (int) call->client_ip.len, call->client_ip.data);
    if (name.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    *failures = (cp_limit_t) { cp_redis_key(&call->app->redis, call->arena, "password-failures", name), FAILURES,
                               FAILURES_WINDOW_S };

    return failures->key.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_sign_in_by_password(cp_call_t *call)
{
    input_t      in;
    cp_account_t account = { 0 };
    cp_limit_t   failures;
    cp_code_t    code, known;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_PASSWORD | CP_SIGN_IN_COMPANY));

    known = cp_account_by_login(call, in.login, &account);
    if (known != CP_OK && known != CP_E_NOT_FOUND) {
        return known;
    }

    /* Counted before the work, so that many at once cannot all slip under the limit. */
    CP_TRY(failures_of(call, in.login, &failures));
    CP_TRY(cp_limit_take(&call->app->redis, call->arena, &failures, 1, NULL, &call->retry_after_s));

    code = cp_password_verify(call->arena, in.password, account.password);
    if (code == CP_E_BAD_CREDENTIALS
        || (code == CP_OK && (!account.active || !cp_sign_in_allowed(&account, "password"))))
    {
        CP_TRY(cp_sign_in_refused(call, "password", known == CP_OK ? account.public_id : CP_STR("unknown")));
        return CP_E_BAD_CREDENTIALS;
    }

    if (code != CP_OK) {
        CP_TRY(cp_limit_give_back(&call->app->redis, &failures, 1));
        call->retry_after_s = code == CP_E_BUSY ? 1 : 0;
        return code;
    }

    CP_TRY(cp_limit_forget(&call->app->redis, failures.key));

    return cp_sign_in(call, &account, "password", NULL);
}
