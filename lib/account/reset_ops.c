#include "account/reset.h"

#include <stddef.h>

#include "account/account_change.h"
#include "account/account_ops.h"
#include "account/notice.h"
#include "account/password.h"
#include "account/password_strength.h"
#include "audit/audit.h"
#include "base/metric.h"
#include "call/address.h"
#include "call/fields.h"
#include "call/later.h"
#include "captcha/captcha.h"
#include "identity/identity.h"
#include "redis/limit.h"

#define HOUR_S  3600

/*
 * What a login may ask for, whether it is somebody's or not: as often as a number may; and what an address may, as
 * configured. The message that follows is counted by all limits of messages, of which nobody is told.
 */
static const struct {
    const char *kind;
    bool        address;
    int64_t     most;
    int64_t     window_s;
} limits[] = {
    { "sms-reset-minute",       false, 1,  CP_RESET_RESEND_S },
    { "sms-reset-hour",         false, 5,  HOUR_S },
    { "sms-reset-day",          false, 10, 24 * HOUR_S },
    { "sms-reset-address-hour", true,  0,  HOUR_S },
    { "sms-reset-address-day",  true,  0,  24 * HOUR_S },
};

#define LIMITS  (sizeof(limits) / sizeof(limits[0]))

typedef struct {
    cp_str_t  login;
    cp_str_t  captcha_id;
    cp_str_t  captcha_answer;
} begin_t;

static const cp_field_t begin_fields[] = {
    { "login", CP_FIELD_TEXT, true, 1, CP_LOGIN_MAX, offsetof(begin_t, login), NULL, NULL },
    { "captcha_id", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ID_MAX, offsetof(begin_t, captcha_id), NULL, NULL },
    { "captcha_answer", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ANSWER_MAX, offsetof(begin_t, captcha_answer), NULL, NULL },
};

typedef struct {
    cp_str_t  code;
    cp_str_t  password;
} finish_t;


static const cp_field_t finish_fields[] = {
    { "code", CP_FIELD_TEXT, true, 1, 16, offsetof(finish_t, code), NULL, NULL },
    { "password", CP_FIELD_SECRET, true, CP_PASSWORD_MIN, CP_PASSWORD_MAX, offsetof(finish_t, password), NULL,
      NULL },
};


cp_code_t
cp_op_reset_create(cp_call_t *call)
{
    begin_t    in;
    cp_reset_t reset;
    cp_str_t   masked;

    CP_TRY(cp_body_read(call, begin_fields, &in));
    CP_TRY(cp_captcha_check(call, in.captcha_id, in.captcha_answer));
    CP_TRY(cp_reset_prepare(call, in.login, &reset, &masked));
    CP_TRY(cp_reset_store(call, &reset));

    return cp_answer(call, 201, json_pack("{s:o, s:o, s:i}", "id", cp_json(reset.id), "phone", cp_json(masked),
                                          "expires_in", CP_RESET_LIVE_S));
}


static int64_t
most_of(const cp_call_t *call, size_t i)
{
    return !limits[i].address ? limits[i].most
           : limits[i].window_s == HOUR_S ? call->app->sms_limits.address_hour : call->app->sms_limits.address_day;
}


static cp_code_t
count_code(cp_call_t *call, const cp_reset_t *reset)
{
    cp_limit_t   taken[LIMITS];
    cp_address_t address;
    size_t       i, n;

    CP_TRY(cp_call_address(call, &address));

    for (i = 0, n = 0; i < LIMITS; i++) {
        if (most_of(call, i) == 0) {
            continue;
        }
        taken[n] = (cp_limit_t) { cp_redis_key(&call->app->redis, call->arena, limits[i].kind,
                                               limits[i].address ? address.name : reset->login),
                                  most_of(call, i), limits[i].window_s };
        if (taken[n++].key.data == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    return cp_limit_take(&call->app->redis, call->arena, taken, n, NULL, &call->retry_after_s);
}


static void
send(cp_call_t *call, void *data)
{
    const cp_reset_t *reset = data;
    cp_account_t      account;
    cp_code_t         code;

    if (!reset->real) {
        return;
    }

    code = cp_account_by_id(call, reset->account, &account);
    if (code == CP_OK && cp_reset_possible(&account)) {
        code = cp_sms_code_send(call, account.phone, CP_SMS_FOR_RESET_PASSWORD, reset->id);
    }
    if (code != CP_OK) {
        cp_log(code == CP_E_RATE_LIMITED ? CP_LOG_CLIENT : CP_LOG_ERROR, "a code for a new password was not sent: %s",
               cp_error(code)->code);
    }
}


cp_code_t
cp_reset_send(cp_call_t *call, const cp_reset_t *reset)
{
    cp_reset_t *later;

    CP_TRY(count_code(call, reset));

    later = cp_later(call, send, sizeof(*later));
    if (later == NULL) {
        return CP_E_NO_MEMORY;
    }
    later->real = reset->real;
    later->account = reset->account;
    later->id = cp_str_dup(cp_later_arena(call), reset->id);

    return later->id.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* Nobody's reset has a number too, which no code was ever sent to: a wrong code costs the same for both. */
static cp_code_t
read_reset(cp_call_t *call, cp_str_t code, cp_account_t *account, cp_reset_t *reset, cp_limit_code_t *claim)
{
    cp_code_t found;

    CP_TRY(cp_reset_find(call, call->params[0], reset));

    found = cp_account_by_id(call, reset->account, account);
    if (found != CP_OK && found != CP_E_NOT_FOUND) {
        return found;
    }
    if (found == CP_E_NOT_FOUND || !reset->real || !cp_reset_possible(account)) {
        *account = (cp_account_t) { .public_id = CP_STR("unknown"), .phone = CP_STR("10000000000") };
    }

    CP_TRY(cp_sms_code_claim(call, account->phone, CP_SMS_FOR_RESET_PASSWORD, reset->id, code, claim));

    found = cp_limit_look(&call->app->redis, call->arena, claim);
    if (found == CP_E_BAD_CODE) {
        CP_TRY(cp_audit(call, "account.reset.refuse", "account", account->public_id, NULL));
    }

    return found;
}


/* All that the code is good for, in one transaction; the code is used up last, and once. */
static cp_code_t
change(cp_call_t *call, const cp_account_t *known, cp_str_t hash, const cp_limit_code_t *claim)
{
    cp_account_t account;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_lock(call, known->id, &account));
    if (!cp_reset_possible(&account) || !cp_str_eq(account.phone, known->phone)) {
        return CP_E_BAD_CODE;
    }

    CP_TRY(cp_account_set_password(call, &account, hash));
    CP_TRY(cp_account_end_sessions(call, &account));
    CP_TRY(cp_audit(call, "account.reset", "account", account.public_id, NULL));
    CP_TRY(cp_notice_later(call, CP_NOTICE_PASSWORD_RESET, account.phone, CP_STR_NULL));
    CP_TRY(cp_answer(call, 204, NULL));

    CP_TRY(cp_limit_redeem(&call->app->redis, call->arena, claim));

    return cp_call_commit(call);
}


/* What is known of the account is looked at only when the code was right: else who guesses would be told of it. */
static cp_code_t
judge_for(cp_call_t *call, const cp_account_t *account, cp_str_t password)
{
    cp_str_t      words[CP_PASSWORD_CONTEXT];
    size_t        count;
    cp_strength_t strength;

    CP_TRY(cp_password_context(call, account, words, &count));

    return cp_password_judge(call, CP_OK, "password", password, words, count, &strength);
}


cp_code_t
cp_op_reset_finish(cp_call_t *call)
{
    finish_t        in;
    cp_reset_t      reset;
    cp_account_t    account;
    cp_limit_code_t claim;
    cp_strength_t   strength;
    cp_str_t        hash;
    cp_code_t       code;

    code = cp_body_read(call, finish_fields, &in);
    CP_TRY(cp_password_judge(call, code, "password", in.password, NULL, 0, &strength));
    CP_TRY(read_reset(call, in.code, &account, &reset, &claim));
    CP_TRY(judge_for(call, &account, in.password));
    CP_TRY(cp_password_hash(call->arena, in.password, &hash));
    CP_TRY(change(call, &account, hash, &claim));

    if (cp_reset_end(call, &reset) != CP_OK) {
        cp_log(CP_LOG_NOTICE, "a reset that is done is left until it expires");
    }
    cp_metric(CP_METRIC_SMS_RETURNED);

    return CP_OK;
}
