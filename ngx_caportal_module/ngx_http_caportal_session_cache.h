/*
 * The sessions that a worker has checked: bounded, never allocating after its start, found by the cookie.
 *
 * What is in it was read from Redis on a connection whose keys Redis tracks. An entry is used only while that tracking
 * was proven to work within the last NGX_HTTP_CAPORTAL_CACHE_TRUST ms; see ngx_http_caportal_redis_tracking.c.
 */
#ifndef NGX_HTTP_CAPORTAL_SESSION_CACHE_H
#define NGX_HTTP_CAPORTAL_SESSION_CACHE_H

#include "ngx_http_caportal.h"

#define NGX_HTTP_CAPORTAL_CACHE_ENTRIES  10000
#define NGX_HTTP_CAPORTAL_CACHE_MOST     1000000
#define NGX_HTTP_CAPORTAL_CACHE_TRUST    900

/* Taken when Redis is asked, shown when it has answered: what changed in between must not be kept. */
typedef struct {
    uint32_t  bucket;
    uint32_t  changes;
    uint64_t  life;
} ngx_http_caportal_ticket_t;

/*
 * With room for so many sessions, about 600 bytes each, which are taken from the system as they are used; NULL: no
 * memory.
 */
ngx_http_caportal_cache_t *ngx_http_caportal_cache_create(ngx_uint_t entries,
    ngx_http_caportal_worker_counts_t *counts);
void ngx_http_caportal_cache_free(ngx_http_caportal_cache_t *cache);

/* The session of a cookie's value (its length is right), or NULL. Valid until the next call of another function. */
ngx_http_caportal_checked_t *ngx_http_caportal_cache_find(ngx_http_caportal_cache_t *cache, ngx_str_t *token);

ngx_http_caportal_ticket_t ngx_http_caportal_cache_ticket(ngx_http_caportal_cache_t *cache, cp_str_t account_id);

/* Keeps a session that was just read; nothing happens when the ticket is out of date. */
void ngx_http_caportal_cache_keep(ngx_http_caportal_cache_t *cache, ngx_http_caportal_ticket_t ticket, ngx_str_t *token,
    const ngx_http_caportal_checked_t *checked);

/* The session that was just found is not to be used any more. */
void ngx_http_caportal_cache_drop(ngx_http_caportal_cache_t *cache, ngx_http_caportal_checked_t *checked);

/* Redis says that the sessions of an account have changed. */
void ngx_http_caportal_cache_changed(ngx_http_caportal_cache_t *cache, cp_str_t account_id);

/* Nothing of what is there, or under way, may be used any more. */
void ngx_http_caportal_cache_clear(ngx_http_caportal_cache_t *cache);

/* The same, but what is read from now on may be kept: Redis was emptied, and goes on telling. */
void ngx_http_caportal_cache_flush(ngx_http_caportal_cache_t *cache);

/* From now on what is read is tracked. */
void ngx_http_caportal_cache_open(ngx_http_caportal_cache_t *cache);

/* Every change made before `since` (ngx_http_caportal_cache_now()) has been heard of. */
void ngx_http_caportal_cache_trust(ngx_http_caportal_cache_t *cache, int64_t since);
int64_t ngx_http_caportal_cache_now(void);

#endif
