#include "account/sms_code.h"

#include "base/random.h"
#include "notify/sms.h"

#define TRIES  5
#define HOUR   3600
#define DAY    (24 * HOUR)

typedef enum {
    BY_NUMBER,
    BY_ADDRESS_HOUR,
    BY_ADDRESS_DAY
} limit_by_t;

/* The first row is the one that a failed message gives back in any case. */
static const struct {
    const char *kind;
    limit_by_t  by;
    int64_t     most;         /* by address: configured */
    int64_t     window_s;
} limits[] = {
    { "sms-minute",         BY_NUMBER,       1,  CP_SMS_CODE_RESEND_S },
    { "sms-hour",           BY_NUMBER,       5,  HOUR },
    { "sms-day",            BY_NUMBER,       10, DAY },
    { "sms-address-hour",   BY_ADDRESS_HOUR, 0,  HOUR },
    { "sms-address-day",    BY_ADDRESS_DAY,  0,  DAY },
};

const cp_word_t cp_sms_purpose_words[] = {
    { "login",          CP_SMS_FOR_LOGIN },
    { "reset_password", CP_SMS_FOR_RESET_PASSWORD },
    { "change_phone",   CP_SMS_FOR_CHANGE_PHONE },
    { "confirm",        CP_SMS_FOR_CONFIRM },
    { NULL,             0 }
};


/* A name for the number that tells nothing to who reads the keys. */
static cp_code_t
name_of(cp_call_t *call, cp_str_t phone, cp_str_t *name)
{
    cp_str_t index;

    CP_TRY(cp_blind_index(call->app->keys, call->arena, "account.phone", phone, &index));

    *name = cp_str_hex(call->arena, index);
    return name->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* One code a number, purpose and subject: who asks for another subject takes nobody's code away. */
static cp_str_t
record_key(cp_call_t *call, cp_str_t name, unsigned purpose, cp_str_t subject)
{
    cp_str_t full = cp_str_printf(call->arena, "%s:%s:%.*s", cp_word_name(cp_sms_purpose_words, purpose), name.data,
                                  (int) subject.len, subject.data);

    return full.data == NULL ? full : cp_redis_key(&call->app->redis, call->arena, "sms", full);
}


/* What stands for the code in Redis: without the key ring, a million hashes would find it. */
static cp_code_t
code_mac(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code, cp_str_t *mac)
{
    cp_str_t text, bytes;

    text = cp_str_printf(call->arena, "%s\n%.*s\n%.*s\n%.*s", cp_word_name(cp_sms_purpose_words, purpose),
                         (int) phone.len, phone.data, (int) subject.len, subject.data, (int) code.len, code.data);
    if (text.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_keyring_mac(call->app->keys, call->arena, "sms", text, &bytes));

    *mac = cp_str_hex(call->arena, bytes);
    return mac->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* The limits that stand against one more message; those configured as 0 are off. */
static size_t
limits_of(cp_call_t *call, cp_str_t name, cp_limit_t *out)
{
    const int64_t by_address[] = {
        [BY_ADDRESS_HOUR] = call->app->sms_limits.address_hour,
        [BY_ADDRESS_DAY] = call->app->sms_limits.address_day,
    };
    size_t i, n = 0;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        bool    number = limits[i].by == BY_NUMBER;
        int64_t most = number ? limits[i].most : by_address[limits[i].by];

        if (most != 0) {
            out[n++] = (cp_limit_t) {
                cp_redis_key(&call->app->redis, call->arena, limits[i].kind, number ? name : call->client_ip), most,
                limits[i].window_s
            };
        }
    }

    return n;
}


cp_code_t
cp_sms_code_send(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_limit_t             taken[CP_LIMITS_MAX];
    cp_limit_record_t      record = { CP_STR_NULL, CP_STR_NULL, CP_SMS_CODE_LIVE_S };
    cp_sms_fate_t          fate;
    cp_str_t               name, code;
    cp_code_t              result;
    size_t                 count;

    code = cp_random_digits(call->arena, CP_SMS_CODE_DIGITS);
    if (code.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(name_of(call, phone, &name));
    CP_TRY(code_mac(call, phone, purpose, subject, code, &record.mac));
    record.key = record_key(call, name, purpose, subject);
    count = limits_of(call, name, taken);

    CP_TRY(cp_limit_take(redis, call->arena, taken, count, &record, &call->retry_after_s));

    result = cp_sms_send_code(call, phone, code, &fate);
    if (result == CP_OK) {
        return CP_OK;
    }

    /* A message that may be on its way counts for the hour and the day: it has been paid for. */
    if (cp_limit_forget(redis, record.key) != CP_OK
        || cp_limit_give_back(redis, taken, fate == CP_SMS_UNKNOWN ? 1 : count) != CP_OK)
    {
        cp_log(CP_LOG_ERROR, "a code that was not sent could not be withdrawn");
    }

    return result;
}


cp_code_t
cp_sms_code_claim(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code,
                  cp_limit_code_t *claim)
{
    cp_str_t name;

    CP_TRY(name_of(call, phone, &name));
    CP_TRY(code_mac(call, phone, purpose, subject, code, &claim->mac));
    claim->key = record_key(call, name, purpose, subject);
    claim->tries = TRIES;

    return claim->key.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_sms_code_redeem(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code)
{
    cp_limit_code_t claim;

    CP_TRY(cp_sms_code_claim(call, phone, purpose, subject, code, &claim));

    return cp_limit_redeem(&call->app->redis, call->arena, claim.key, claim.mac, claim.tries);
}
