/*
 * Which server is the master, as the Sentinels say: each is asked several times a second, over a connection that is
 * kept. Asking finds the first master as well as the next, needs no Sentinel in particular to be there, and misses
 * nothing, as a subscription would while it is made anew.
 *
 * The master is whom most of those name that answer. During a failover they learn of it one after the other, within a
 * fraction of a second; when they stand equal, who has changed its answer last knows more. A Sentinel that is cut off
 * from the others goes on naming the old master, but does not change its answer and is alone with it. Whoever is named
 * must say itself that it is a master before it is used.
 */
#include "ngx_http_caportal_redis.h"

#include "base/log.h"

#define ASK_EVERY  300    /* milliseconds */

typedef struct {
    ngx_http_caportal_sentinel_t  *sentinel;
    ngx_http_caportal_link_t       link;
    ngx_http_caportal_resolve_t    resolve;
    uint64_t                       asked;      /* number of the question under way, 0: none */
    char                           host[256];  /* of the master it names; "": it names none */
    int                            port;
    ngx_uint_t                     changed;    /* the change's number */
} ngx_http_caportal_watcher_t;

struct ngx_http_caportal_sentinel_s {
    ngx_http_caportal_redis_t    *redis;
    ngx_http_caportal_watcher_t  *watchers;
    size_t                        count;
    ngx_http_caportal_watcher_t  *chosen;
    char                          host[256];   /* of the master */
    int                           port;
    ngx_uint_t                    changes;
    ngx_http_caportal_resolve_t   resolve;     /* of the master's name */
    ngx_event_t                   timer;
    char                          why[NGX_HTTP_CAPORTAL_WHY];
};

static void ngx_http_caportal_sentinel_timer(ngx_event_t *ev);
static void ngx_http_caportal_sentinel_failed(void *owner, const char *why);
static void ngx_http_caportal_sentinel_found(void *data, struct sockaddr *sockaddr, socklen_t socklen);
static void ngx_http_caportal_sentinel_resolved(void *data, struct sockaddr *sockaddr, socklen_t socklen);


ngx_http_caportal_sentinel_t *
ngx_http_caportal_sentinel_create(ngx_cycle_t *cycle, ngx_http_caportal_redis_t *redis)
{
    size_t                         i;
    ngx_http_caportal_watcher_t   *watcher;
    ngx_http_caportal_sentinel_t  *sentinel;

    sentinel = ngx_pcalloc(cycle->pool, sizeof(ngx_http_caportal_sentinel_t));
    if (sentinel == NULL) {
        return NULL;
    }

    sentinel->count = redis->conf->sentinel_count;
    sentinel->watchers = ngx_pcalloc(cycle->pool, sentinel->count * sizeof(ngx_http_caportal_watcher_t));
    if (sentinel->watchers == NULL) {
        return NULL;
    }

    for (i = 0; i < sentinel->count; i++) {
        watcher = &sentinel->watchers[i];
        watcher->sentinel = sentinel;
        watcher->link.owner = watcher;
        watcher->link.failed = ngx_http_caportal_sentinel_failed;
        watcher->link.timeout = redis->conf->timeout_ms;
        watcher->resolve.handler = ngx_http_caportal_sentinel_found;
        watcher->resolve.data = watcher;
    }

    sentinel->redis = redis;
    sentinel->resolve.handler = ngx_http_caportal_sentinel_resolved;
    sentinel->resolve.data = sentinel;
    sentinel->timer.handler = ngx_http_caportal_sentinel_timer;
    sentinel->timer.data = sentinel;
    sentinel->timer.log = cycle->log;
    sentinel->timer.cancelable = 1;

    return sentinel;
}


static void
ngx_http_caportal_sentinel_resolved(void *data, struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_http_caportal_sentinel_t  *sentinel = data;

    /* Forgotten, so that the next answer has it looked up again. */
    if (sockaddr == NULL) {
        sentinel->host[0] = '\0';
        return;
    }

    ngx_http_caportal_redis_moved(sentinel->redis, sockaddr, socklen);
}


static ngx_uint_t
ngx_http_caportal_sentinel_votes(ngx_http_caportal_sentinel_t *sentinel, ngx_http_caportal_watcher_t *for_whom)
{
    size_t      i;
    ngx_uint_t  votes = 0;

    for (i = 0; i < sentinel->count; i++) {
        votes += sentinel->watchers[i].port == for_whom->port
                 && ngx_strcmp(sentinel->watchers[i].host, for_whom->host) == 0;
    }

    return votes;
}


static void
ngx_http_caportal_sentinel_choose(ngx_http_caportal_sentinel_t *sentinel)
{
    size_t                        i;
    ngx_uint_t                    votes, most = 0;
    ngx_http_caportal_watcher_t  *watcher, *best = NULL;

    for (i = 0; i < sentinel->count; i++) {
        watcher = &sentinel->watchers[i];
        if (watcher->host[0] == '\0') {
            continue;
        }

        votes = ngx_http_caportal_sentinel_votes(sentinel, watcher);
        if (votes > most || (votes == most && watcher->changed > best->changed)) {
            most = votes;
            best = watcher;
        }
    }

    if (best == NULL || (best->port == sentinel->port && ngx_strcmp(best->host, sentinel->host) == 0)) {
        return;
    }

    cp_log(CP_LOG_NOTICE, "the redis master \"%s\" is %s:%d", sentinel->redis->conf->sentinel_master, best->host,
           best->port);

    (void) ngx_cpystrn((u_char *) sentinel->host, (u_char *) best->host, sizeof(sentinel->host));
    sentinel->port = best->port;

    ngx_http_caportal_resolve(&sentinel->resolve, sentinel->host, sentinel->port);
}


static void
ngx_http_caportal_sentinel_note(ngx_http_caportal_sentinel_t *sentinel, const char *why)
{
    (void) ngx_cpystrn((u_char *) sentinel->why, (u_char *) (uintptr_t) why, sizeof(sentinel->why));
}


const char *
ngx_http_caportal_sentinel_why(ngx_http_caportal_sentinel_t *sentinel)
{
    return sentinel->why;
}


/* "host", "port"; nil from one that watches no such master. */
static void
ngx_http_caportal_sentinel_named(void *data, const redisReply *reply)
{
    int64_t                       port;
    const redisReply             *host;
    ngx_http_caportal_watcher_t  *watcher = data;

    watcher->asked = 0;

    if (reply == NULL) {
        return;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING
        || reply->element[1]->type != REDIS_REPLY_STRING
        || !cp_str_number(cp_str_n(reply->element[1]->str, (size_t) reply->element[1]->len), &port)
        || reply->element[0]->len >= (int) sizeof(watcher->host))
    {
        watcher->host[0] = '\0';
        ngx_http_caportal_sentinel_note(watcher->sentinel, reply->type == REDIS_REPLY_ERROR ? reply->str
                                                                                            : "it knows none");
        return;
    }

    host = reply->element[0];

    if (watcher->port != (int) port || ngx_strcmp(watcher->host, host->str) != 0) {
        (void) ngx_cpystrn((u_char *) watcher->host, (u_char *) host->str, sizeof(watcher->host));
        watcher->port = (int) port;
        watcher->changed = ++watcher->sentinel->changes;
    }

    ngx_http_caportal_sentinel_choose(watcher->sentinel);
}


/* What it said last may be old by now. The others go on; it is tried again with the next question. */
static void
ngx_http_caportal_sentinel_failed(void *owner, const char *why)
{
    ngx_http_caportal_watcher_t  *watcher = owner;

    watcher->asked = 0;
    watcher->host[0] = '\0';
    watcher->resolve.turn++;
    ngx_http_caportal_resolve_forget(&watcher->resolve);

    if (why != NULL) {
        ngx_http_caportal_sentinel_note(watcher->sentinel, why);
    }
}


static void
ngx_http_caportal_sentinel_found(void *data, struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_http_caportal_watcher_t  *watcher = data;

    if (sockaddr == NULL) {
        ngx_http_caportal_sentinel_note(watcher->sentinel, "its host name cannot be resolved");
        ngx_http_caportal_link_close(&watcher->link);
        return;
    }

    (void) ngx_http_caportal_link_connect(&watcher->link, sockaddr, socklen);
}


static void
ngx_http_caportal_sentinel_question(ngx_http_caportal_watcher_t *watcher, const cp_redis_address_t *address)
{
    const cp_redis_conf_t  *conf = watcher->sentinel->redis->conf;
    cp_str_t                words[] = { CP_STR("SENTINEL"), CP_STR("get-master-addr-by-name"),
                                        cp_str(conf->sentinel_master) };
    ngx_uint_t              fresh = !watcher->link.started;

    if (watcher->asked != 0) {
        return;
    }

    if (fresh && (ngx_http_caportal_link_start(&watcher->link) != NGX_OK
                  || ngx_http_caportal_redis_greet(&watcher->link, conf->sentinel_user, conf->sentinel_password, NULL,
                                                   NULL) != NGX_OK))
    {
        ngx_http_caportal_link_close(&watcher->link);
        return;
    }

    watcher->asked = ngx_http_caportal_link_send(&watcher->link, words, 3, ngx_http_caportal_sentinel_named, watcher);

    if (fresh) {
        ngx_http_caportal_resolve(&watcher->resolve, address->host, address->port);
    }
}


void
ngx_http_caportal_sentinel_ask(ngx_http_caportal_sentinel_t *sentinel)
{
    size_t  i;

    for (i = 0; i < sentinel->count; i++) {
        ngx_http_caportal_sentinel_question(&sentinel->watchers[i], &sentinel->redis->conf->sentinels[i]);
    }

    ngx_add_timer(&sentinel->timer, ASK_EVERY);
}


static void
ngx_http_caportal_sentinel_timer(ngx_event_t *ev)
{
    ngx_http_caportal_sentinel_ask(ev->data);
}


void
ngx_http_caportal_sentinel_free(ngx_http_caportal_sentinel_t *sentinel)
{
    size_t  i;

    if (sentinel == NULL) {
        return;
    }

    ngx_http_caportal_resolve_forget(&sentinel->resolve);

    for (i = 0; i < sentinel->count; i++) {
        ngx_http_caportal_resolve_forget(&sentinel->watchers[i].resolve);
        ngx_http_caportal_link_free(&sentinel->watchers[i].link);
    }
}
