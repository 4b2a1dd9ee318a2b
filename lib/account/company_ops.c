/* An account for a company that has no number here yet: its name and a password. What it lacks follows. */
#include <stddef.h>

#include "account/account_ops.h"
#include "account/login.h"
#include "account/password.h"
#include "account/password_strength.h"
#include "call/address.h"
#include "call/fields.h"
#include "captcha/captcha.h"
#include "catalog/catalog.h"
#include "redis/limit.h"
#include "session/sign_in.h"

#define TRIES         3
#define HOUR_S        3600
#define ADDRESS_HOUR  5
#define ADDRESS_DAY   20

typedef struct {
    cp_str_t  company;
    cp_str_t  password;
    cp_str_t  captcha_id;
    cp_str_t  captcha_answer;
} input_t;

static const cp_field_t fields[] = {
    { "company", CP_FIELD_TEXT, true, 1, CP_LOGIN_MAX, offsetof(input_t, company), cp_field_company, NULL },
    { "password", CP_FIELD_SECRET, true, CP_PASSWORD_MIN, CP_PASSWORD_MAX, offsetof(input_t, password), NULL,
      NULL },
    { "captcha_id", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ID_MAX, offsetof(input_t, captcha_id), NULL, NULL },
    { "captcha_answer", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ANSWER_MAX, offsetof(input_t, captcha_answer), NULL, NULL },
};


static cp_code_t
count_address(cp_call_t *call)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_limit_t             limits[2] = { { .most = ADDRESS_HOUR, .window_s = HOUR_S },
                                         { .most = ADDRESS_DAY, .window_s = 24 * HOUR_S } };
    cp_address_t           address;

    CP_TRY(cp_call_address(call, &address));
    limits[0].key = cp_redis_key(redis, call->arena, "company-address-hour", address.name);
    limits[1].key = cp_redis_key(redis, call->arena, "company-address-day", address.name);
    if (limits[0].key.data == NULL || limits[1].key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    return cp_limit_take(redis, call->arena, limits, 2, NULL, &call->retry_after_s);
}


static cp_code_t
insert(cp_call_t *call, const input_t *in, cp_str_t hash, cp_account_t *account)
{
    cp_login_t login;

    CP_TRY(cp_login_read(call->arena, in->company, &login));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_insert(call, CP_STR_NULL, hash, account));
    CP_TRY(cp_company_claim(call, account, &login, in->company));

    return cp_call_commit(call);
}


/* A deadlock is mended here: the operation cannot be run again, for its captcha is used up. */
static cp_code_t
create(cp_call_t *call, const input_t *in, cp_str_t hash, cp_account_t *account)
{
    cp_code_t code = CP_E_RETRY;
    int       i;

    CP_TRY(cp_call_db(call));

    for (i = 0; i < TRIES && code == CP_E_RETRY; i++) {
        cp_db_rollback(call->db);
        code = insert(call, in, hash, account);
    }

    return code == CP_E_RETRY ? CP_E_BUSY : code;
}


cp_code_t
cp_op_account_create(cp_call_t *call)
{
    input_t       in;
    cp_account_t  account;
    cp_strength_t strength;
    cp_str_t      hash;
    cp_code_t     code;

    code = cp_body_read(call, fields, &in);
    CP_TRY(cp_password_judge(call, code, "password", in.password, &in.company, 1, &strength));

    if (!cp_sign_in_is_offered(call, CP_SIGN_IN_COMPANY)) {
        cp_bad_field(call, CP_STR("company"), CP_F_NOT_SOLD);
        return CP_E_INVALID;
    }

    CP_TRY(cp_captcha_check(call, in.captcha_id, in.captcha_answer));
    CP_TRY(count_address(call));
    CP_TRY(cp_password_hash(call->arena, in.password, &hash));
    CP_TRY(create(call, &in, hash, &account));

    return cp_sign_in(call, &account, "password", NULL);
}
