/* Sessions in Redis, written by pool threads. */
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "session/session.h"

#define TOKEN_BYTES   32
#define MOST          "20"

/* KEYS: the record, the account's set, the old record. ARGV: prefix of records, key, record, its life in ms, the time,
 * when the oldest session that may still live began, life of the set in ms. */
static const char start_script[] =
    "redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) "
    "if KEYS[3] then "
    "  redis.call('DEL', KEYS[3]) "
    "  redis.call('ZREM', KEYS[2], string.sub(KEYS[3], #ARGV[1] + 1)) "
    "end "
    "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[6]) "
    "redis.call('ZADD', KEYS[2], ARGV[5], ARGV[2]) "
    "redis.call('PEXPIRE', KEYS[2], ARGV[7]) "
    "local over = redis.call('ZCARD', KEYS[2]) - " MOST " "
    "if over > 0 then "
    "  for _, key in ipairs(redis.call('ZRANGE', KEYS[2], 0, over - 1)) do "
    "    redis.call('DEL', ARGV[1] .. key) "
    "    redis.call('ZREM', KEYS[2], key) "
    "  end "
    "end "
    "return 1";

/* KEYS: the account's set. ARGV: prefix of records, the key to keep or "". */
static const char end_script[] =
    "for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do "
    "  if key ~= ARGV[2] then "
    "    redis.call('DEL', ARGV[1] .. key) "
    "    redis.call('ZREM', KEYS[1], key) "
    "  end "
    "end "
    "return 1";


static cp_str_t
record_key(cp_call_t *call, cp_str_t key)
{
    return cp_redis_key(&call->app->redis, call->arena, CP_SESSION_KIND, key);
}


static cp_str_t
set_key(cp_call_t *call)
{
    return cp_redis_key(&call->app->redis, call->arena, "sessions", call->who.account_id);
}


static cp_str_t
number(cp_call_t *call, int64_t value)
{
    return cp_str_printf(call->arena, "%lld", (long long) value);
}


static cp_code_t
run(cp_call_t *call, const char *script, const cp_str_t *keys, size_t key_count, const cp_str_t *args, size_t arg_count)
{
    redisReply *reply;
    size_t      i;

    for (i = 0; i < key_count + arg_count; i++) {
        if ((i < key_count ? keys[i].data : args[i - key_count].data) == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    CP_TRY(cp_redis_script(&call->app->redis, script, keys, key_count, args, arg_count, &reply));
    freeReplyObject(reply);

    return CP_OK;
}


static cp_str_t
record_of(cp_call_t *call, int64_t now)
{
    char   record[CP_SESSION_RECORD_MAX];
    size_t len = cp_session_encode(&call->who, now, record);

    return len == 0 ? CP_STR_NULL : cp_str_dup(call->arena, cp_str_n(record, len));
}


/* A cookie that the browser keeps until it closes; an empty token takes it away. */
static cp_code_t
set_cookie(cp_call_t *call, cp_str_t token)
{
    cp_str_t cookie = cp_str_printf(call->arena, CP_SESSION_COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax%s",
                                    (int) token.len, token.data, token.len == 0 ? "; Max-Age=0" : "");

    if (cookie.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    cp_answer_header(call, "Set-Cookie", cookie);
    return CP_OK;
}


cp_code_t
cp_session_start(cp_call_t *call)
{
    const cp_session_conf_t *conf = &call->app->session;
    int64_t                  now = cp_now_ms(), absolute = (int64_t) conf->absolute_s * 1000;
    cp_str_t                 token, key, old = call->who.session_key;
    char                     name[65];

    token = cp_random_id(call->arena, TOKEN_BYTES);
    if (token.data == NULL || !cp_session_key(token, name)) {
        return CP_E_NO_MEMORY;
    }

    key = cp_str_dup(call->arena, cp_str(name));
    call->who.since_ms = now;

    CP_TRY(run(call, start_script,
               (cp_str_t[]) { record_key(call, key), set_key(call),
                              old.data == NULL ? CP_STR("") : record_key(call, old) },
               old.data == NULL ? 2 : 3,
               (cp_str_t[]) { record_key(call, CP_STR("")), key, record_of(call, now),
                              number(call, cp_session_ttl(conf, now, now)), number(call, now),
                              number(call, now - absolute), number(call, absolute) },
               7));

    call->who.session_key = key;

    return set_cookie(call, token);
}


cp_code_t
cp_session_set_unit(cp_call_t *call, cp_str_t unit)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    int64_t                now = cp_now_ms();
    cp_str_t               record;
    redisReply            *reply;

    call->who.unit_id = unit;
    record = record_of(call, now);
    if (record.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    /* XX: a session that was ended meanwhile stays ended. */
    CP_TRY(cp_redis(redis, &reply, CP_STR("SET"), record_key(call, call->who.session_key), record, CP_STR("PX"),
                    number(call, cp_session_ttl(&call->app->session, call->who.since_ms, now)), CP_STR("XX")));
    freeReplyObject(reply);

    return CP_OK;
}


static cp_code_t
end_but(cp_call_t *call, cp_str_t kept)
{
    cp_str_t keys[] = { set_key(call) }, args[] = { record_key(call, CP_STR("")), kept };

    return run(call, end_script, keys, 1, args, 2);
}


cp_code_t
cp_session_end(cp_call_t *call)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    redisReply            *reply;

    CP_TRY(cp_redis(redis, &reply, CP_STR("DEL"), record_key(call, call->who.session_key)));
    freeReplyObject(reply);
    CP_TRY(cp_redis(redis, &reply, CP_STR("ZREM"), set_key(call), call->who.session_key));
    freeReplyObject(reply);

    return set_cookie(call, CP_STR(""));
}


cp_code_t
cp_session_end_all(cp_call_t *call)
{
    /* Its own by name: a session whose set was lost must end too. */
    CP_TRY(cp_session_end(call));

    return end_but(call, CP_STR(""));
}


cp_code_t
cp_session_end_others(cp_call_t *call)
{
    return end_but(call, call->who.session_key);
}
