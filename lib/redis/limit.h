/*
 * Limits counted in Redis, for all nodes together: at most so many in a window that opens with the first.
 * Without Redis nothing is let through: whoever asks gets CP_E_REDIS.
 */
#ifndef CP_LIMIT_H
#define CP_LIMIT_H

#include "redis/redis.h"

#define CP_LIMITS_MAX  8

typedef struct {
    cp_str_t  key;         /* whole name in Redis */
    int64_t   most;
    int64_t   window_s;
} cp_limit_t;

/* What is stored in the same step, when no limit stands against it: a hash with the one member "mac". */
typedef struct {
    cp_str_t  key;
    cp_str_t  mac;
    int64_t   live_s;
} cp_limit_record_t;

/*
 * Counts one under every limit, or under none: CP_E_RATE_LIMITED with the seconds to wait in *wait_s when one of them
 * is reached. `record` (NULL: none) replaces one of the same key. One atomic step.
 */
cp_code_t cp_limit_take(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_t *limits, size_t count,
                        const cp_limit_record_t *record, unsigned *wait_s);

/* What is counted of a limit elsewhere, so that a Redis that has forgotten begins there: see cp_limit_take_known(). */
typedef struct {
    int64_t  counted;
    int64_t  left_s;       /* until the oldest of them leaves the window; of none: the whole window */
} cp_limit_known_t;

typedef struct {
    unsigned  wait_s;      /* refused: the seconds to wait; let through: those until one more would be, 0: at once */
    size_t    which;       /* refused: the limit that is waited for longest */
} cp_limit_verdict_t;

/*
 * cp_limit_take() where each limit has a second count that outlives Redis: the greater of the two counts. `known` has
 * as many rows as `limits`.
 */
cp_code_t cp_limit_take_known(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_t *limits,
                              const cp_limit_known_t *known, size_t count, const cp_limit_record_t *record,
                              cp_limit_verdict_t *verdict);

/* Takes one back under each limit, as if it had not been counted. */
cp_code_t cp_limit_give_back(const cp_redis_conf_t *conf, const cp_limit_t *limits, size_t count);

/* A code that somebody claims to have been told: the record that it should be in, and what it is stored as. */
typedef struct {
    cp_str_t  key;
    cp_str_t  mac;
    unsigned  tries;
    cp_str_t  list;        /* the list in which a code that is used up is noted, and as what; {0, NULL}: it is not */
    cp_str_t  note;
} cp_limit_code_t;

/*
 * Whether it is the one of the record, which stays: CP_OK, or CP_E_BAD_CODE and the try is counted as by
 * cp_limit_redeem(). For what has to be done before a code may be used up.
 */
cp_code_t cp_limit_look(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_code_t *code);

/* How many tries are left to it, 0 when there is no such record. */
cp_code_t cp_limit_tries_left(const cp_redis_conf_t *conf, const cp_limit_code_t *code, unsigned *left);

/*
 * Lua, for scripts that use up a code in one step with what it is for: right(key, mac, tries) is the same question,
 * use(key, list, note) removes and notes it. Both sides of the comparison are codes under a secret key: its timing
 * tells nothing about what was guessed.
 */
#define CP_LIMIT_RIGHT                                                                                                 \
    "local function right(key, mac, tries) "                                                                           \
    "  local known = redis.call('HGET', key, 'mac') "                                                                  \
    "  if known == mac then return true end "                                                                          \
    "  if known and redis.call('HINCRBY', key, 'tries', 1) >= tonumber(tries) then redis.call('DEL', key) end "        \
    "  return false "                                                                                                  \
    "end "                                                                                                             \
    "local function use(key, list, note) "                                                                             \
    "  redis.call('DEL', key) "                                                                                        \
    "  if list then redis.call('RPUSH', list, note) end "                                                              \
    "end "

/*
 * Redeems a stored record: CP_OK and it is gone when `mac` is its own; otherwise CP_E_BAD_CODE, the try is counted and
 * the record goes with the last of `tries`. One atomic step.
 */
cp_code_t cp_limit_redeem(const cp_redis_conf_t *conf, cp_arena_t *arena, const cp_limit_code_t *code);

/* Removes a key. */
cp_code_t cp_limit_forget(const cp_redis_conf_t *conf, cp_str_t key);

#endif
