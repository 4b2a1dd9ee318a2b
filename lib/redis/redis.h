/*
 * The blocking Redis connection of a pool thread or a program: one a thread, made at first use. (The event loop has an
 * asynchronous connection of its own.)
 *
 * What fails returns CP_E_REDIS, and the next call tries afresh. While the server does not answer, one thread of the
 * process at a time finds out whether it does again; the calls of the others fail at once, without waiting for it, as do
 * all for as long as the last one waited, a second at most. It is away as well while it loads its data, lets nobody in,
 * or is a replica.
 *
 * With sentinels each new connection asks them for the master and goes on only when that one calls itself so: the user
 * needs the right to ROLE. Connections to the master of before are given up with the first that finds it gone.
 */
#ifndef CP_REDIS_H
#define CP_REDIS_H

#include <hiredis/hiredis.h>

#include "base/error.h"
#include "base/str.h"

typedef struct {
    const char *host;
    int         port;
} cp_redis_address_t;

/* Where it is: exactly one of host, socket and sentinels is there. */
typedef struct {
    const char         *host;
    const char         *socket;
    int                 port;
    const char         *user;                /* NULL: the default user */
    const char         *password;            /* NULL: none */
    int                 database;
    const char         *prefix;              /* of every key, "caportal:" */
    unsigned            timeout_ms;          /* of connecting and of each command */

    const char         *sentinel_master;     /* the name under which they watch it; NULL: there are none */
    cp_redis_address_t *sentinels;
    size_t              sentinel_count;
    const char         *sentinel_user;       /* NULL: the default user */
    const char         *sentinel_password;   /* NULL: none */
} cp_redis_conf_t;

/*
 * Runs one command with `count` binary-safe arguments. *reply is NULL unless the result is CP_OK; the caller releases
 * it with freeReplyObject(). An error reply of the server (OOM, NOREPLICAS, NOPERM …) is CP_E_REDIS: nothing was done.
 * NOGROUP, BUSYGROUP and NOSCRIPT are returned as a reply of type REDIS_REPLY_ERROR for the caller to mend. When no
 * answer came, CP_E_REDIS, the command may have been executed or not.
 */
cp_code_t cp_redis_command(const cp_redis_conf_t *conf, const cp_str_t *args, size_t count, redisReply **reply);

/* The same with its arguments in the call: cp_redis(conf, &reply, CP_STR("GET"), key). */
#define cp_redis(conf, reply, ...)                                                                                     \
    cp_redis_command(conf, (cp_str_t[]) { __VA_ARGS__ },                                                               \
                     sizeof((cp_str_t[]) { __VA_ARGS__ }) / sizeof(cp_str_t), reply)

/*
 * A script, which the server keeps by its SHA-1; `script` must be a literal (its digest is cached by address). When
 * memory is out it is done whole or not at all: Redis refuses the first command that may need memory, unless the script
 * has written before, and then lets it go on to its end.
 */
cp_code_t cp_redis_script(const cp_redis_conf_t *conf, const char *script, const cp_str_t *keys, size_t key_count,
                          const cp_str_t *args, size_t arg_count, redisReply **reply);

/*
 * Where sentinels watch, waits until a replica has all that was written up to this thread's last command: it then
 * outlives the master, for Sentinel promotes, of replicas with the same priority, the one that has most. CP_E_REDIS
 * when none says so within half of the time-out: what was written stands on the master and may or may not outlive it.
 * Without sentinels CP_OK at once: there is one server, whose append-only file keeps what was answered.
 */
cp_code_t cp_redis_settled(const cp_redis_conf_t *conf);

/* `conf->prefix` followed by the parts of the name, from the arena. */
cp_str_t cp_redis_key(const cp_redis_conf_t *conf, cp_arena_t *arena, const char *kind, cp_str_t name);

/* Drops this thread's connection. */
void cp_redis_close_thread(void);

#endif
