/* Resets in Redis. */
#include "account/reset.h"

#include <string.h>

#include "base/random.h"

#define ID_BYTES  16

/* A record is one of these, the account's row, a space, the name of the login. */
#define REAL    '+'
#define UNREAL  '-'


static cp_str_t
key_of(cp_call_t *call, cp_str_t id)
{
    return cp_redis_key(&call->app->redis, call->arena, "reset", id);
}


cp_code_t
cp_reset_store(cp_call_t *call, const cp_reset_t *reset)
{
    cp_str_t    key = key_of(call, reset->id);
    cp_str_t    record = cp_str_printf(call->arena, "%c%lld %.*s", reset->real ? REAL : UNREAL,
                                       (long long) reset->account, (int) reset->login.len, reset->login.data);
    cp_str_t    life = cp_str_printf(call->arena, "%d", CP_RESET_LIVE_S);
    redisReply *reply;

    if (key.data == NULL || record.data == NULL || life.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("SET"), key, record, CP_STR("EX"), life));
    freeReplyObject(reply);

    return CP_OK;
}


/* The same is done for every login; which of two numbers is shown is all that differs. */
cp_code_t
cp_reset_prepare(cp_call_t *call, cp_str_t typed, cp_reset_t *reset, cp_str_t *masked)
{
    cp_account_t account = { 0 };
    cp_login_t   login;
    cp_str_t     real, pretended;
    cp_code_t    code;

    CP_TRY(cp_login_read(call->arena, typed, &login));
    CP_TRY(cp_login_key(call, &login, &reset->login));
    CP_TRY(cp_reset_pretend(call, &login, &pretended));

    code = cp_account_by_login(call, typed, &account);
    if (code != CP_OK && code != CP_E_NOT_FOUND) {
        return code;
    }

    reset->id = cp_random_id(call->arena, ID_BYTES);
    reset->real = code == CP_OK && cp_reset_possible(&account);
    reset->account = account.id;
    real = login.kind == CP_LOGIN_PHONE ? login.text : reset->real ? account.phone : CP_STR_NULL;
    if (reset->id.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    *masked = real.data == NULL ? pretended : cp_mask_phone(call->arena, real);

    return masked->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_reset_find(cp_call_t *call, cp_str_t id, cp_reset_t *reset)
{
    cp_str_t    key, record, account;
    redisReply *reply;
    char       *space;

    if (id.len != CP_RESET_ID) {
        return CP_E_NOT_FOUND;
    }
    key = key_of(call, id);
    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("GET"), key));
    record = reply->type != REDIS_REPLY_STRING ? CP_STR_NULL
             : cp_str_dup(call->arena, cp_str_n(reply->str, (size_t) reply->len));
    freeReplyObject(reply);
    if (record.data == NULL) {
        return CP_E_NOT_FOUND;
    }

    space = memchr(record.data, ' ', record.len);
    if (space == NULL) {
        return CP_E_NOT_FOUND;
    }
    account = cp_str_n(record.data + 1, (size_t) (space - record.data) - 1);
    reset->id = id;
    reset->real = record.data[0] == REAL;
    reset->login = cp_str_n(space + 1, record.len - account.len - 2);

    return cp_str_number(account, &reset->account) ? CP_OK : CP_E_NOT_FOUND;
}


cp_code_t
cp_reset_end(cp_call_t *call, const cp_reset_t *reset)
{
    return cp_limit_forget(&call->app->redis, key_of(call, reset->id));
}
