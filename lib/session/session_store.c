/* Sessions in Redis, written by pool threads. */
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "session/session.h"

#define SECRET_BYTES  32
#define TEXT(number)  TEXT_OF(number)
#define TEXT_OF(x)    #x

const char cp_session_touch_script[] =
    "if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end "
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) "
    "redis.call('PEXPIRE', KEYS[1], ARGV[3], 'GT') "
    "return 1";

const char cp_session_renew_script[] =
    "if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end "
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) "
    "redis.call('PEXPIRE', KEYS[1], ARGV[4], 'GT') "
    "return 1";

/*
 * KEYS: the account's hash, that of the session that ends (another account's, perhaps), the code that is used up if
 * there is one, and the list that notes it. ARGV: the field, the record, its life in ms, the field that ends or "",
 * when the oldest session that may still live was begun and was last seen, and the code's mac, tries and note. Of more
 * than an account keeps those go that have ended, then the oldest; until then what has ended harms nobody, and goes
 * with the key. The first write is the one that takes memory: where there is none, nothing is done.
 */
static const char start_script[] =
    CP_LIMIT_RIGHT
    "local function prune(more) "
    "  local all, begun = redis.call('HGETALL', KEYS[1]), {} "
    "  for i = 1, #all, 2 do "
    "    local since, seen = string.match(all[i + 1], '^%d+ (%d+) (%d+) ') "
    "    begun[i] = tonumber(since) "
    "    if all[i] == ARGV[1] then begun[i] = math.huge "
    "    elseif not since or begun[i] < tonumber(ARGV[5]) or tonumber(seen) < tonumber(ARGV[6]) then "
    "      redis.call('HDEL', KEYS[1], all[i]) "
    "      begun[i], more = math.huge, more - 1 "
    "    end "
    "  end "
    "  for _ = 1, more do "
    "    local first = 1 "
    "    for i = 3, #all, 2 do if begun[i] < begun[first] then first = i end end "
    "    redis.call('HDEL', KEYS[1], all[first]) "
    "    begun[first] = math.huge "
    "  end "
    "end "
    "if KEYS[3] and not right(KEYS[3], ARGV[7], ARGV[8]) then return 0 end "
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) "
    "if KEYS[3] then use(KEYS[3], KEYS[4], ARGV[9]) end "
    "if ARGV[4] ~= '' then redis.call('HDEL', KEYS[2], ARGV[4]) end "
    "if redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX') == 1 then return 1 end "
    "redis.call('PEXPIRE', KEYS[1], ARGV[3], 'GT') "
    "local more = redis.call('HLEN', KEYS[1]) - " TEXT(CP_SESSION_MOST) " "
    "if more > 0 then prune(more) end "
    "return 1";

/* KEYS: the account's hash. ARGV: the field to keep. */
static const char end_others_script[] =
    "for _, key in ipairs(redis.call('HKEYS', KEYS[1])) do "
    "  if key ~= ARGV[1] then redis.call('HDEL', KEYS[1], key) end "
    "end "
    "return 1";


static cp_str_t
hash_of(cp_call_t *call, cp_str_t account_id)
{
    return cp_redis_key(&call->app->redis, call->arena, CP_SESSION_KIND, account_id);
}


static cp_str_t
number(cp_call_t *call, int64_t value)
{
    return cp_str_printf(call->arena, "%lld", (long long) value);
}


static cp_code_t
run(cp_call_t *call, const char *script, const cp_str_t *keys, size_t key_count, const cp_str_t *args, size_t arg_count,
    bool *done)
{
    redisReply *reply;
    size_t      i;

    call->sessions_changed = true;

    for (i = 0; i < key_count + arg_count; i++) {
        if ((i < key_count ? keys[i].data : args[i - key_count].data) == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    CP_TRY(cp_redis_script(&call->app->redis, script, keys, key_count, args, arg_count, &reply));
    *done = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
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


/* A new token for the call's account, and the key that it is stored under. */
static cp_code_t
make_token(cp_call_t *call, cp_str_t *token, cp_str_t *key)
{
    cp_str_t      secret, account_id;
    unsigned char digest[CP_SESSION_KEY];

    secret = cp_random_id(call->arena, SECRET_BYTES);
    *token = secret.data == NULL ? secret
             : cp_str_printf(call->arena, "%s%.*s", secret.data, (int) call->who.account_id.len,
                             call->who.account_id.data);
    if (token->data == NULL) {
        return CP_E_NO_MEMORY;
    }
    if (!cp_session_parse(*token, &account_id, digest)) {
        return CP_E_INTERNAL;
    }

    *key = cp_str_dup(call->arena, cp_str_n(digest, sizeof(digest)));

    return key->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* Runs start_script; *started is false when the code is not right. */
static cp_code_t
start(cp_call_t *call, cp_str_t key, int64_t now, const cp_limit_code_t *code, bool *started)
{
    const cp_session_conf_t *conf = &call->app->session;
    const cp_principal_t    *old = &call->came_as;
    bool                     ends = old->session_key.data != NULL;
    cp_str_t                 keys[4], args[9];
    size_t                   k = 0, n = 0;

    keys[k++] = hash_of(call, call->who.account_id);
    keys[k++] = ends ? hash_of(call, old->account_id) : keys[0];
    args[n++] = key;
    args[n++] = record_of(call, now);
    args[n++] = number(call, cp_session_ttl(conf, now, now));
    args[n++] = ends ? old->session_key : CP_STR("");
    args[n++] = number(call, now - (int64_t) conf->absolute_s * 1000);
    args[n++] = number(call, now - (int64_t) conf->idle_s * 1000);

    if (code != NULL) {
        keys[k++] = code->key;
        args[n++] = code->mac;
        args[n++] = number(call, code->tries);
    }
    if (code != NULL && code->list.data != NULL) {
        keys[k++] = code->list;
        args[n++] = code->note;
    }

    return run(call, start_script, keys, k, args, n, started);
}


cp_code_t
cp_session_start_by_code(cp_call_t *call, const cp_limit_code_t *code)
{
    int64_t  now = cp_now_ms();
    bool     started;
    cp_str_t token, key;

    CP_TRY(make_token(call, &token, &key));

    call->who.since_ms = now;
    call->who.proved_ms = 0;
    call->who.device = cp_session_device(call->arena, call->user_agent);
    call->who.place = cp_session_place(call->arena, call->place, call->client_ip);

    CP_TRY(start(call, key, now, code, &started));
    if (!started) {
        return CP_E_BAD_CODE;
    }

    call->who.session_key = key;

    return set_cookie(call, token);
}


cp_code_t
cp_session_start(cp_call_t *call)
{
    return cp_session_start_by_code(call, NULL);
}


/* Writes the call's session again; one that was ended meanwhile stays ended. */
static cp_code_t
rewrite(cp_call_t *call)
{
    int64_t now = cp_now_ms();
    bool    is_there;

    return run(call, cp_session_touch_script, (cp_str_t[]) { hash_of(call, call->who.account_id) }, 1,
               (cp_str_t[]) { call->who.session_key, record_of(call, now),
                              number(call, cp_session_ttl(&call->app->session, call->who.since_ms, now)) },
               3, &is_there);
}


cp_code_t
cp_session_set_unit(cp_call_t *call, cp_str_t unit)
{
    call->who.unit_id = unit;

    return rewrite(call);
}


cp_code_t
cp_session_prove(cp_call_t *call)
{
    call->who.proved_ms = cp_now_ms();

    return rewrite(call);
}


/* Ends sessions by their keys; also when there are none (left): what was ended before is acknowledged now. */
static cp_code_t
end_listed(cp_call_t *call, cp_str_t account_id, const cp_str_t *keys, size_t count)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_str_t               words[2 + CP_SESSION_MOST];
    size_t                 n, i;

    call->sessions_changed = true;

    while (count != 0) {
        redisReply *reply;

        words[0] = CP_STR("HDEL");
        words[1] = hash_of(call, account_id);
        if (words[1].data == NULL) {
            return CP_E_NO_MEMORY;
        }

        n = count < CP_SESSION_MOST ? count : CP_SESSION_MOST;
        for (i = 0; i < n; i++) {
            words[2 + i] = keys[i];
        }

        CP_TRY(cp_redis_command(redis, words, 2 + n, &reply));
        freeReplyObject(reply);
        keys += n;
        count -= n;
    }

    return cp_redis_settled(redis);
}


cp_code_t
cp_session_end_one(cp_call_t *call, cp_str_t account_id, cp_str_t key)
{
    return end_listed(call, account_id, &key, 1);
}


cp_code_t
cp_session_end(cp_call_t *call)
{
    CP_TRY(cp_session_end_one(call, call->who.account_id, call->who.session_key));

    return set_cookie(call, CP_STR(""));
}


cp_code_t
cp_session_end_account(cp_call_t *call, cp_str_t account_id)
{
    redisReply *reply;
    cp_str_t    hash = hash_of(call, account_id);

    call->sessions_changed = true;

    if (hash.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("DEL"), hash));
    freeReplyObject(reply);

    return cp_redis_settled(&call->app->redis);
}


cp_code_t
cp_session_end_all(cp_call_t *call)
{
    CP_TRY(cp_session_end_account(call, call->who.account_id));

    return set_cookie(call, CP_STR(""));
}


cp_code_t
cp_session_end_others(cp_call_t *call)
{
    bool done;

    CP_TRY(run(call, end_others_script, (cp_str_t[]) { hash_of(call, call->who.account_id) }, 1,
               (cp_str_t[]) { call->who.session_key.data == NULL ? CP_STR("") : call->who.session_key }, 1, &done));

    return cp_redis_settled(&call->app->redis);
}


/* The fields and values of a reply to HGETALL that are living sessions. */
static cp_code_t
read_lines(cp_call_t *call, cp_str_t account_id, const redisReply *reply, cp_session_line_t *lines, size_t *count)
{
    int64_t now = cp_now_ms();
    size_t  i;

    for (i = 0, *count = 0; i + 1 < reply->elements; i += 2) {
        const redisReply  *field = reply->element[i], *value = reply->element[i + 1];
        cp_session_line_t *line = &lines[*count];
        cp_str_t           key = cp_str_dup(call->arena, cp_str_n(field->str, (size_t) field->len));
        cp_str_t           record = cp_str_dup(call->arena, cp_str_n(value->str, (size_t) value->len));

        if (key.data == NULL || record.data == NULL) {
            return CP_E_NO_MEMORY;
        }

        if (cp_session_decode(record, &line->who, &line->seen_ms)
            && cp_session_alive(&call->app->session, &line->who, line->seen_ms, now))
        {
            line->who.account_id = account_id;
            line->who.session_key = key;
            (*count)++;
        }
    }

    return CP_OK;
}


cp_code_t
cp_session_list(cp_call_t *call, cp_str_t account_id, cp_session_line_t **lines, size_t *count)
{
    redisReply *reply;
    cp_code_t   code;

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("HGETALL"), hash_of(call, account_id)));

    *lines = cp_alloc(call->arena, (reply->elements / 2 + 1) * sizeof(cp_session_line_t));
    code = *lines == NULL ? CP_E_NO_MEMORY : read_lines(call, account_id, reply, *lines, count);
    freeReplyObject(reply);

    return code;
}


cp_code_t
cp_session_is_there(cp_call_t *call, cp_str_t account_id, cp_str_t key, bool *is_there)
{
    redisReply *reply;
    cp_str_t    hash = hash_of(call, account_id);

    if (hash.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("HEXISTS"), hash, key));
    *is_there = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    freeReplyObject(reply);

    return CP_OK;
}


cp_code_t
cp_session_end_matching(cp_call_t *call, cp_str_t account_id, cp_session_match_fn match, const void *data)
{
    cp_session_line_t *lines;
    cp_str_t          *keys;
    size_t             count, picked = 0, i;

    CP_TRY(cp_session_list(call, account_id, &lines, &count));

    keys = cp_alloc(call->arena, (count + 1) * sizeof(cp_str_t));
    if (keys == NULL) {
        return CP_E_NO_MEMORY;
    }

    for (i = 0; i < count; i++) {
        if (match(&lines[i].who, data)) {
            keys[picked++] = lines[i].who.session_key;
        }
    }

    return end_listed(call, account_id, keys, picked);
}
