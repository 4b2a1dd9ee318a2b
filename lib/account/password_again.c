#include "account/password_again.h"

#include "account/password.h"
#include "redis/limit.h"

#define GUESSES           10
#define GUESSES_WINDOW_S  (15 * 60)


cp_code_t
cp_password_again(cp_call_t *call, const cp_account_t *account, cp_str_t password)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_limit_t             guesses = { .most = GUESSES, .window_s = GUESSES_WINDOW_S };
    cp_code_t              code;

    guesses.key = cp_redis_key(redis, call->arena, "password-again", account->public_id);
    if (guesses.key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    /* Counted before the work, so that many at once cannot all slip under the limit. */
    CP_TRY(cp_limit_take(redis, call->arena, &guesses, 1, NULL, &call->retry_after_s));

    code = cp_password_verify(call->arena, password, account->password);
    if (code != CP_E_BAD_CREDENTIALS) {
        CP_TRY(cp_limit_give_back(redis, &guesses, 1));
    }

    return code;
}
