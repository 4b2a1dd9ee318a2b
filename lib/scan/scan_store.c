/*
 * Scans in Redis: a hash each, `scan:<id>` behind the prefix. Members: secret (its code), state, hall, device, place,
 * at; account (row) once an account has looked; by (key of the session that let the browser in) and mac (as secret,
 * what the browser redeems) while it is let in.
 */
#include "scan/scan.h"

#include "base/clock.h"
#include "base/random.h"
#include "session/session.h"

#define ID_BYTES  15
#define TEXT(number)  TEXT_OF(number)
#define TEXT_OF(x)    #x

/* ARGV: secret, hall, device, place, time. */
static const char create_script[] =
    "redis.call('HSET', KEYS[1], 'state', 'waiting', 'secret', ARGV[1], 'hall', ARGV[2], 'device', ARGV[3], "
    "  'place', ARGV[4], 'at', ARGV[5]) "
    "redis.call('EXPIRE', KEYS[1], " TEXT(CP_SCAN_LIVE_S) ") "
    "return 1";

#define SHOWN                                                                                                          \
    "local function shown() "                                                                                          \
    "  local r = redis.call('HMGET', KEYS[1], 'state', 'hall', 'device', 'place', 'at') "                              \
    "  r[6] = tostring(redis.call('PTTL', KEYS[1])) "                                                                  \
    "  return r "                                                                                                      \
    "end "

/* ARGV: the account that looks. An empty answer: it sees nothing. */
static const char look_script[] =
    SHOWN
    "local r = redis.call('HMGET', KEYS[1], 'state', 'account') "
    "if r[1] == 'waiting' then redis.call('HSET', KEYS[1], 'state', 'seen', 'account', ARGV[1]) "
    "elseif r[2] ~= ARGV[1] then return {} end "
    "return shown()";

/* ARGV: the account, the state, the session's key. One word: it is not to be decided now. */
static const char decide_script[] =
    SHOWN
    "local r = redis.call('HMGET', KEYS[1], 'state', 'account', 'secret') "
    "if not r[1] or (r[2] and r[2] ~= ARGV[1]) then return {} end "
    "if r[1] ~= 'seen' then return { r[1] } end "
    "redis.call('HSET', KEYS[1], 'state', ARGV[2]) "
    "if ARGV[2] == 'approved' then redis.call('HSET', KEYS[1], 'by', ARGV[3], 'mac', r[3]) end "
    "return shown()";

/* ARGV: the account. */
static const char undecide_script[] =
    "local r = redis.call('HMGET', KEYS[1], 'state', 'account') "
    "if not r[1] or r[2] ~= ARGV[1] then return 0 end "
    "redis.call('HSET', KEYS[1], 'state', 'seen') "
    "redis.call('HDEL', KEYS[1], 'by', 'mac') "
    "return 1";

enum { STATE, HALL, DEVICE, PLACE, AT, LEFT, MEMBERS };


static cp_str_t
key_of(cp_call_t *call, cp_str_t id)
{
    return cp_redis_key(&call->app->redis, call->arena, "scan", id);
}


static cp_code_t
run(cp_call_t *call, const char *script, cp_str_t id, const cp_str_t *args, size_t count, redisReply **reply)
{
    cp_str_t key = key_of(call, id);
    size_t   i;

    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    for (i = 0; i < count; i++) {
        if (args[i].data == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    return cp_redis_script(&call->app->redis, script, &key, 1, args, count, reply);
}


/* An element of a reply, copied; {0, NULL} where there is none or an empty one. */
static cp_str_t
element(cp_call_t *call, const redisReply *reply, size_t i)
{
    const redisReply *one = i < reply->elements ? reply->element[i] : NULL;

    return one == NULL || one->str == NULL || one->len == 0
           ? CP_STR_NULL : cp_str_dup(call->arena, cp_str_n(one->str, (size_t) one->len));
}


/* Released here. CP_E_NOT_FOUND for an empty reply, CP_E_CONFLICT for one that tells the state alone. */
static cp_code_t
take(cp_call_t *call, redisReply *reply, cp_scan_t *scan)
{
    size_t count = reply->elements;
    bool   good;

    *scan = (cp_scan_t) { element(call, reply, STATE), element(call, reply, HALL), element(call, reply, DEVICE),
                          element(call, reply, PLACE), 0, 0 };
    good = count == MEMBERS && cp_str_number(element(call, reply, AT), &scan->asked_ms)
           && cp_str_number(element(call, reply, LEFT), &scan->left_ms);
    freeReplyObject(reply);

    return good ? CP_OK : count == 0 ? CP_E_NOT_FOUND : count == 1 ? CP_E_CONFLICT : CP_E_REDIS;
}


static cp_str_t
caller(cp_call_t *call)
{
    return cp_str_printf(call->arena, "%lld", (long long) call->who.account);
}


cp_code_t
cp_scan_mac(cp_call_t *call, cp_str_t secret, cp_str_t *mac)
{
    cp_str_t bytes;

    CP_TRY(cp_keyring_mac(call->app->keys, call->arena, "scan", secret, &bytes));
    *mac = cp_str_hex(call->arena, bytes);

    return mac->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_scan_create(cp_call_t *call, cp_str_t hall, cp_str_t mac, cp_str_t *id)
{
    cp_str_t    place = cp_session_place(call->arena, call->place, call->client_ip);
    redisReply *reply;

    *id = cp_random_id(call->arena, ID_BYTES);
    if (id->data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(run(call, create_script, *id,
               (cp_str_t[]) { mac, hall.data == NULL ? CP_STR("") : hall,
                              cp_session_device(call->arena, call->user_agent),
                              place.data == NULL ? CP_STR("") : place,
                              cp_str_printf(call->arena, "%lld", (long long) cp_now_ms()) },
               5, &reply));
    freeReplyObject(reply);

    return CP_OK;
}


cp_code_t
cp_scan_look(cp_call_t *call, cp_str_t id, cp_scan_t *scan)
{
    redisReply *reply;

    CP_TRY(run(call, look_script, id, (cp_str_t[]) { caller(call) }, 1, &reply));

    return take(call, reply, scan);
}


cp_code_t
cp_scan_decide(cp_call_t *call, cp_str_t id, bool approve, cp_scan_t *scan)
{
    redisReply *reply;

    CP_TRY(run(call, decide_script, id,
               (cp_str_t[]) { caller(call), approve ? CP_STR("approved") : CP_STR("refused"), call->who.session_key },
               3, &reply));

    return take(call, reply, scan);
}


cp_code_t
cp_scan_undecide(cp_call_t *call, cp_str_t id)
{
    redisReply *reply;

    CP_TRY(run(call, undecide_script, id, (cp_str_t[]) { caller(call) }, 1, &reply));
    freeReplyObject(reply);

    return CP_OK;
}


/* Members of the hash, each copied; CP_E_NOT_FOUND without the right secret. */
static cp_code_t
open_scan(cp_call_t *call, cp_str_t id, cp_str_t mac, cp_str_t *state, cp_str_t *account, cp_str_t *by)
{
    cp_str_t    key = key_of(call, id), secret;
    redisReply *reply;

    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("HMGET"), key, CP_STR("secret"), CP_STR("state"),
                    CP_STR("account"), CP_STR("by")));
    secret = element(call, reply, 0);
    *state = element(call, reply, 1);
    *account = element(call, reply, 2);
    *by = element(call, reply, 3);
    freeReplyObject(reply);

    return cp_str_eq_secret(secret, mac) && state->data != NULL ? CP_OK : CP_E_NOT_FOUND;
}


cp_code_t
cp_scan_state(cp_call_t *call, cp_str_t id, cp_str_t mac, cp_str_t *state)
{
    cp_str_t  account, by;
    cp_code_t code = open_scan(call, id, mac, state, &account, &by);

    if (code == CP_E_NOT_FOUND) {
        *state = CP_STR("expired");
        return CP_OK;
    }

    return code;
}


cp_code_t
cp_scan_claim(cp_call_t *call, cp_str_t id, cp_str_t mac, cp_scan_claim_t *claim)
{
    cp_str_t  state, account;
    cp_code_t code = open_scan(call, id, mac, &state, &account, &claim->session_key);

    if (code == CP_E_NOT_FOUND || (code == CP_OK && !cp_str_is(state, "approved"))) {
        return CP_E_BAD_CODE;
    }
    CP_TRY(code);

    /* A wrong secret was refused above: there are no tries to count. */
    claim->code = (cp_limit_code_t) { key_of(call, id), mac, 1, CP_STR_NULL, CP_STR_NULL };

    return claim->code.key.data == NULL ? CP_E_NO_MEMORY
           : cp_str_number(account, &claim->account) && claim->session_key.len == CP_SESSION_KEY ? CP_OK : CP_E_REDIS;
}
