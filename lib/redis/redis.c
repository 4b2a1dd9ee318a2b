#include "redis.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/thread.h"

#define MAX_ARGS  264    /* the signer acknowledges a whole batch at once */

typedef struct {
    const cp_redis_conf_t *conf;
    redisContext          *context;
} connection_t;

static pthread_key_t  thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;


static void
drop(connection_t *connection)
{
    if (connection->context != NULL) {
        redisFree(connection->context);
        connection->context = NULL;
    }
}


static void
thread_end(void *data)
{
    connection_t *connection = data;

    drop(connection);
    free(connection);
    cp_thread_gave();
}


static void
thread_key_create(void)
{
    pthread_key_create(&thread_key, thread_end);
}


static connection_t *
this_thread(const cp_redis_conf_t *conf)
{
    connection_t *connection;

    pthread_once(&thread_once, thread_key_create);

    connection = pthread_getspecific(thread_key);
    if (connection == NULL) {
        connection = calloc(1, sizeof(connection_t));
        if (connection == NULL || pthread_setspecific(thread_key, connection) != 0) {
            free(connection);
            return NULL;
        }
        cp_thread_took();
    }

    if (connection->conf != conf) {
        drop(connection);
        connection->conf = conf;
    }

    return connection;
}


/* Runs a command that must answer with anything but an error. */
static bool
greets(redisContext *context, const char *format, const char *first, const char *second)
{
    redisReply *reply;
    bool        good;

    reply = redisCommand(context, format, first, second);
    good = reply != NULL && reply->type != REDIS_REPLY_ERROR;
    freeReplyObject(reply);

    return good;
}


static bool
authenticate(redisContext *context, const cp_redis_conf_t *conf)
{
    char database[16];

    if (conf->password != NULL
        && !(conf->user != NULL ? greets(context, "AUTH %s %s", conf->user, conf->password)
                                : greets(context, "AUTH %s", conf->password, NULL)))
    {
        return false;
    }

    if (conf->database != 0) {
        snprintf(database, sizeof(database), "%d", conf->database);
        return greets(context, "SELECT %s", database, NULL);
    }

    return true;
}


static cp_code_t
connect_now(connection_t *connection)
{
    const cp_redis_conf_t *conf = connection->conf;
    struct timeval         limit = { conf->timeout_ms / 1000, (suseconds_t) (conf->timeout_ms % 1000) * 1000 };
    redisContext          *context;

    context = conf->socket != NULL ? redisConnectUnixWithTimeout(conf->socket, limit)
                                   : redisConnectWithTimeout(conf->host, conf->port, limit);

    if (context == NULL || context->err != 0 || redisSetTimeout(context, limit) != REDIS_OK
        || !authenticate(context, conf))
    {
        cp_log(CP_LOG_ERROR, "redis unreachable: %s",
               context == NULL ? "out of memory" : context->err ? context->errstr : "authentication failed");
        if (context != NULL) {
            redisFree(context);
        }
        return CP_E_REDIS;
    }

    connection->context = context;
    return CP_OK;
}


static bool
is_for_caller(const redisReply *reply)
{
    return strncmp(reply->str, "NOGROUP", 7) == 0 || strncmp(reply->str, "NOSCRIPT", 8) == 0
           || strncmp(reply->str, "BUSYGROUP", 9) == 0;
}


/* By the end of the stream, or by what writing to it says. */
static bool
was_closed(const redisContext *context, int error)
{
    return context->err == REDIS_ERR_EOF
           || (context->err == REDIS_ERR_IO && (error == EPIPE || error == ECONNRESET));
}


cp_code_t
cp_redis_command(const cp_redis_conf_t *conf, const cp_str_t *args, size_t count, redisReply **reply)
{
    const char   *argv[MAX_ARGS];
    size_t        lengths[MAX_ARGS], i;
    connection_t *connection;
    bool          fresh;

    *reply = NULL;

    connection = this_thread(conf);
    if (connection == NULL || count > MAX_ARGS) {
        return connection == NULL ? CP_E_NO_MEMORY : CP_E_INTERNAL;
    }

    for (i = 0; i < count; i++) {
        argv[i] = args[i].data == NULL ? "" : args[i].data;
        lengths[i] = args[i].len;
    }

again:

    fresh = connection->context == NULL;
    if (fresh) {
        CP_TRY(connect_now(connection));
    }

    *reply = redisCommandArgv(connection->context, (int) count, argv, lengths);

    if (*reply == NULL) {
        /* A kept connection that the server closed while it was idle: nothing was executed, so once more. */
        bool closed = !fresh && was_closed(connection->context, errno);

        drop(connection);
        if (closed) {
            goto again;
        }
        cp_log(CP_LOG_ERROR, "redis does not answer");
        return CP_E_REDIS;
    }

    if ((*reply)->type == REDIS_REPLY_ERROR && !is_for_caller(*reply)) {
        cp_log(CP_LOG_ERROR, "redis refused a command: %.64s", (*reply)->str);
        freeReplyObject(*reply);
        *reply = NULL;
        return CP_E_REDIS;
    }

    return CP_OK;
}


/* EVALSHA first; EVAL, which also stores the script, where the server does not know it (restart, failover, flush). */
cp_code_t
cp_redis_script(const cp_redis_conf_t *conf, const char *script, const cp_str_t *keys, size_t key_count,
                const cp_str_t *args, size_t arg_count, redisReply **reply)
{
    static __thread const char *known;
    static __thread char        sha[41];

    cp_str_t  list[MAX_ARGS];
    char      number[4];
    size_t    n = 0, i;
    cp_code_t code;

    if (key_count + arg_count + 3 > MAX_ARGS) {
        return CP_E_INTERNAL;
    }

    if (known != script) {
        CP_TRY(cp_redis(conf, reply, CP_STR("SCRIPT"), CP_STR("LOAD"), cp_str(script)));
        snprintf(sha, sizeof(sha), "%s", (*reply)->str);
        freeReplyObject(*reply);
        known = script;
    }

    snprintf(number, sizeof(number), "%zu", key_count);

    list[n++] = CP_STR("EVALSHA");
    list[n++] = cp_str(sha);
    list[n++] = cp_str(number);
    for (i = 0; i < key_count; i++) {
        list[n++] = keys[i];
    }
    for (i = 0; i < arg_count; i++) {
        list[n++] = args[i];
    }

    code = cp_redis_command(conf, list, n, reply);

    if (code == CP_OK && (*reply)->type == REDIS_REPLY_ERROR) {
        freeReplyObject(*reply);
        list[0] = CP_STR("EVAL");
        list[1] = cp_str(script);
        code = cp_redis_command(conf, list, n, reply);
    }

    return code;
}


cp_code_t
cp_redis_timeout(const cp_redis_conf_t *conf, unsigned timeout_ms)
{
    struct timeval limit = { timeout_ms / 1000, (suseconds_t) (timeout_ms % 1000) * 1000 };
    connection_t  *connection;

    connection = this_thread(conf);
    if (connection == NULL) {
        return CP_E_NO_MEMORY;
    }
    if (connection->context == NULL) {
        CP_TRY(connect_now(connection));
    }

    return redisSetTimeout(connection->context, limit) == REDIS_OK ? CP_OK : CP_E_REDIS;
}


cp_str_t
cp_redis_key(const cp_redis_conf_t *conf, cp_arena_t *arena, const char *kind, cp_str_t name)
{
    return cp_str_printf(arena, "%s%s:%.*s", conf->prefix, kind, (int) name.len, name.data == NULL ? "" : name.data);
}


void
cp_redis_close_thread(void)
{
    connection_t *connection;

    pthread_once(&thread_once, thread_key_create);

    connection = pthread_getspecific(thread_key);
    if (connection != NULL) {
        pthread_setspecific(thread_key, NULL);
        thread_end(connection);
    }
}
