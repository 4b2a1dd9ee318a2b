#include "account/password_guard.h"

#include "account/login.h"
#include "base/clock.h"
#include "base/metric.h"
#include "base/random.h"
#include "call/address.h"
#include "captcha/captcha.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define TEXT(number)  TEXT_OF(number)
#define TEXT_OF(x)    #x

/* Failures of one login from one address: from here on each is followed by 1, 2, 4 … seconds, from there by more. */
#define DELAY_FROM     5
#define BLOCK_FROM     10
#define BLOCK_S        900

/* How long failures are remembered, seconds. */
#define ACCOUNT_S      86400
#define PAIR_S         900
#define ADDRESS_S      3600
#define PASSWORD_S     3600

/* An attempt that nobody ended (a killed worker, Redis lost in its midst) is no failure: it counts for so long, ms. */
#define ABANDONED_MS   15000

/*
 * Attempts under way from one address, or with one password, that are not taken for failures: a company's people sign
 * in at nine o'clock.
 */
#define AT_ONCE        16

/* One password tried at that many logins is being sprayed. */
#define SPRAYED        10

/* Of so many passwords in so many seconds less than so many of a hundred were right: somebody has a list. */
#define RATIO_MIN      50
#define RATIO_S        300
#define RATIO_PERCENT  20

enum { ACCOUNT, PAIR, ADDRESS, PASSWORD, WAIT };

_Static_assert(WAIT + 1 == CP_GUARD_KEYS, "a key for each");

/*
 * Each count is a hash: the failures, "failed", and each attempt under way by its name, with when it began (ms).
 *
 * KEYS as above. ARGV: failures after which a captcha is demanded (0: never), 1 when one was answered, the time (ms),
 * the attempt's name. Answers {0, failures of the pair}, {1, seconds to wait}, {2, 0} for a captcha.
 */
static const char enter_script[] =
    "local most, now = tonumber(ARGV[1]), tonumber(ARGV[3]) "
    "local function count(key) "
    "  local all, failed, under_way = redis.call('HGETALL', key), 0, 0 "
    "  for i = 1, #all, 2 do "
    "    if all[i] == 'failed' then failed = tonumber(all[i + 1]) "
    "    elseif tonumber(all[i + 1]) > now - " TEXT(ABANDONED_MS) " then under_way = under_way + 1 "
    "    else redis.call('HDEL', key, all[i]) end "
    "  end "
    "  return failed, under_way "
    "end "
    "local function of_many(key) "
    "  local failed, under_way = count(key) "
    "  return failed + math.max(0, under_way - " TEXT(AT_ONCE) ") "
    "end "
    "local function of_one(key) "
    "  local failed, under_way = count(key) "
    "  return failed + under_way "
    "end "
    "local wait = redis.call('PTTL', KEYS[5]) "
    "if wait > 0 then return { 1, math.ceil(wait / 1000) } end "
    "if most > 0 and ARGV[2] ~= '1' and (of_one(KEYS[1]) >= most or of_many(KEYS[3]) >= most "
    "    or of_many(KEYS[4]) >= " TEXT(SPRAYED) ") then return { 2, 0 } end "
    "for i, window in ipairs({ " TEXT(ACCOUNT_S) ", " TEXT(PAIR_S) ", " TEXT(ADDRESS_S) ", " TEXT(PASSWORD_S) " }) do "
    "  redis.call('HSET', KEYS[i], ARGV[4], now) "
    "  redis.call('EXPIRE', KEYS[i], window) "
    "end "
    "local failures = of_one(KEYS[2]) "
    "if failures >= " TEXT(BLOCK_FROM) " then redis.call('SET', KEYS[5], 1, 'EX', " TEXT(BLOCK_S) ") "
    "elseif failures >= " TEXT(DELAY_FROM) " then "
    "  redis.call('SET', KEYS[5], 1, 'EX', 2 ^ (failures - " TEXT(DELAY_FROM) ")) "
    "end "
    "return { 0, failures }";

/*
 * The attempt is over. After a right password the login's failures are, too; so are those that this address had with
 * it, but no other: who has an account of their own would else wash the address clean with it. KEYS as above. ARGV: the
 * attempt's name; "right", "wrong" or "aborted"; 1 when the attempt had begun a delay.
 */
static const char leave_script[] =
    "local right, wrong = ARGV[2] == 'right', ARGV[2] == 'wrong' "
    "local mine = tonumber(redis.call('HGET', KEYS[2], 'failed') or '0') "
    "for i, window in ipairs({ " TEXT(ACCOUNT_S) ", " TEXT(PAIR_S) ", " TEXT(ADDRESS_S) ", " TEXT(PASSWORD_S) " }) do "
    "  redis.call('HDEL', KEYS[i], ARGV[1]) "
    "  if wrong then "
    "    redis.call('HINCRBY', KEYS[i], 'failed', 1) "
    "    redis.call('EXPIRE', KEYS[i], window) "
    "  end "
    "end "
    "if right then "
    "  if mine > 0 and redis.call('HINCRBY', KEYS[3], 'failed', -mine) <= 0 then redis.call('HDEL', KEYS[3], 'failed') end "
    "  redis.call('HDEL', KEYS[1], 'failed') "
    "  redis.call('HDEL', KEYS[2], 'failed') "
    "end "
    "if right or not wrong and ARGV[3] == '1' then redis.call('DEL', KEYS[5]) end "
    "return 1";

/* KEYS: the counts of the present while. ARGV: "right" or "wrong". Answers {1, right, wrong} when that is an alarm. */
static const char ratio_script[] =
    "redis.call('HINCRBY', KEYS[1], ARGV[1], 1) "
    "if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], " TEXT(RATIO_S) ") end "
    "local right = tonumber(redis.call('HGET', KEYS[1], 'right') or '0') "
    "local wrong = tonumber(redis.call('HGET', KEYS[1], 'wrong') or '0') "
    "if right + wrong < " TEXT(RATIO_MIN) " or right * 100 >= (right + wrong) * " TEXT(RATIO_PERCENT) " "
    "    or redis.call('HSETNX', KEYS[1], 'told', 1) == 0 then return { 0, right, wrong } end "
    "return { 1, right, wrong }";


/* Runs a script that answers with `count` numbers. */
static cp_code_t
ask(cp_call_t *call, const char *script, const cp_str_t *keys, size_t key_count, const cp_str_t *args, size_t arg_count,
    int64_t *numbers, size_t count)
{
    redisReply *reply;
    cp_code_t   code = CP_OK;
    size_t      i;

    CP_TRY(cp_redis_script(&call->app->redis, script, keys, key_count, args, arg_count, &reply));

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != count) {
        code = CP_E_REDIS;
    }
    for (i = 0; i < count && code == CP_OK; i++) {
        numbers[i] = reply->element[i]->integer;
    }
    freeReplyObject(reply);

    return code;
}


/* The names of what is counted: none of them tells a login, an address or a password. */
static cp_code_t
name_keys(cp_call_t *call, cp_str_t login, cp_str_t password, cp_password_guard_t *guard)
{
    static const char *const kinds[] = { "password-account", "password-pair", "password-address", "password-word",
                                         "password-wait" };

    cp_str_t     names[CP_GUARD_KEYS], mac;
    cp_login_t   read;
    cp_address_t address;
    size_t       i;

    CP_TRY(cp_login_read(call->arena, login, &read));
    CP_TRY(cp_login_key(call, &read, &names[ACCOUNT]));
    CP_TRY(cp_call_address(call, &address));
    CP_TRY(cp_keyring_mac(call->app->keys, call->arena, "password guess", password, &mac));

    names[ADDRESS] = address.name;
    names[PASSWORD] = cp_str_hex(call->arena, mac);
    names[PAIR] = cp_str_printf(call->arena, "%.*s:%s", (int) names[ACCOUNT].len, names[ACCOUNT].data,
                                address.name.data);
    names[WAIT] = names[PAIR];

    for (i = 0; i < COUNT(kinds); i++) {
        guard->keys[i] = names[i].data == NULL ? CP_STR_NULL
                                               : cp_redis_key(&call->app->redis, call->arena, kinds[i], names[i]);
        if (guard->keys[i].data == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    return CP_OK;
}


static cp_code_t
enter(cp_call_t *call, bool answered, cp_password_guard_t *guard)
{
    cp_str_t args[] = { cp_str_printf(call->arena, "%u", call->app->captcha.password),
                        answered ? CP_STR("1") : CP_STR("0"),
                        cp_str_printf(call->arena, "%lld", (long long) cp_now_ms()), guard->attempt };
    int64_t  said[2];

    if (args[0].data == NULL || args[2].data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(ask(call, enter_script, guard->keys, CP_GUARD_KEYS, args, COUNT(args), said, COUNT(said)));

    if (said[0] == 1) {
        cp_metric(CP_METRIC_PASSWORD_DELAYED);
        call->retry_after_s = (unsigned) said[1];
        return CP_E_RATE_LIMITED;
    }
    guard->delays = said[1] >= DELAY_FROM;

    return said[0] == 2 ? CP_E_CAPTCHA_REQUIRED : CP_OK;
}


cp_code_t
cp_password_guard_enter(cp_call_t *call, cp_str_t login, cp_str_t captcha_id, cp_str_t captcha_answer,
                        cp_str_t password, cp_password_guard_t *guard)
{
    cp_code_t code;

    guard->attempt = cp_random_id(call->arena, 9);
    if (guard->attempt.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(name_keys(call, login, password, guard));

    code = enter(call, false, guard);
    if (code != CP_E_CAPTCHA_REQUIRED) {
        return code;
    }

    CP_TRY(cp_captcha_check(call, captcha_id, captcha_answer));

    return enter(call, true, guard);
}


/* Stuffing shows in the sum of all: few passwords of a stolen list are right. */
static void
watch_ratio(cp_call_t *call, bool right)
{
    cp_str_t key = cp_redis_key(&call->app->redis, call->arena, "password-ratio", CP_STR("all"));
    cp_str_t arg = right ? CP_STR("right") : CP_STR("wrong");
    int64_t  said[3];

    if (key.data == NULL || ask(call, ratio_script, &key, 1, &arg, 1, said, COUNT(said)) != CP_OK || said[0] == 0) {
        return;
    }

    cp_metric(CP_METRIC_PASSWORD_ALARMS);
    cp_log(CP_LOG_ERROR, "of the last %lld passwords %lld were right: somebody may be trying a list",
           (long long) (said[1] + said[2]), (long long) said[1]);
}


cp_code_t
cp_password_guard_leave(cp_call_t *call, const cp_password_guard_t *guard, cp_guard_outcome_t outcome)
{
    static const char *const outcomes[] = { [CP_GUARD_SUCCESS] = "right", [CP_GUARD_FAILURE] = "wrong",
                                            [CP_GUARD_ABORTED] = "aborted" };

    redisReply *reply;

    if (outcome != CP_GUARD_ABORTED) {
        cp_metric(outcome == CP_GUARD_SUCCESS ? CP_METRIC_PASSWORD_RIGHT : CP_METRIC_PASSWORD_WRONG);
        watch_ratio(call, outcome == CP_GUARD_SUCCESS);
    }

    CP_TRY(cp_redis_script(&call->app->redis, leave_script, guard->keys, CP_GUARD_KEYS,
                           (cp_str_t[]) { guard->attempt, cp_str(outcomes[outcome]),
                                          guard->delays ? CP_STR("1") : CP_STR("0") }, 3, &reply));
    freeReplyObject(reply);

    return CP_OK;
}
