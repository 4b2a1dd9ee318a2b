#include "redis/limit.h"

/*
 * KEYS: the counters, then the record's. ARGV: how many counters; most, window, count known elsewhere and seconds left
 * of each; then mac and life. Answers {wait, which}: refused by the limit `which` (from 1), or let through with 0.
 */
static const char take_script[] =
    "local n, wait, which, count, left = tonumber(ARGV[1]), 0, 0, {}, {} "
    "for i = 1, n do "
    "  local at = 4 * i - 2 "
    "  local ttl, known = redis.call('PTTL', KEYS[i]), tonumber(ARGV[at + 2]) "
    "  count[i] = tonumber(redis.call('GET', KEYS[i]) or '0') "
    "  left[i] = ttl > 0 and ttl or tonumber(ARGV[at + 1]) * 1000 "
    "  if known > count[i] then count[i], left[i] = known, tonumber(ARGV[at + 3]) * 1000 end "
    "  if count[i] >= tonumber(ARGV[at]) then "
    "    local more = math.max(1, math.ceil(left[i] / 1000)) "
    "    if more > wait then wait, which = more, i end "
    "  end "
    "end "
    "if wait > 0 then return { wait, which } end "
    "for i = 1, n do "
    "  redis.call('SET', KEYS[i], count[i] + 1, 'PX', math.max(1, left[i])) "
    "  if count[i] + 1 >= tonumber(ARGV[4 * i - 2]) then wait = math.max(wait, math.ceil(left[i] / 1000)) end "
    "end "
    "if KEYS[n + 1] then "
    "  redis.call('DEL', KEYS[n + 1]) "
    "  redis.call('HSET', KEYS[n + 1], 'mac', ARGV[4 * n + 2]) "
    "  redis.call('EXPIRE', KEYS[n + 1], ARGV[4 * n + 3]) "
    "end "
    "return { wait, 0 }";

static const char give_back_script[] =
    "for i = 1, #KEYS do "
    "  if tonumber(redis.call('GET', KEYS[i]) or '0') > 1 then redis.call('DECR', KEYS[i]) "
    "  else redis.call('DEL', KEYS[i]) end "
    "end "
    "return 0";

static const char redeem_script[] =
    CP_LIMIT_RIGHT
    "if not right(KEYS[1], ARGV[1], ARGV[2]) then return 0 end "
    "use(KEYS[1], KEYS[2], ARGV[3]) "
    "return 1";

static const char look_script[] =
    CP_LIMIT_RIGHT
    "return right(KEYS[1], ARGV[1], ARGV[2]) and 1 or 0";


static cp_str_t
number(cp_arena_t *arena, int64_t value)
{
    return cp_str_printf(arena, "%lld", (long long) value);
}


/* Runs a script that answers with a number. */
static cp_code_t
run(const cp_redis_conf_t *conf, const char *script, const cp_str_t *keys, size_t key_count, const cp_str_t *args,
    size_t arg_count, int64_t *result)
{
    redisReply *reply;
    cp_code_t   code = CP_OK;

    CP_TRY(cp_redis_script(conf, script, keys, key_count, args, arg_count, &reply));

    if (reply->type != REDIS_REPLY_INTEGER) {
        code = CP_E_REDIS;
    } else {
        *result = (int64_t) reply->integer;
    }
    freeReplyObject(reply);

    return code;
}


/* The script's answer: two numbers. */
static cp_code_t
take(const cp_redis_conf_t *conf, const cp_str_t *keys, size_t key_count, const cp_str_t *args, size_t arg_count,
     cp_limit_verdict_t *verdict)
{
    redisReply *reply;
    cp_code_t   code = CP_E_REDIS;

    CP_TRY(cp_redis_script(conf, take_script, keys, key_count, args, arg_count, &reply));

    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_INTEGER
        && reply->element[1]->type == REDIS_REPLY_INTEGER)
    {
        long long which = reply->element[1]->integer;

        verdict->wait_s = (unsigned) reply->element[0]->integer;
        verdict->which = which == 0 ? 0 : (size_t) which - 1;
        code = which == 0 ? CP_OK : CP_E_RATE_LIMITED;
    }
    freeReplyObject(reply);

    return code;
}


cp_code_t
cp_limit_take_known(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_t *limits,
                    const cp_limit_known_t *known, size_t count, const cp_limit_record_t *record,
                    cp_limit_verdict_t *verdict)
{
    cp_str_t keys[CP_LIMITS_MAX + 1], args[4 * CP_LIMITS_MAX + 3];
    size_t   key_count = 0, arg_count = 0, i;

    if (count > CP_LIMITS_MAX) {
        return CP_E_INTERNAL;
    }

    args[arg_count++] = number(arena, (int64_t) count);
    for (i = 0; i < count; i++) {
        keys[key_count++] = limits[i].key;
        args[arg_count++] = number(arena, limits[i].most);
        args[arg_count++] = number(arena, limits[i].window_s);
        args[arg_count++] = number(arena, known == NULL ? 0 : known[i].counted);
        args[arg_count++] = number(arena, known == NULL ? 0 : known[i].left_s);
    }

    if (record != NULL) {
        keys[key_count++] = record->key;
        args[arg_count++] = record->mac;
        args[arg_count++] = number(arena, record->live_s);
    }

    for (i = 0; i < key_count + arg_count; i++) {
        if ((i < key_count ? keys[i].data : args[i - key_count].data) == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    return take(conf, keys, key_count, args, arg_count, verdict);
}


cp_code_t
cp_limit_take(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_t *limits, size_t count,
              const cp_limit_record_t *record, unsigned *wait_s)
{
    cp_limit_verdict_t verdict = { 0, 0 };
    cp_code_t          code = cp_limit_take_known(conf, arena, limits, NULL, count, record, &verdict);

    *wait_s = code == CP_E_RATE_LIMITED ? verdict.wait_s : 0;

    return code;
}


cp_code_t
cp_limit_give_back(const cp_redis_conf_t *conf, const cp_limit_t *limits, size_t count)
{
    cp_str_t keys[CP_LIMITS_MAX];
    size_t   i;
    int64_t  ignored;

    if (count > CP_LIMITS_MAX) {
        return CP_E_INTERNAL;
    }

    for (i = 0; i < count; i++) {
        keys[i] = limits[i].key;
    }

    return run(conf, give_back_script, keys, count, NULL, 0, &ignored);
}


static cp_code_t
judge(const cp_redis_conf_t *conf, cp_arena_t *arena, const char *script, const cp_limit_code_t *code)
{
    cp_str_t keys[2] = { code->key, code->list }, args[3] = { code->mac, number(arena, code->tries), code->note };
    bool     noted = code->list.data != NULL;
    int64_t  right;

    if (code->key.data == NULL || code->mac.data == NULL || args[1].data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(run(conf, script, keys, noted ? 2 : 1, args, noted ? 3 : 2, &right));

    return right == 1 ? CP_OK : CP_E_BAD_CODE;
}


cp_code_t
cp_limit_look(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_code_t *code)
{
    return judge(conf, arena, look_script, code);
}


cp_code_t
cp_limit_redeem(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_code_t *code)
{
    return judge(conf, arena, redeem_script, code);
}


cp_code_t
cp_limit_tries_left(const cp_redis_conf_t *conf, const cp_limit_code_t *code, unsigned *left)
{
    redisReply *reply;
    int64_t     tried = 0;

    CP_TRY(cp_redis(conf, &reply, CP_STR("HMGET"), code->key, CP_STR("mac"), CP_STR("tries")));

    *left = 0;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_STRING) {
        if (reply->element[1]->type == REDIS_REPLY_STRING) {
            cp_str_number(cp_str_n(reply->element[1]->str, (size_t) reply->element[1]->len), &tried);
        }
        *left = tried < (int64_t) code->tries ? code->tries - (unsigned) tried : 0;
    }
    freeReplyObject(reply);

    return CP_OK;
}


cp_code_t
cp_limit_forget(const cp_redis_conf_t *conf, cp_str_t key)
{
    redisReply *reply;

    CP_TRY(cp_redis(conf, &reply, CP_STR("DEL"), key));
    freeReplyObject(reply);

    return CP_OK;
}
