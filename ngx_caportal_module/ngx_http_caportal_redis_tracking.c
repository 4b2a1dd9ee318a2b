/*
 * Redis tells the worker which sessions have changed: its "client tracking", over a second connection as RESP2 needs.
 *
 *   second: SUBSCRIBE __redis__:invalidate                     first: CLIENT TRACKING ON REDIRECT <id of the second>
 *
 * From then on Redis remembers which keys were read on the first connection, and at the next change of one of them,
 * whoever makes it and whatever it is (DEL, HSET, expiry, eviction, FLUSHALL), it writes the key's name to the second.
 * Only SWAPDB it does not tell of: who swaps the portal's database has to reload the servers.
 *
 * Why an entry is never used more than 900 ms after its session has ended. Let a session be ended in Redis at time e.
 *  1. A hit at time t asks that t - p <= 900 ms, p being the time at which the older of two questions was sent, one on
 *     either connection, that have both been answered. So if t > e + 900 ms, then p > e.
 *  2. The first connection has answered a question sent after e: so at e it was there, and Redis had the entry's key in
 *     its table: the key was put there when the entry was read, and taken out only with a message.
 *  3. What Redis writes to a connection comes in order. The message was written at e, before the answer to a question
 *     sent after e. That answer is here, so the message is too, and the entry has gone.
 *  4. An entry read before e but answered after the message was handled is not kept: the message counts the account's
 *     bucket up, and a ticket that was taken when the question was put does not fit any more.
 *  5. No entry outlives a connection: when either is lost the cache is emptied, and nothing is kept until Redis has
 *     said that it tracks the new one. That both lead to the same server is checked by a name that is drawn by lot.
 * Both times are this machine's, by a clock that is never set; Redis may hang, or the network be cut, as it likes.
 *
 * NOLOOP is not used: a key leaves the table with its change, so a worker that was not told of its own write would not
 * be told of the next one by others either. The worker's own renewal of a session therefore drops it from the cache,
 * and it is read, and tracked, once more. BCAST would tell every worker of every change of every session. OPTIN would
 * need a command before each question; nothing else is read on this connection.
 */
#include "ngx_http_caportal_redis.h"

#include "base/log.h"
#include "base/random.h"

#define PROVE_EVERY  250     /* milliseconds */
#define AGAIN_MOST   2000
#define CHANNEL      "__redis__:invalidate"
#define NAME         "caportal-"
#define NAME_SIZE    (sizeof(NAME) + 32)

/* A connection that is asked now and then whether it is still there. */
typedef struct {
    ngx_http_caportal_tracking_t  *tracking;
    ngx_http_caportal_link_t      *link;
    uint64_t                       number;     /* of the question under way, 0: none */
    int64_t                        asked;
    int64_t                        proven;     /* when a question was put that has been answered; 0: none was */
} ngx_http_caportal_proof_t;

struct ngx_http_caportal_tracking_s {
    ngx_http_caportal_redis_t     *redis;
    ngx_http_caportal_link_t       link;       /* the second connection */
    ngx_http_caportal_proof_t      first;
    ngx_http_caportal_proof_t      second;
    uint64_t                       order;      /* number of what the first connection is told to track, 0: none */
    long long                      id;         /* of the second at the server */
    u_char                         name[NAME_SIZE];
    ngx_event_t                    prove;
    ngx_event_t                    again;
    ngx_msec_t                     delay;
    ngx_uint_t                     failures;   /* unsigned: since it last worked */
};

static void ngx_http_caportal_tracking_failed(void *owner, const char *why);
static void ngx_http_caportal_tracking_message(void *owner, const redisReply *reply);
static void ngx_http_caportal_tracking_again(ngx_event_t *ev);
static void ngx_http_caportal_tracking_prove(ngx_event_t *ev);


static void
ngx_http_caportal_tracking_timer(ngx_event_t *ev, ngx_event_handler_pt handler, void *data)
{
    ev->handler = handler;
    ev->data = data;
    ev->log = ngx_cycle->log;
    ev->cancelable = 1;
}


ngx_http_caportal_tracking_t *
ngx_http_caportal_tracking_create(ngx_cycle_t *cycle, ngx_http_caportal_redis_t *redis)
{
    ngx_http_caportal_tracking_t  *tracking;

    tracking = ngx_pcalloc(cycle->pool, sizeof(ngx_http_caportal_tracking_t));
    if (tracking == NULL) {
        return NULL;
    }

    tracking->redis = redis;
    tracking->link.owner = tracking;
    tracking->link.failed = ngx_http_caportal_tracking_failed;
    tracking->link.message = ngx_http_caportal_tracking_message;
    tracking->link.timeout = redis->conf->timeout_ms;
    tracking->first.tracking = tracking->second.tracking = tracking;
    tracking->first.link = &redis->link;
    tracking->second.link = &tracking->link;
    ngx_http_caportal_tracking_timer(&tracking->prove, ngx_http_caportal_tracking_prove, tracking);
    ngx_http_caportal_tracking_timer(&tracking->again, ngx_http_caportal_tracking_again, tracking);

    return tracking;
}


/* Whatever was under way on the first connection does not count any more; the second is closed by the caller. */
static void
ngx_http_caportal_tracking_stop(ngx_http_caportal_tracking_t *tracking)
{
    ngx_http_caportal_link_t  *first = tracking->first.link;

    ngx_http_caportal_cache_clear(tracking->redis->cache);

    if (tracking->prove.timer_set) {
        ngx_del_timer(&tracking->prove);
    }
    if (tracking->again.timer_set) {
        ngx_del_timer(&tracking->again);
    }

    ngx_http_caportal_link_forget(first, tracking->order);
    ngx_http_caportal_link_forget(first, tracking->first.number);

    tracking->order = 0;
    tracking->first.number = tracking->second.number = 0;
    tracking->first.proven = tracking->second.proven = 0;
}


static void
ngx_http_caportal_tracking_failed(void *owner, const char *why)
{
    ngx_http_caportal_tracking_t  *tracking = owner;

    ngx_http_caportal_tracking_stop(tracking);

    if (why == NULL || !tracking->redis->ready) {
        return;
    }

    /* Once may be a restart, of which the first connection just has not heard yet. */
    if (++tracking->failures == 2) {
        cp_log(CP_LOG_ERROR, "sessions are looked up one by one: redis, asked to track them, %s", why);
    }

    tracking->delay = tracking->failures == 1 ? NGX_HTTP_CAPORTAL_AGAIN : ngx_min(2 * tracking->delay, AGAIN_MOST);
    ngx_add_timer(&tracking->again, tracking->delay);
}


/* An answer that ends this try, on whichever connection it came. */
static void
ngx_http_caportal_tracking_leave(ngx_http_caportal_tracking_t *tracking, const char *why)
{
    if (tracking->link.started) {
        ngx_http_caportal_tracking_failed(tracking, why);
        ngx_http_caportal_link_close(&tracking->link);
    }
}


static ngx_int_t
ngx_http_caportal_tracking_is(ngx_http_caportal_tracking_t *tracking, const redisReply *reply, int type)
{
    if (reply == NULL) {
        return 0;
    }

    if (reply->type != type) {
        ngx_http_caportal_tracking_leave(tracking, reply->type == REDIS_REPLY_ERROR ? reply->str
                                                                                    : "answers something else");
        return 0;
    }

    return 1;
}


static void
ngx_http_caportal_tracking_greeted(void *data, const redisReply *reply)
{
    (void) ngx_http_caportal_tracking_is(data, reply, REDIS_REPLY_STATUS);
}


static void
ngx_http_caportal_tracking_numbered(void *data, const redisReply *reply)
{
    ngx_http_caportal_tracking_t  *tracking = data;

    if (ngx_http_caportal_tracking_is(tracking, reply, REDIS_REPLY_INTEGER)) {
        tracking->id = reply->integer;
    }
}


/* What is read from now on is tracked. */
static void
ngx_http_caportal_tracking_on(void *data, const redisReply *reply)
{
    ngx_http_caportal_tracking_t  *tracking = data;

    tracking->order = 0;

    if (ngx_http_caportal_tracking_is(tracking, reply, REDIS_REPLY_STATUS)) {
        ngx_http_caportal_cache_open(tracking->redis->cache);
        ngx_http_caportal_tracking_prove(&tracking->prove);
    }
}


/* The first connection has looked the second up: is it this one, or a stranger at another server behind one address? */
static void
ngx_http_caportal_tracking_known(void *data, const redisReply *reply)
{
    u_char                         id[NGX_INT64_LEN];
    cp_str_t                       words[] = { CP_STR("CLIENT"), CP_STR("TRACKING"), CP_STR("ON"), CP_STR("REDIRECT"),
                                               CP_STR_NULL };
    ngx_http_caportal_tracking_t  *tracking = data;

    tracking->order = 0;

    if (!ngx_http_caportal_tracking_is(tracking, reply, REDIS_REPLY_STRING)) {
        return;
    }

    if (ngx_strstr(reply->str, tracking->name) == NULL) {
        ngx_http_caportal_tracking_leave(tracking, "is not one server");
        return;
    }

    words[4] = cp_str_n(id, (size_t) (ngx_sprintf(id, "%L", (int64_t) tracking->id) - id));
    tracking->order = ngx_http_caportal_link_send(tracking->first.link, words, 5, ngx_http_caportal_tracking_on, data);
}


static void
ngx_http_caportal_tracking_subscribed(void *data, const redisReply *reply)
{
    u_char                         id[NGX_INT64_LEN];
    cp_str_t                       words[] = { CP_STR("CLIENT"), CP_STR("LIST"), CP_STR("ID"), CP_STR_NULL };
    ngx_http_caportal_tracking_t  *tracking = data;

    if (!ngx_http_caportal_tracking_is(tracking, reply, REDIS_REPLY_ARRAY)) {
        return;
    }

    words[3] = cp_str_n(id, (size_t) (ngx_sprintf(id, "%L", (int64_t) tracking->id) - id));
    tracking->order = ngx_http_caportal_link_send(tracking->first.link, words, 4, ngx_http_caportal_tracking_known,
                                                  data);
}


static ngx_int_t
ngx_http_caportal_tracking_hello(ngx_http_caportal_tracking_t *tracking)
{
    u_char                     random[16];
    cp_str_t                   name[] = { CP_STR("CLIENT"), CP_STR("SETNAME"), CP_STR_NULL };
    cp_str_t                   number[] = { CP_STR("CLIENT"), CP_STR("ID") };
    cp_str_t                   subscribe[] = { CP_STR("SUBSCRIBE"), CP_STR(CHANNEL) };
    const cp_redis_conf_t     *conf = tracking->redis->conf;
    ngx_http_caportal_link_t  *link = &tracking->link;

    cp_random(random, sizeof(random));
    *ngx_hex_dump(ngx_cpymem(tracking->name, NAME, sizeof(NAME) - 1), random, sizeof(random)) = '\0';
    name[2] = cp_str((char *) tracking->name);

    if (ngx_http_caportal_redis_greet(link, conf->user, conf->password, ngx_http_caportal_tracking_greeted, tracking)
        != NGX_OK
        || ngx_http_caportal_link_send(link, name, 3, ngx_http_caportal_tracking_greeted, tracking) == 0
        || ngx_http_caportal_link_send(link, number, 2, ngx_http_caportal_tracking_numbered, tracking) == 0
        || ngx_http_caportal_link_send(link, subscribe, 2, ngx_http_caportal_tracking_subscribed, tracking) == 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_caportal_tracking_begin(ngx_http_caportal_tracking_t *tracking)
{
    ngx_http_caportal_redis_t  *redis = tracking->redis;

    if (!redis->ready || tracking->link.started) {
        return;
    }

    if (ngx_http_caportal_link_start(&tracking->link) != NGX_OK
        || ngx_http_caportal_tracking_hello(tracking) != NGX_OK)
    {
        ngx_http_caportal_tracking_leave(tracking, "cannot be, for lack of memory");
        return;
    }

    (void) ngx_http_caportal_link_connect(&tracking->link, &redis->address.sockaddr, redis->address_len);
}


static void
ngx_http_caportal_tracking_again(ngx_event_t *ev)
{
    ngx_http_caportal_tracking_begin(ev->data);
}


void
ngx_http_caportal_tracking_lost(ngx_http_caportal_tracking_t *tracking)
{
    ngx_http_caportal_tracking_stop(tracking);
    ngx_http_caportal_link_close(&tracking->link);
}


/* The keys that have changed, or nothing: all of them. */
static void
ngx_http_caportal_tracking_message(void *owner, const redisReply *reply)
{
    size_t                         i, len;
    cp_str_t                       key;
    const redisReply              *keys = reply->element[2];
    ngx_http_caportal_tracking_t  *tracking = owner;
    ngx_http_caportal_cache_t     *cache = tracking->redis->cache;
    const char                    *prefix = tracking->redis->conf->prefix;

    if (keys->type == REDIS_REPLY_NIL) {
        ngx_http_caportal_cache_flush(cache);
        return;
    }

    len = ngx_strlen(prefix) + sizeof(CP_SESSION_KIND ":") - 1;

    for (i = 0; keys->type == REDIS_REPLY_ARRAY && i < keys->elements; i++) {
        key = cp_str_n(keys->element[i]->str, (size_t) keys->element[i]->len);

        if (keys->element[i]->type == REDIS_REPLY_STRING && key.len == len + CP_ACCOUNT_ID) {
            ngx_http_caportal_cache_changed(cache, cp_str_n(key.data + len, CP_ACCOUNT_ID));
        }
    }
}


static void
ngx_http_caportal_tracking_proven(void *data, const redisReply *reply)
{
    ngx_http_caportal_proof_t     *proof = data;
    ngx_http_caportal_tracking_t  *tracking = proof->tracking;

    proof->number = 0;

    if (reply == NULL) {
        return;
    }

    if (proof == &tracking->first) {
        ngx_http_caportal_redis_role(tracking->redis, reply);
    } else {
        (void) ngx_http_caportal_tracking_is(tracking, reply, REDIS_REPLY_ARRAY);
    }

    /* Not as it should be: both have just been given up. */
    if (!tracking->link.started) {
        return;
    }

    proof->proven = proof->asked;

    if (tracking->first.proven != 0 && tracking->second.proven != 0) {
        ngx_http_caportal_cache_trust(tracking->redis->cache,
                                      ngx_min(tracking->first.proven, tracking->second.proven));

        if (tracking->failures >= 2) {
            cp_log(CP_LOG_NOTICE, "sessions are cached again");
        }
        tracking->failures = 0;
    }
}


static void
ngx_http_caportal_tracking_ask(ngx_http_caportal_proof_t *proof)
{
    cp_str_t  word;

    /* A subscribed connection may only be greeted; the other can say as well that its server is still the master. */
    word = proof == &proof->tracking->first ? CP_STR("ROLE") : CP_STR("PING");

    if (proof->number == 0) {
        proof->asked = ngx_http_caportal_cache_now();
        proof->number = ngx_http_caportal_link_send(proof->link, &word, 1, ngx_http_caportal_tracking_proven, proof);
    }
}


static void
ngx_http_caportal_tracking_prove(ngx_event_t *ev)
{
    ngx_http_caportal_tracking_t  *tracking = ev->data;

    ngx_http_caportal_tracking_ask(&tracking->first);
    ngx_http_caportal_tracking_ask(&tracking->second);

    ngx_add_timer(&tracking->prove, PROVE_EVERY);
}


void
ngx_http_caportal_tracking_free(ngx_http_caportal_tracking_t *tracking)
{
    if (tracking != NULL) {
        ngx_http_caportal_tracking_lost(tracking);
        ngx_http_caportal_link_free(&tracking->link);
    }
}
