/*
 * The worker's Redis: one pipelined connection, over which sessions are asked for.
 *
 * It is made when the worker starts. A server that does not answer in time, refuses the worker or is no master is left,
 * and tried again by and by. Nobody waits for one that hung: who asks is told so at once, until it has answered. A try
 * is the whole greeting up to a question like those to come, so that a server which is ready is one that serves.
 */
#include "ngx_http_caportal_redis.h"

#include "base/log.h"

#define STEADY       1000    /* milliseconds that make a server's return one to rely on */
#define SAY_EVERY    1000    /* between two reasons of one outage in the log */
#define TRY_EVERY    20      /* between two tries that requests ask for */
#define TOUCH_AGAIN  1000    /* between two tries to write where nothing can be written */
#define NAME_SIZE    128     /* of a key, whose prefix has at most 64 characters */

static void ngx_http_caportal_redis_failed(void *owner, const char *why);
static void ngx_http_caportal_redis_again(ngx_event_t *ev);
static void ngx_http_caportal_redis_resolved(void *data, struct sockaddr *sockaddr, socklen_t socklen);
static ngx_int_t ngx_http_caportal_redis_begin(ngx_http_caportal_redis_t *redis);


static void
ngx_http_caportal_redis_set_ready(ngx_http_caportal_redis_t *redis, ngx_uint_t ready)
{
    redis->ready = ready & 1;

    if (!ngx_exiting) {
        redis->counts->connected = ready;
    }
}


/* "HGET prefix sessions:<account> <key>" in the protocol's form, the last two to be filled in. */
static ngx_int_t
ngx_http_caportal_redis_phrase(ngx_cycle_t *cycle, ngx_http_caportal_redis_t *redis)
{
    u_char       *p;
    const char   *prefix = redis->conf->prefix;
    size_t        key = ngx_strlen(prefix) + sizeof(CP_SESSION_KIND ":") - 1 + CP_ACCOUNT_ID;

    redis->question = ngx_pnalloc(cycle->pool, key + CP_SESSION_KEY + 64);
    if (redis->question == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(redis->question, "*3\r\n$4\r\nHGET\r\n$%uz\r\n%s" CP_SESSION_KIND ":", key, prefix);
    redis->hole = (size_t) (p - redis->question);
    p = ngx_sprintf(p + CP_ACCOUNT_ID, "\r\n$%d\r\n", CP_SESSION_KEY);
    p = ngx_sprintf(p + CP_SESSION_KEY, "\r\n");
    redis->question_len = (size_t) (p - redis->question);

    return NGX_OK;
}


ngx_http_caportal_redis_t *
ngx_http_caportal_redis_create(ngx_cycle_t *cycle, const cp_redis_conf_t *conf, ngx_http_caportal_cache_t *cache,
    ngx_http_caportal_worker_counts_t *counts)
{
    ngx_http_caportal_redis_t  *redis;

    redis = ngx_pcalloc(cycle->pool, sizeof(ngx_http_caportal_redis_t));
    if (redis == NULL) {
        return NULL;
    }

    redis->conf = conf;
    redis->cache = cache;
    redis->counts = counts;
    redis->link.owner = redis;
    redis->link.failed = ngx_http_caportal_redis_failed;
    redis->link.timeout = conf->timeout_ms;
    redis->resolve.handler = ngx_http_caportal_redis_resolved;
    redis->resolve.data = redis;
    redis->again.handler = ngx_http_caportal_redis_again;
    redis->again.data = redis;
    redis->again.log = cycle->log;
    redis->again.cancelable = 1;

    if (ngx_http_caportal_redis_phrase(cycle, redis) != NGX_OK) {
        return NULL;
    }

    if (cache != NULL) {
        redis->tracking = ngx_http_caportal_tracking_create(cycle, redis);
        if (redis->tracking == NULL) {
            return NULL;
        }
    }

    if (conf->sentinel_master != NULL) {
        redis->sentinel = ngx_http_caportal_sentinel_create(cycle, redis);
        if (redis->sentinel == NULL) {
            return NULL;
        }
    }

    (void) ngx_http_caportal_redis_begin(redis);

    return redis;
}


/* Nobody waits for it from now on. The reason is said once, and another of the same outage not at every try. */
static void
ngx_http_caportal_redis_break(ngx_http_caportal_redis_t *redis, const char *why)
{
    ngx_uint_t  steady = redis->ready && ngx_current_msec - redis->since >= STEADY;

    if (!redis->broken) {
        redis->since = ngx_current_msec;
    }

    if (ngx_strcmp(redis->why, why) != 0 && (redis->why[0] == '\0' || ngx_current_msec - redis->said >= SAY_EVERY)) {
        cp_log(CP_LOG_ERROR, "redis %s; requests with a session are refused until it is back", why);
        (void) ngx_cpystrn((u_char *) redis->why, (u_char *) (uintptr_t) why, sizeof(redis->why));
        redis->said = ngx_current_msec;
    }

    ngx_http_caportal_redis_set_ready(redis, 0);
    redis->broken = 1;
    redis->hung = redis->link.expired;
    redis->delay = redis->delay == 0 || steady ? NGX_HTTP_CAPORTAL_AGAIN
                                               : ngx_min(2 * redis->delay, NGX_HTTP_CAPORTAL_AGAIN_MOST);

    redis->resolve.turn++;
    ngx_http_caportal_resolve_forget(&redis->resolve);
    ngx_add_timer(&redis->again, redis->delay);

    if (redis->sentinel != NULL) {
        ngx_http_caportal_sentinel_ask(redis->sentinel);
    }
}


static void
ngx_http_caportal_redis_end_tracking(ngx_http_caportal_redis_t *redis)
{
    if (redis->tracking != NULL) {
        ngx_http_caportal_tracking_lost(redis->tracking);
    }
}


void
ngx_http_caportal_redis_leave(ngx_http_caportal_redis_t *redis, const char *why)
{
    if (!redis->link.started) {
        return;
    }

    ngx_http_caportal_redis_end_tracking(redis);
    ngx_http_caportal_redis_break(redis, why);
    ngx_http_caportal_link_close(&redis->link);
}


static void
ngx_http_caportal_redis_unknown(ngx_http_caportal_redis_t *redis)
{
    u_char  why[NGX_HTTP_CAPORTAL_WHY];

    *ngx_snprintf(why, sizeof(why) - 1, "has no master that a sentinel names: %s",
                  ngx_http_caportal_sentinel_why(redis->sentinel)) = '\0';

    ngx_http_caportal_redis_break(redis, (char *) why);
}


static void
ngx_http_caportal_redis_failed(void *owner, const char *why)
{
    ngx_http_caportal_redis_t  *redis = owner;

    ngx_http_caportal_redis_end_tracking(redis);

    if (why == NULL) {
        ngx_http_caportal_redis_set_ready(redis, 0);
        return;
    }

    /* A server that was restarted, or closed a connection for reasons of its own, takes the next one at once. */
    if (redis->ready && !redis->link.expired) {
        ngx_http_caportal_redis_set_ready(redis, 0);
        ngx_add_timer(&redis->again, 1);
        return;
    }

    if (redis->sentinel != NULL && redis->address_len == 0) {
        ngx_http_caportal_redis_unknown(redis);
        return;
    }

    ngx_http_caportal_redis_break(redis, why);
}


static void
ngx_http_caportal_redis_again(ngx_event_t *ev)
{
    (void) ngx_http_caportal_redis_begin(ev->data);
}


static void
ngx_http_caportal_redis_use(ngx_http_caportal_redis_t *redis, struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_memcpy(&redis->address, sockaddr, socklen);
    redis->address_len = socklen;

    (void) ngx_http_caportal_link_connect(&redis->link, &redis->address.sockaddr, socklen);
}


static void
ngx_http_caportal_redis_resolved(void *data, struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_http_caportal_redis_t  *redis = data;

    if (sockaddr == NULL || socklen > sizeof(redis->address)) {
        ngx_http_caportal_redis_leave(redis, "has a host name that cannot be resolved");
        return;
    }

    ngx_http_caportal_redis_use(redis, sockaddr, socklen);
}


static void
ngx_http_caportal_redis_connect(ngx_http_caportal_redis_t *redis)
{
    struct sockaddr_un      local;
    const cp_redis_conf_t  *conf = redis->conf;

    if (conf->socket != NULL) {
        ngx_memzero(&local, sizeof(local));
        local.sun_family = AF_UNIX;
        (void) ngx_cpystrn((u_char *) local.sun_path, (u_char *) (uintptr_t) conf->socket, sizeof(local.sun_path));
        ngx_http_caportal_redis_use(redis, (struct sockaddr *) &local, sizeof(local));

    } else if (redis->sentinel == NULL) {
        ngx_http_caportal_resolve(&redis->resolve, conf->host, conf->port);

    } else if (redis->address_len != 0) {
        (void) ngx_http_caportal_link_connect(&redis->link, &redis->address.sockaddr, redis->address_len);

    } else {
        ngx_http_caportal_sentinel_ask(redis->sentinel);
    }
}


void
ngx_http_caportal_redis_moved(ngx_http_caportal_redis_t *redis, struct sockaddr *sockaddr, socklen_t socklen)
{
    if (ngx_cmp_sockaddr(sockaddr, socklen, &redis->address.sockaddr, redis->address_len, 1) == NGX_OK
        || socklen > sizeof(redis->address))
    {
        return;
    }

    /* Who waits for an answer of the old master is refused: nobody knows any more whether it would be true. */
    if (redis->link.connection != NULL) {
        ngx_http_caportal_redis_set_ready(redis, 0);
        ngx_http_caportal_redis_end_tracking(redis);
        ngx_http_caportal_link_close(&redis->link);
    }

    ngx_memcpy(&redis->address, sockaddr, socklen);
    redis->address_len = socklen;

    if (redis->link.started) {
        ngx_http_caportal_redis_connect(redis);
    } else {
        (void) ngx_http_caportal_redis_begin(redis);
    }
}


static void
ngx_http_caportal_redis_greeted(void *data, const redisReply *reply)
{
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        ngx_http_caportal_redis_leave(data, reply->str);
    }
}


/* What a replica says may be old, and what it is told is lost. */
void
ngx_http_caportal_redis_role(void *data, const redisReply *reply)
{
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        ngx_http_caportal_redis_greeted(data, reply);
        return;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0 || reply->element[0]->type != REDIS_REPLY_STRING
        || ngx_strcmp(reply->element[0]->str, "master") != 0)
    {
        ngx_http_caportal_redis_leave(data, "is not a master");
    }
}


static void
ngx_http_caportal_redis_answered(void *data, const redisReply *reply)
{
    ngx_http_caportal_redis_t  *redis = data;

    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        ngx_http_caportal_redis_greeted(data, reply);
        return;
    }

    if (redis->why[0] != '\0') {
        cp_log(CP_LOG_NOTICE, "redis is back after %lu ms", (unsigned long) (ngx_current_msec - redis->since));
        redis->why[0] = '\0';
    }

    ngx_http_caportal_redis_set_ready(redis, 1);
    redis->broken = 0;
    redis->since = ngx_current_msec;

    if (redis->tracking != NULL) {
        ngx_http_caportal_tracking_begin(redis->tracking);
    }
}


ngx_int_t
ngx_http_caportal_redis_greet(ngx_http_caportal_link_t *link, const char *user, const char *password,
    ngx_http_caportal_reply_pt handler, void *data)
{
    cp_str_t  words[3] = { CP_STR("AUTH") };
    size_t    count = 1;

    if (password == NULL) {
        return NGX_OK;
    }

    if (user != NULL) {
        words[count++] = cp_str(user);
    }
    words[count++] = cp_str(password);

    return ngx_http_caportal_link_send(link, words, count, handler, data) != 0 ? NGX_OK : NGX_ERROR;
}


static uint64_t
ngx_http_caportal_redis_question(ngx_http_caportal_redis_t *redis, const void *account_id, const void *key,
    ngx_http_caportal_reply_pt handler, void *data)
{
    u_char  *hole = redis->question + redis->hole;

    ngx_memcpy(hole, account_id, CP_ACCOUNT_ID);
    ngx_memcpy(redis->question + redis->question_len - sizeof(CRLF) + 1 - CP_SESSION_KEY, key, CP_SESSION_KEY);

    return ngx_http_caportal_link_send_raw(&redis->link, cp_str_n(redis->question, redis->question_len), handler, data);
}


/* All of the greeting is sent at once; the first answer that is not as it should be ends it. */
static ngx_int_t
ngx_http_caportal_redis_hello(ngx_http_caportal_redis_t *redis)
{
    u_char                     number[NGX_INT64_LEN + 1], nobody[CP_SESSION_KEY];
    cp_str_t                   role[] = { CP_STR("ROLE") }, database[] = { CP_STR("SELECT"), CP_STR_NULL };
    const cp_redis_conf_t     *conf = redis->conf;
    ngx_http_caportal_link_t  *link = &redis->link;

    ngx_memset(nobody, '-', sizeof(nobody));
    database[1] = cp_str_n(number, (size_t) (ngx_sprintf(number, "%d", conf->database) - number));

    if (ngx_http_caportal_redis_greet(link, conf->user, conf->password, ngx_http_caportal_redis_greeted, redis)
        != NGX_OK
        || (conf->database != 0
            && ngx_http_caportal_link_send(link, database, 2, ngx_http_caportal_redis_greeted, redis) == 0)
        || ngx_http_caportal_link_send(link, role, 1, ngx_http_caportal_redis_role, redis) == 0
        || ngx_http_caportal_redis_question(redis, nobody, nobody, ngx_http_caportal_redis_answered, redis) == 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Begins a try; NGX_ERROR when it has failed already. */
static ngx_int_t
ngx_http_caportal_redis_begin(ngx_http_caportal_redis_t *redis)
{
    if (redis->link.started) {
        return NGX_OK;
    }

    /* Asked by a request that has just been told of the end of the last one. */
    if (redis->link.failing) {
        return NGX_ERROR;
    }

    if (redis->again.timer_set) {
        ngx_del_timer(&redis->again);
    }

    redis->tried = ngx_current_msec;

    if (ngx_http_caportal_link_start(&redis->link) != NGX_OK) {
        ngx_http_caportal_redis_break(redis, "cannot be asked for lack of memory");
        return NGX_ERROR;
    }

    if (ngx_http_caportal_redis_hello(redis) != NGX_OK) {
        ngx_http_caportal_redis_leave(redis, "cannot be asked for lack of memory");
        return NGX_ERROR;
    }

    ngx_http_caportal_redis_connect(redis);

    return redis->link.started ? NGX_OK : NGX_ERROR;
}


/*
 * Whether a request may wait for it. One that hung has to come back first. Whether one that was not there, or refused
 * the worker, is back is known in no time, so a request may try: if need be, the next one soon.
 */
static ngx_uint_t
ngx_http_caportal_redis_worth(ngx_http_caportal_redis_t *redis)
{
    if (!redis->broken) {
        return 1;
    }

    return !redis->hung && (redis->link.started || ngx_current_msec - redis->tried >= TRY_EVERY);
}


uint64_t
ngx_http_caportal_redis_ask(ngx_http_caportal_redis_t *redis, cp_str_t account_id, const unsigned char *key,
    ngx_http_caportal_reply_pt handler, void *data)
{
    uint64_t  number = 0;

    if (ngx_http_caportal_redis_worth(redis) && ngx_http_caportal_redis_begin(redis) == NGX_OK) {
        number = ngx_http_caportal_redis_question(redis, account_id.data, key, handler, data);
    }

    if (number == 0) {
        ngx_http_caportal_count_one(redis->counts->refused);
    }

    return number;
}


void
ngx_http_caportal_redis_refused(ngx_http_caportal_redis_t *redis, const redisReply *reply)
{
    ngx_http_caportal_redis_leave(redis, reply->str);
}


void
ngx_http_caportal_redis_forget(ngx_http_caportal_redis_t *redis, uint64_t number)
{
    ngx_http_caportal_link_forget(&redis->link, number);
}


ngx_http_caportal_found_e
ngx_http_caportal_redis_found(const redisReply *reply, cp_str_t *record)
{
    *record = CP_STR_NULL;

    if (reply == NULL) {
        return NGX_HTTP_CAPORTAL_FOUND_LOST;
    }

    if (reply->type == REDIS_REPLY_STRING) {
        *record = cp_str_n(reply->str, (size_t) reply->len);
        return NGX_HTTP_CAPORTAL_FOUND;
    }

    if (reply->type == REDIS_REPLY_NIL) {
        return NGX_HTTP_CAPORTAL_FOUND_NONE;
    }

    /* A key that somebody else uses for something else says nothing of the server. */
    return reply->type == REDIS_REPLY_ERROR && ngx_strncmp(reply->str, "WRONGTYPE", 9) != 0
           ? NGX_HTTP_CAPORTAL_FOUND_ERROR : NGX_HTTP_CAPORTAL_FOUND_LOST;
}


/* OOM and the like: sessions are found but not prolonged. */
static void
ngx_http_caportal_redis_touched(void *data, const redisReply *reply)
{
    ngx_http_caportal_redis_t  *redis = data;

    if (reply == NULL) {
        return;
    }

    if (reply->type != REDIS_REPLY_ERROR) {
        if (redis->unwritable) {
            cp_log(CP_LOG_NOTICE, "redis prolongs sessions again");
        }
        redis->unwritable = 0;
        return;
    }

    if (ngx_strncmp(reply->str, "READONLY", 8) == 0) {
        ngx_http_caportal_redis_leave(redis, "is not a master any more");
        return;
    }

    if (!redis->unwritable) {
        cp_log(CP_LOG_ERROR, "redis does not prolong sessions: %s", reply->str);
    }
    redis->unwritable = 1;
}


ngx_int_t
ngx_http_caportal_redis_touch(ngx_http_caportal_redis_t *redis, cp_str_t account_id, cp_str_t key,
    cp_str_t old, cp_str_t record, int64_t ttl_ms)
{
    u_char    name[NAME_SIZE], ttl[NGX_INT64_LEN];
    cp_str_t  words[8] = { CP_STR("EVAL"), cp_str(cp_session_renew_script), CP_STR("1"), CP_STR_NULL, key, old, record,
                           CP_STR_NULL };

    if (!redis->ready || (redis->unwritable && ngx_current_msec - redis->touched < TOUCH_AGAIN)) {
        return NGX_DECLINED;
    }

    redis->touched = ngx_current_msec;

    words[3] = cp_str_n(name, (size_t) (ngx_snprintf(name, sizeof(name), "%s" CP_SESSION_KIND ":%*s",
                                                     redis->conf->prefix, account_id.len, account_id.data) - name));
    words[7] = cp_str_n(ttl, (size_t) (ngx_sprintf(ttl, "%L", ttl_ms) - ttl));

    return ngx_http_caportal_link_send(&redis->link, words, 8, ngx_http_caportal_redis_touched, redis) != 0
           ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_caportal_redis_close(ngx_http_caportal_redis_t *redis)
{
    if (redis == NULL) {
        return;
    }

    ngx_http_caportal_resolve_forget(&redis->resolve);
    ngx_http_caportal_sentinel_free(redis->sentinel);
    ngx_http_caportal_tracking_free(redis->tracking);
    ngx_http_caportal_link_free(&redis->link);
}
