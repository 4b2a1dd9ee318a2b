#include "captcha/captcha_store.h"

#include "base/random.h"
#include "captcha/captcha_rules.h"
#include "redis/limit.h"

#define ID_BYTES  15
#define TRIES     1


static cp_str_t
record_key(cp_call_t *call, cp_str_t id)
{
    return cp_redis_key(&call->app->redis, call->arena, "captcha", id);
}


/* Without the key ring nobody who reads Redis can try all answers. */
static cp_code_t
answer_mac(cp_call_t *call, cp_str_t id, cp_str_t answer, cp_str_t *mac)
{
    cp_str_t canonical = cp_captcha_canonical(call->arena, answer), text, bytes;

    if (canonical.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    text = cp_str_printf(call->arena, "%.*s\n%.*s", (int) id.len, id.data, (int) canonical.len, canonical.data);
    if (text.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_keyring_mac(call->app->keys, call->arena, "captcha", text, &bytes));

    *mac = cp_str_hex(call->arena, bytes);
    return mac->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_captcha_keep(cp_call_t *call, cp_str_t answer, cp_str_t *id)
{
    cp_limit_record_t record = { CP_STR_NULL, CP_STR_NULL, CP_CAPTCHA_LIVE_S };

    *id = cp_random_id(call->arena, ID_BYTES);
    if (id->data == NULL) {
        return CP_E_NO_MEMORY;
    }
    record.key = record_key(call, *id);
    CP_TRY(answer_mac(call, *id, answer, &record.mac));

    return cp_limit_take(&call->app->redis, call->arena, NULL, 0, &record, &call->retry_after_s);
}


cp_code_t
cp_captcha_check(cp_call_t *call, cp_str_t id, cp_str_t answer)
{
    cp_str_t  mac;
    cp_code_t code;

    if (id.data == NULL || answer.data == NULL) {
        return CP_E_CAPTCHA_REQUIRED;
    }

    CP_TRY(answer_mac(call, id, answer, &mac));
    code = cp_limit_redeem(&call->app->redis, call->arena, record_key(call, id), mac, TRIES);

    return code == CP_E_BAD_CODE ? CP_E_BAD_CAPTCHA : code;
}
