/*
 * The worker's one Redis connection, asynchronous and pipelined: hiredis drives the protocol, the event loop its
 * descriptor. The descriptor belongs to the ngx_connection_t: hiredis must never close it, or it could close one that
 * a pool thread opened in between.
 */
#include "ngx_http_caportal.h"

#include <hiredis/async.h>

struct ngx_http_caportal_redis_s {
    const cp_redis_conf_t  *conf;
    redisAsyncContext      *context;       /* NULL: not connected */
    ngx_connection_t       *connection;
    ngx_uint_t              waiting;       /* commands without an answer */
};

struct ngx_http_caportal_get_s {
    ngx_http_caportal_redis_t   *redis;
    ngx_http_caportal_redis_pt   handler;    /* NULL: the asker is gone */
    void                        *data;
};

static void ngx_http_caportal_redis_read(ngx_event_t *ev);
static void ngx_http_caportal_redis_write(ngx_event_t *ev);


ngx_http_caportal_redis_t *
ngx_http_caportal_redis_create(ngx_cycle_t *cycle, const cp_redis_conf_t *conf)
{
    ngx_http_caportal_redis_t  *redis;

    redis = ngx_pcalloc(cycle->pool, sizeof(ngx_http_caportal_redis_t));
    if (redis != NULL) {
        redis->conf = conf;
    }

    return redis;
}


/* Level-triggered on purpose: hiredis reads 16 KB a call and would stall on the rest of a longer answer. */
static void
ngx_http_caportal_redis_add_read(void *data)
{
    ngx_connection_t  *c = ((ngx_http_caportal_redis_t *) data)->connection;

    if (!c->read->active) {
        (void) ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT);
    }
}


static void
ngx_http_caportal_redis_del_read(void *data)
{
    ngx_connection_t  *c = ((ngx_http_caportal_redis_t *) data)->connection;

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }
}


static void
ngx_http_caportal_redis_add_write(void *data)
{
    ngx_connection_t  *c = ((ngx_http_caportal_redis_t *) data)->connection;

    if (!c->write->active) {
        (void) ngx_add_event(c->write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
    }
}


static void
ngx_http_caportal_redis_del_write(void *data)
{
    ngx_connection_t  *c = ((ngx_http_caportal_redis_t *) data)->connection;

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
    }
}


/* hiredis is about to free the context: the descriptor is closed here, and nowhere else. */
static void
ngx_http_caportal_redis_cleanup(void *data)
{
    ngx_http_caportal_redis_t  *redis = data;

    if (redis->connection != NULL) {
        ngx_close_connection(redis->connection);
        redis->connection = NULL;
    }

    redis->context->c.fd = -1;
    redis->context = NULL;
}


/* A connection that was refused is not kept: the next one may be let in. hiredis frees it after this callback. */
static void
ngx_http_caportal_redis_greeted(redisAsyncContext *context, void *answer, void *data)
{
    redisReply  *reply = answer;

    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "caportal: redis refused the worker: %s", reply->str);
        redisAsyncFree(context);
    }
}


static ngx_int_t
ngx_http_caportal_redis_greet(ngx_http_caportal_redis_t *redis)
{
    const cp_redis_conf_t  *conf = redis->conf;
    ngx_int_t               rc = REDIS_OK;

    if (conf->password != NULL) {
        rc = conf->user != NULL
             ? redisAsyncCommand(redis->context, ngx_http_caportal_redis_greeted, NULL, "AUTH %s %s", conf->user,
                                 conf->password)
             : redisAsyncCommand(redis->context, ngx_http_caportal_redis_greeted, NULL, "AUTH %s", conf->password);
    }

    if (rc == REDIS_OK && conf->database != 0) {
        rc = redisAsyncCommand(redis->context, ngx_http_caportal_redis_greeted, NULL, "SELECT %d", conf->database);
    }

    return rc == REDIS_OK ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_caportal_redis_attach(ngx_http_caportal_redis_t *redis, redisAsyncContext *context)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(context->c.fd, ngx_cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = redis;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_caportal_redis_read;
    c->write->handler = ngx_http_caportal_redis_write;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    redis->connection = c;
    redis->context = context;

    context->ev.data = redis;
    context->ev.addRead = ngx_http_caportal_redis_add_read;
    context->ev.delRead = ngx_http_caportal_redis_del_read;
    context->ev.addWrite = ngx_http_caportal_redis_add_write;
    context->ev.delWrite = ngx_http_caportal_redis_del_write;
    context->ev.cleanup = ngx_http_caportal_redis_cleanup;

    return NGX_OK;
}


static ngx_int_t
ngx_http_caportal_redis_connect(ngx_http_caportal_redis_t *redis)
{
    redisAsyncContext  *context;

    if (redis->context != NULL) {
        return NGX_OK;
    }

    context = redis->conf->socket != NULL ? redisAsyncConnectUnix(redis->conf->socket)
                                          : redisAsyncConnect(redis->conf->host, redis->conf->port);

    if (context == NULL || context->err != 0 || ngx_http_caportal_redis_attach(redis, context) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "caportal: redis unreachable: %s",
                      context == NULL ? "out of memory" : context->errstr);
        if (context != NULL) {
            redisAsyncFree(context);
        }
        return NGX_ERROR;
    }

    if (ngx_http_caportal_redis_greet(redis) != NGX_OK) {
        ngx_http_caportal_redis_drop(redis);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* An idle connection is one that the server may close at a graceful exit. */
static void
ngx_http_caportal_redis_idle(ngx_http_caportal_redis_t *redis)
{
    if (redis->connection != NULL) {
        redis->connection->idle = redis->waiting == 0;
    }
}


static void
ngx_http_caportal_redis_read(ngx_event_t *ev)
{
    ngx_connection_t           *c = ev->data;
    ngx_http_caportal_redis_t  *redis = c->data;

    if (c->close) {
        ngx_http_caportal_redis_drop(redis);
        return;
    }

    /* Neither the context nor the connection need exist afterwards. */
    redisAsyncHandleRead(redis->context);

    ngx_http_caportal_redis_idle(redis);
}


static void
ngx_http_caportal_redis_write(ngx_event_t *ev)
{
    ngx_connection_t           *c = ev->data;
    ngx_http_caportal_redis_t  *redis = c->data;

    redisAsyncHandleWrite(redis->context);
}


static void
ngx_http_caportal_redis_got(redisAsyncContext *context, void *answer, void *data)
{
    redisReply               *reply = answer;
    ngx_http_caportal_get_t  *get = data;

    get->redis->waiting--;

    if (get->handler != NULL) {
        if (reply != NULL && reply->type == REDIS_REPLY_STRING) {
            get->handler(get->data, cp_str_n(reply->str, (size_t) reply->len), 1, 0);
        } else {
            get->handler(get->data, CP_STR_NULL, 0, reply == NULL || reply->type != REDIS_REPLY_NIL);
        }
    }

    ngx_free(get);
}


/* "prefix kind : name" into a buffer of at least CP_REDIS_KEY_SIZE bytes; its length. */
#define NGX_HTTP_CAPORTAL_KEY_SIZE  256

static size_t
ngx_http_caportal_redis_key(ngx_http_caportal_redis_t *redis, u_char *buf, const char *kind, cp_str_t name)
{
    return (size_t) (ngx_snprintf(buf, NGX_HTTP_CAPORTAL_KEY_SIZE, "%s%s:%*s", redis->conf->prefix, kind, name.len,
                                  name.data) - buf);
}


ngx_http_caportal_get_t *
ngx_http_caportal_redis_get(ngx_http_caportal_redis_t *redis, const char *kind, cp_str_t name,
    cp_str_t field, ngx_http_caportal_redis_pt handler, void *data)
{
    u_char                    key[NGX_HTTP_CAPORTAL_KEY_SIZE];
    const char               *argv[3] = { "HGET", (const char *) key, field.data };
    size_t                    lengths[3] = { 4, 0, field.len };
    ngx_http_caportal_get_t  *get;

    if (ngx_http_caportal_redis_connect(redis) != NGX_OK) {
        return NULL;
    }

    get = ngx_alloc(sizeof(ngx_http_caportal_get_t), ngx_cycle->log);
    if (get == NULL) {
        return NULL;
    }

    get->redis = redis;
    get->handler = handler;
    get->data = data;

    lengths[1] = ngx_http_caportal_redis_key(redis, key, kind, name);

    if (redisAsyncCommandArgv(redis->context, ngx_http_caportal_redis_got, get, 3, argv, lengths) != REDIS_OK) {
        ngx_free(get);
        return NULL;
    }

    redis->waiting++;
    ngx_http_caportal_redis_idle(redis);

    return get;
}


void
ngx_http_caportal_redis_forget(ngx_http_caportal_get_t *get)
{
    get->handler = NULL;
}


void
ngx_http_caportal_redis_touch(ngx_http_caportal_redis_t *redis, const char *kind, cp_str_t name, cp_str_t field,
    cp_str_t record, int64_t ttl_ms)
{
    u_char       key[NGX_HTTP_CAPORTAL_KEY_SIZE], ttl[NGX_INT64_LEN];
    const char  *argv[7] = { "EVAL", cp_session_touch_script, "1", (const char *) key, field.data, record.data,
                             (const char *) ttl };
    size_t       lengths[7] = { 4, ngx_strlen(cp_session_touch_script), 1, 0, field.len, record.len, 0 };

    if (redis->context == NULL) {
        return;
    }

    lengths[3] = ngx_http_caportal_redis_key(redis, key, kind, name);
    lengths[6] = (size_t) (ngx_sprintf(ttl, "%L", ttl_ms) - ttl);

    (void) redisAsyncCommandArgv(redis->context, NULL, NULL, 7, argv, lengths);
}


void
ngx_http_caportal_redis_drop(ngx_http_caportal_redis_t *redis)
{
    if (redis->context != NULL) {
        redisAsyncFree(redis->context);
    }
}


void
ngx_http_caportal_redis_close(ngx_http_caportal_redis_t *redis)
{
    if (redis != NULL) {
        ngx_http_caportal_redis_drop(redis);
    }
}
