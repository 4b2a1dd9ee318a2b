/* What the parts of the worker's Redis share: the server (…_redis.c), tracking, Sentinel and the names of hosts. */
#ifndef NGX_HTTP_CAPORTAL_REDIS_H
#define NGX_HTTP_CAPORTAL_REDIS_H

#include "ngx_http_caportal_link.h"
#include "ngx_http_caportal_session_cache.h"

#define NGX_HTTP_CAPORTAL_AGAIN       50     /* milliseconds until the second try; later ones wait up to AGAIN_MOST */
#define NGX_HTTP_CAPORTAL_AGAIN_MOST  200

typedef struct ngx_http_caportal_tracking_s  ngx_http_caportal_tracking_t;
typedef struct ngx_http_caportal_sentinel_s  ngx_http_caportal_sentinel_t;

/* A host's name being looked up. */
typedef struct {
    void       (*handler)(void *data, struct sockaddr *sockaddr, socklen_t socklen);   /* NULL, 0: unknown */
    void        *data;
    void        *request;     /* struct gaicb, while it lasts */
    ngx_event_t  timer;
    ngx_uint_t   turn;        /* which of several addresses; the owner counts on when one does not serve */
} ngx_http_caportal_resolve_t;

/*
 * Finds an address of a host without holding up the loop; the handler is called once, perhaps before this returns.
 * An earlier question of the same structure is forgotten.
 */
void ngx_http_caportal_resolve(ngx_http_caportal_resolve_t *resolve, const char *host, int port);
void ngx_http_caportal_resolve_forget(ngx_http_caportal_resolve_t *resolve);

struct ngx_http_caportal_redis_s {
    const cp_redis_conf_t         *conf;
    ngx_http_caportal_link_t       link;
    ngx_http_caportal_resolve_t    resolve;
    ngx_sockaddr_t                 address;       /* that the link connects to */
    socklen_t                      address_len;   /* 0: not known */
    ngx_event_t                    again;
    ngx_msec_t                     delay;
    ngx_msec_t                     since;         /* ready, or broken */
    ngx_msec_t                     tried;         /* the last time */
    ngx_msec_t                     touched;       /* when that was last tried */
    ngx_msec_t                     said;          /* when the log was last told why it is broken */
    ngx_http_caportal_cache_t     *cache;         /* NULL: none */
    ngx_http_caportal_tracking_t  *tracking;      /* NULL without a cache */
    ngx_http_caportal_sentinel_t  *sentinel;      /* NULL: the address is configured */
    ngx_http_caportal_worker_counts_t *counts;
    u_char                        *question;      /* a HGET in the protocol's form, with two holes */
    size_t                         question_len;
    size_t                         hole;          /* where the account goes; the key goes to the end */
    unsigned                       ready:1;       /* it answers as it should */
    unsigned                       broken:1;      /* it did not when it was last tried */
    unsigned                       hung:1;        /* because it did not answer at all: nobody waits for it */
    unsigned                       unwritable:1;  /* a session that was seen could not be written */
    char                           why[NGX_HTTP_CAPORTAL_WHY];
};

/* The words that open a connection, the answers of which come to `handler`. NGX_ERROR: not taken. */
ngx_int_t ngx_http_caportal_redis_greet(ngx_http_caportal_link_t *link, const char *user, const char *password,
    ngx_http_caportal_reply_pt handler, void *data);

/* The server is not to be used as it is: it is left, and tried again by and by. `why` is said once. */
void ngx_http_caportal_redis_leave(ngx_http_caportal_redis_t *redis, const char *why);

/* An answer to ROLE, of `redis`: the server is left when it is no master. */
void ngx_http_caportal_redis_role(void *redis, const redisReply *reply);

/* The Sentinels name another master, or the first. */
void ngx_http_caportal_redis_moved(ngx_http_caportal_redis_t *redis, struct sockaddr *sockaddr, socklen_t socklen);

/* Tracking: begin with the server that has just become ready; end because it was lost. */
ngx_http_caportal_tracking_t *ngx_http_caportal_tracking_create(ngx_cycle_t *cycle, ngx_http_caportal_redis_t *redis);
void ngx_http_caportal_tracking_begin(ngx_http_caportal_tracking_t *tracking);
void ngx_http_caportal_tracking_lost(ngx_http_caportal_tracking_t *tracking);
void ngx_http_caportal_tracking_free(ngx_http_caportal_tracking_t *tracking);

/* Sentinel: asks now and, from then on, several times a second. What the last one that did not help said, or "". */
ngx_http_caportal_sentinel_t *ngx_http_caportal_sentinel_create(ngx_cycle_t *cycle, ngx_http_caportal_redis_t *redis);
void ngx_http_caportal_sentinel_ask(ngx_http_caportal_sentinel_t *sentinel);
const char *ngx_http_caportal_sentinel_why(ngx_http_caportal_sentinel_t *sentinel);
void ngx_http_caportal_sentinel_free(ngx_http_caportal_sentinel_t *sentinel);

#endif
