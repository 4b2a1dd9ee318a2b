/* Challenges in Redis: a hash of nonce, origin and end each, that goes by itself. */
#include "base/clock.h"
#include "base/random.h"
#include "redis/limit.h"
#include "session/challenge.h"

#define ID_BYTES     16
#define NONCE_BYTES  32

/* At the request of one client address, so that nobody fills the store. */
#define MOST_A_MINUTE  120

/* KEYS: the challenge. ARGV: nonce, origin, end, life in ms. */
static const char make_script[] =
    "redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'origin', ARGV[2], 'expires', ARGV[3]) "
    "redis.call('PEXPIRE', KEYS[1], ARGV[4]) "
    "return 1";

/* KEYS: the challenge. ARGV: how many tries it has. */
static const char try_script[] =
    "local known = redis.call('HMGET', KEYS[1], 'nonce', 'origin', 'expires') "
    "if not known[1] then return false end "
    "if redis.call('HINCRBY', KEYS[1], 'tries', 1) > tonumber(ARGV[1]) then return false end "
    "return known";


static cp_str_t
key_of(cp_call_t *call, cp_str_t id)
{
    return cp_redis_key(&call->app->redis, call->arena, "challenge", id);
}


static cp_str_t
number(cp_call_t *call, int64_t value)
{
    return cp_str_printf(call->arena, "%lld", (long long) value);
}


static cp_code_t
take_limit(cp_call_t *call)
{
    cp_limit_t limit = { cp_redis_key(&call->app->redis, call->arena, "challenge-minute", call->client_ip),
                         MOST_A_MINUTE, 60 };

    if (limit.key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    return cp_limit_take(&call->app->redis, call->arena, &limit, 1, NULL, &call->retry_after_s);
}


cp_code_t
cp_challenge_make(cp_call_t *call, cp_challenge_t *challenge)
{
    cp_str_t    keys[1], args[4];
    redisReply *reply;
    size_t      i;

    CP_TRY(cp_own_origin(call, &challenge->origin));
    CP_TRY(take_limit(call));

    challenge->id = cp_random_id(call->arena, ID_BYTES);
    challenge->nonce = cp_random_id(call->arena, NONCE_BYTES);
    challenge->expires_ms = (cp_now_ms() / 1000 + CP_CHALLENGE_LIVE_S) * 1000;
    if (challenge->id.data == NULL || challenge->nonce.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    keys[0] = key_of(call, challenge->id);
    args[0] = challenge->nonce;
    args[1] = challenge->origin;
    args[2] = number(call, challenge->expires_ms);
    args[3] = number(call, CP_CHALLENGE_LIVE_S * 1000);
    for (i = 0; i < 4; i++) {
        if (args[i].data == NULL || keys[0].data == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    CP_TRY(cp_redis_script(&call->app->redis, make_script, keys, 1, args, 4, &reply));
    freeReplyObject(reply);

    return CP_OK;
}


static cp_str_t
text_of(cp_call_t *call, const redisReply *reply)
{
    return reply->type != REDIS_REPLY_STRING ? CP_STR_NULL
                                             : cp_str_dup(call->arena, cp_str_n(reply->str, (size_t) reply->len));
}


/* The three members of a challenge that was there. */
static cp_code_t
read_reply(cp_call_t *call, const redisReply *reply, cp_challenge_t *challenge)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        return CP_E_BAD_CHALLENGE;
    }

    challenge->nonce = text_of(call, reply->element[0]);
    challenge->origin = text_of(call, reply->element[1]);

    return challenge->nonce.data != NULL && challenge->origin.data != NULL
           && cp_str_number(text_of(call, reply->element[2]), &challenge->expires_ms) ? CP_OK : CP_E_BAD_CHALLENGE;
}


cp_code_t
cp_challenge_try(cp_call_t *call, cp_str_t id, cp_challenge_t *challenge)
{
    cp_str_t    own, key = key_of(call, id), tries = number(call, CP_CHALLENGE_TRIES);
    redisReply *reply;
    cp_code_t   code;

    if (key.data == NULL || tries.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_own_origin(call, &own));

    CP_TRY(cp_redis_script(&call->app->redis, try_script, &key, 1, &tries, 1, &reply));
    code = read_reply(call, reply, challenge);
    freeReplyObject(reply);
    CP_TRY(code);

    challenge->id = id;

    return cp_str_eq(challenge->origin, own) && cp_now_ms() < challenge->expires_ms ? CP_OK : CP_E_BAD_CHALLENGE;
}


cp_code_t
cp_challenge_redeem(cp_call_t *call, const cp_challenge_t *challenge)
{
    cp_str_t    key = key_of(call, challenge->id);
    redisReply *reply;
    cp_code_t   code;

    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("DEL"), key));
    code = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1 ? CP_OK : CP_E_BAD_CHALLENGE;
    freeReplyObject(reply);
    CP_TRY(code);

    return cp_redis_settled(&call->app->redis);
}
