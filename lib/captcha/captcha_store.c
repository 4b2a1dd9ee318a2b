#include "captcha/captcha_store.h"

#include "base/metric.h"
#include "base/random.h"
#include "call/address.h"
#include "captcha/captcha_rules.h"
#include "redis/limit.h"

#define ID_BYTES  15
#define TRIES     1

#define WINDOW_S         600
#define NETWORK_CLIENTS  10    /* as many as one address, so many times over, get the captchas of a network */


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


/* What stands against one more captcha of the kind; none when it is not limited. */
static cp_code_t
limits_of(cp_call_t *call, cp_captcha_kind_t kind, cp_limit_t limits[2], size_t *count)
{
    const cp_captcha_conf_t *conf = &call->app->captcha;
    unsigned                 most = kind == CP_CAPTCHA_IMAGE ? conf->images : conf->questions;
    cp_address_t             address;
    size_t                   i;

    *count = 0;
    if (most == 0) {
        return CP_OK;
    }
    CP_TRY(cp_call_address(call, &address));

    for (i = 0; i < 2; i++) {
        cp_str_t who = i == 0 ? address.name : address.network;
        cp_str_t name = cp_str_printf(call->arena, "%s:%.*s", kind == CP_CAPTCHA_IMAGE ? "image" : "text",
                                      (int) who.len, who.data);

        if (name.data == NULL) {
            return CP_E_NO_MEMORY;
        }
        limits[i] = (cp_limit_t) { cp_redis_key(&call->app->redis, call->arena, "captcha-given", name),
                                   i == 0 ? most : most * NETWORK_CLIENTS, WINDOW_S };
    }
    *count = 2;

    return CP_OK;
}


cp_code_t
cp_captcha_keep(cp_call_t *call, cp_captcha_kind_t kind, cp_str_t answer, cp_str_t *id)
{
    cp_limit_record_t record = { CP_STR_NULL, CP_STR_NULL, CP_CAPTCHA_LIVE_S };
    cp_limit_t        limits[2];
    size_t            count;

    *id = cp_random_id(call->arena, ID_BYTES);
    if (id->data == NULL) {
        return CP_E_NO_MEMORY;
    }
    record.key = record_key(call, *id);
    CP_TRY(answer_mac(call, *id, answer, &record.mac));
    CP_TRY(limits_of(call, kind, limits, &count));

    CP_TRY(cp_limit_take(&call->app->redis, call->arena, limits, count, &record, &call->retry_after_s));
    cp_metric(CP_METRIC_CAPTCHA_GIVEN);

    return CP_OK;
}


cp_code_t
cp_captcha_check(cp_call_t *call, cp_str_t id, cp_str_t answer)
{
    cp_limit_code_t given = { CP_STR_NULL, CP_STR_NULL, TRIES, CP_STR_NULL, CP_STR_NULL };
    cp_code_t       code;

    if (id.data == NULL || answer.data == NULL) {
        return CP_E_CAPTCHA_REQUIRED;
    }

    CP_TRY(answer_mac(call, id, answer, &given.mac));
    given.key = record_key(call, id);
    code = cp_limit_redeem(&call->app->redis, call->arena, &given);

    if (code == CP_OK || code == CP_E_BAD_CODE) {
        cp_metric(code == CP_OK ? CP_METRIC_CAPTCHA_RIGHT : CP_METRIC_CAPTCHA_WRONG);
    }

    return code == CP_E_BAD_CODE ? CP_E_BAD_CAPTCHA : code;
}
