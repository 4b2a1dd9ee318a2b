/* Commands and scripts over the thread's connection, and what becomes of the answers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "redis/redis_internal.h"

#define MAX_ARGS  264    /* the signer acknowledges a whole batch at once */

/* What an error reply means. */
typedef enum {
    REFUSED,        /* this command, now: OOM, NOREPLICAS, MISCONF, NOPERM, WRONGTYPE … */
    FOR_CALLER,
    MOVED           /* not this server, or not for this connection: nothing was executed */
} refusal_t;

static const struct {
    const char *begin;
    refusal_t   refusal;
} refusals[] = {
    { "NOSCRIPT ",   FOR_CALLER },
    { "NOGROUP ",    FOR_CALLER },
    { "BUSYGROUP ",  FOR_CALLER },
    { "READONLY ",   MOVED },
    { "MASTERDOWN ", MOVED },
    { "LOADING ",    MOVED },
    { "NOAUTH ",     MOVED },
    { "UNBLOCKED ",  MOVED },
};


static refusal_t
refusal_of(const redisReply *reply)
{
    size_t i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strncmp(reply->str, refusals[i].begin, strlen(refusals[i].begin)) == 0) {
            return refusals[i].refusal;
        }
    }

    return REFUSED;
}


/* What a server that answers says to a command; false when it is not this one that should be asked. */
static bool
judge(cp_redis_connection_t *connection, redisReply **reply, cp_code_t *code)
{
    refusal_t refusal = (*reply)->type == REDIS_REPLY_ERROR ? refusal_of(*reply) : FOR_CALLER;

    *code = refusal == FOR_CALLER ? CP_OK : CP_E_REDIS;

    if (refusal == FOR_CALLER) {
        cp_redis_accepted(connection->server);
        return true;
    }

    if (refusal == REFUSED) {
        cp_redis_refused(connection->server, (*reply)->str);
    } else {
        cp_redis_context_fault(connection, connection->context, *reply);
        cp_redis_drop(connection);
    }

    freeReplyObject(*reply);
    *reply = NULL;

    return refusal == REFUSED;
}


/*
 * One command over a connection that is open or is opened now; false with the fault. What a kept connection is told by
 * a server that is not the right one any more was not executed: it is tried once more where it belongs. A command
 * without an answer is not: it may have been executed.
 */
static bool
ask(cp_redis_connection_t *connection, unsigned generation, size_t count, const char **argv, const size_t *lengths,
    redisReply **reply, cp_code_t *code)
{
    bool kept;

    *code = CP_E_REDIS;

    do {
        kept = cp_redis_is_open(connection, generation);
        if (!kept && !cp_redis_open(connection, generation)) {
            return false;
        }

        *reply = redisCommandArgv(connection->context, (int) count, argv, lengths);

        if (*reply == NULL) {
            cp_redis_context_fault(connection, connection->context, NULL);
            cp_redis_drop(connection);
            return false;
        }

        if (judge(connection, reply, code)) {
            return true;
        }
    } while (kept);

    return false;
}


cp_code_t
cp_redis_command(const cp_redis_conf_t *conf, const cp_str_t *args, size_t count, redisReply **reply)
{
    const char            *argv[MAX_ARGS];
    size_t                 lengths[MAX_ARGS], i;
    cp_redis_connection_t *connection;
    cp_redis_pass_t        pass;
    cp_code_t              code;
    bool                   answered;

    *reply = NULL;

    connection = cp_redis_connection(conf);
    if (connection == NULL || count > MAX_ARGS) {
        return connection == NULL ? CP_E_NO_MEMORY : CP_E_INTERNAL;
    }

    for (i = 0; i < count; i++) {
        argv[i] = args[i].data == NULL ? "" : args[i].data;
        lengths[i] = args[i].len;
    }

    if (!cp_redis_enter(connection->server, &pass)) {
        return CP_E_REDIS;
    }

    answered = ask(connection, pass.generation, count, argv, lengths, reply, &code);
    cp_redis_leave(connection->server, &pass, answered ? NULL : connection->fault);

    return code;
}


/* The SHA-1 by which the server knows a script. Computed once a thread, as long as there are few of them. */
static const char *
sha_of(cp_redis_connection_t *connection, const char *script)
{
    cp_redis_known_t *known;
    unsigned char     digest[SHA_DIGEST_LENGTH];
    size_t            i;

    for (i = 0; i < CP_REDIS_SCRIPTS && i < connection->script_count; i++) {
        if (connection->scripts[i].text == script) {
            return connection->scripts[i].sha;
        }
    }

    known = &connection->scripts[connection->script_count++ % CP_REDIS_SCRIPTS];
    known->text = script;
    SHA1((const unsigned char *) script, strlen(script), digest);
    for (i = 0; i < SHA_DIGEST_LENGTH; i++) {
        snprintf(known->sha + 2 * i, 3, "%02x", digest[i]);
    }

    return known->sha;
}


/* EVALSHA first; EVAL, which also stores the script, where the server does not know it (restart, failover, flush). */
cp_code_t
cp_redis_script(const cp_redis_conf_t *conf, const char *script, const cp_str_t *keys, size_t key_count,
                const cp_str_t *args, size_t arg_count, redisReply **reply)
{
    cp_redis_connection_t *connection = cp_redis_connection(conf);
    cp_str_t               list[MAX_ARGS];
    char                   number[4];
    size_t                 n = 0, i;

    *reply = NULL;

    if (connection == NULL || key_count + arg_count + 3 > MAX_ARGS) {
        return connection == NULL ? CP_E_NO_MEMORY : CP_E_INTERNAL;
    }

    snprintf(number, sizeof(number), "%zu", key_count);

    list[n++] = CP_STR("EVALSHA");
    list[n++] = cp_str(sha_of(connection, script));
    list[n++] = cp_str(number);
    for (i = 0; i < key_count; i++) {
        list[n++] = keys[i];
    }
    for (i = 0; i < arg_count; i++) {
        list[n++] = args[i];
    }

    CP_TRY(cp_redis_command(conf, list, n, reply));

    if ((*reply)->type != REDIS_REPLY_ERROR) {
        return CP_OK;
    }

    freeReplyObject(*reply);
    list[0] = CP_STR("EVAL");
    list[1] = cp_str(script);

    return cp_redis_command(conf, list, n, reply);
}


/* A new connection has written nothing, and the server would call that settled. */
cp_code_t
cp_redis_settled(const cp_redis_conf_t *conf)
{
    cp_redis_connection_t *connection = cp_redis_connection(conf);
    char                   wait_ms[16];
    unsigned long          opened;
    redisReply            *reply;
    cp_code_t              code;

    if (conf->sentinel_master == NULL) {
        return CP_OK;
    }
    if (connection == NULL) {
        return CP_E_NO_MEMORY;
    }

    opened = connection->opened;
    snprintf(wait_ms, sizeof(wait_ms), "%u", conf->timeout_ms / 2);
    CP_TRY(cp_redis(conf, &reply, CP_STR("WAIT"), CP_STR("1"), cp_str(wait_ms)));

    code = connection->opened == opened && reply->type == REDIS_REPLY_INTEGER && reply->integer >= 1 ? CP_OK
                                                                                                     : CP_E_REDIS;
    freeReplyObject(reply);

    return code;
}


cp_str_t
cp_redis_key(const cp_redis_conf_t *conf, cp_arena_t *arena, const char *kind, cp_str_t name)
{
    return cp_str_printf(arena, "%s%s:%.*s", conf->prefix, kind, (int) name.len, name.data == NULL ? "" : name.data);
}
