/*
 * The blocking Redis connection of a pool thread or a program: one a thread, made at first use.
 * (The event loop has an asynchronous connection of its own.) Every call that fails returns CP_E_REDIS and drops the
 * connection, so that the next one starts afresh.
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
 * it with freeReplyObject(). An error reply of the server (OOM, READONLY, NOAUTH …) is CP_E_REDIS too, but keeps the
 * connection; NOGROUP and NOSCRIPT are returned as a reply of type REDIS_REPLY_ERROR for the caller to mend.
 */
cp_code_t cp_redis_command(const cp_redis_conf_t *conf, const cp_str_t *args, size_t count, redisReply **reply);

/* The same with its arguments in the call: cp_redis(conf, &reply, CP_STR("GET"), key). */
#define cp_redis(conf, reply, ...)                                                                                     \
    cp_redis_command(conf, (cp_str_t[]) { __VA_ARGS__ },                                                               \
                     sizeof((cp_str_t[]) { __VA_ARGS__ }) / sizeof(cp_str_t), reply)

/* A script kept by its SHA-1 on the server; `script` must be a literal (its digest is cached by address). */
cp_code_t cp_redis_script(const cp_redis_conf_t *conf, const char *script, const cp_str_t *keys, size_t key_count,
                          const cp_str_t *args, size_t arg_count, redisReply **reply);

/* For a command that waits on the server: the time-out of the connection for the next commands. */
cp_code_t cp_redis_timeout(const cp_redis_conf_t *conf, unsigned timeout_ms);

/* `conf->prefix` followed by the parts of the name, from the arena. */
cp_str_t cp_redis_key(const cp_redis_conf_t *conf, cp_arena_t *arena, const char *kind, cp_str_t name);

/* Drops this thread's connection. */
void cp_redis_close_thread(void);

#endif
