#include "ngx_http_caportal_session_cache.h"

#include "base/random.h"

#include <sodium.h>
#include <time.h>

/*
 * A cookie is known only by a keyed hash of 128 bits, under a key of the worker's own: the memory holds nothing that
 * could be shown as a cookie, comparing needs no care, and nobody can choose cookies that fall into one bucket.
 * The bucket is that of the account, so that a change of the account is found with one look.
 */
typedef struct {
    uint64_t                     name[2];
    uint32_t                     next;       /* in its bucket, or among the free; 0: none */
    uint32_t                     bucket;
    ngx_uint_t                   used;       /* since the hand last passed */
    ngx_http_caportal_checked_t  checked;
} ngx_http_caportal_entry_t;

typedef struct {
    uint32_t  first;
    uint32_t  changes;
} ngx_http_caportal_bucket_t;

struct ngx_http_caportal_cache_s {
    ngx_http_caportal_entry_t         *entries;    /* from 1 */
    ngx_http_caportal_bucket_t        *buckets;
    uint32_t                           most;
    uint32_t                           mask;       /* of buckets */
    uint32_t                           fresh;      /* entries up to here have been used */
    uint32_t                           free;
    uint32_t                           hand;
    ngx_uint_t                         open;       /* unsigned: what is read now is tracked */
    uint64_t                           life;       /* one between two clearings */
    int64_t                            trusted;    /* changes before that have been heard of */
    uint32_t                           count;
    ngx_http_caportal_worker_counts_t *counts;
    unsigned char                      account_secret[crypto_shorthash_KEYBYTES];
    unsigned char                      token_secret[crypto_shorthash_siphashx24_KEYBYTES];
};


ngx_http_caportal_cache_t *
ngx_http_caportal_cache_create(ngx_uint_t entries, ngx_http_caportal_worker_counts_t *counts)
{
    ngx_http_caportal_cache_t  *cache;

    cache = ngx_calloc(sizeof(ngx_http_caportal_cache_t), ngx_cycle->log);
    if (cache == NULL) {
        return NULL;
    }

    cache->counts = counts;
    cache->most = (uint32_t) entries;
    cache->mask = 1;
    while (cache->mask < entries) {
        cache->mask = cache->mask * 2 + 1;
    }

    cache->life = 1;
    cache->trusted = INT64_MIN / 2;
    cp_random(cache->account_secret, sizeof(cache->account_secret));
    cp_random(cache->token_secret, sizeof(cache->token_secret));

    /* Not cleared: a page of entries is taken from the system when the first of them is used. */
    cache->entries = ngx_alloc((entries + 1) * sizeof(ngx_http_caportal_entry_t), ngx_cycle->log);
    cache->buckets = ngx_calloc(((size_t) cache->mask + 1) * sizeof(ngx_http_caportal_bucket_t), ngx_cycle->log);

    if (cache->entries == NULL || cache->buckets == NULL) {
        ngx_http_caportal_cache_free(cache);
        return NULL;
    }

    return cache;
}


void
ngx_http_caportal_cache_free(ngx_http_caportal_cache_t *cache)
{
    if (cache == NULL) {
        return;
    }

    if (cache->entries != NULL) {
        ngx_free(cache->entries);
    }
    if (cache->buckets != NULL) {
        ngx_free(cache->buckets);
    }
    ngx_free(cache);
}


int64_t
ngx_http_caportal_cache_now(void)
{
    struct timespec  now;

    /* Not the loop's own time: that stands still while a turn of the loop takes long. */
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


/* A worker that is leaving has a successor, who tells. */
static void
ngx_http_caportal_cache_counted(ngx_http_caportal_cache_t *cache, uint32_t count)
{
    cache->count = count;

    if (!ngx_exiting) {
        cache->counts->entries = count;
    }
}


static uint32_t
ngx_http_caportal_cache_bucket(ngx_http_caportal_cache_t *cache, const void *account_id)
{
    uint64_t  hash;

    crypto_shorthash((unsigned char *) &hash, account_id, CP_ACCOUNT_ID, cache->account_secret);

    return (uint32_t) hash & cache->mask;
}


static void
ngx_http_caportal_cache_name(ngx_http_caportal_cache_t *cache, ngx_str_t *token, uint64_t name[2])
{
    crypto_shorthash_siphashx24((unsigned char *) name, token->data, token->len, cache->token_secret);
}


static ngx_http_caportal_entry_t *
ngx_http_caportal_cache_look(ngx_http_caportal_cache_t *cache, uint32_t bucket, const uint64_t name[2])
{
    uint32_t                    n;
    ngx_http_caportal_entry_t  *entry;

    for (n = cache->buckets[bucket].first; n != 0; n = entry->next) {
        entry = &cache->entries[n];
        if (entry->name[0] == name[0] && entry->name[1] == name[1]) {
            return entry;
        }
    }

    return NULL;
}


ngx_http_caportal_checked_t *
ngx_http_caportal_cache_find(ngx_http_caportal_cache_t *cache, ngx_str_t *token)
{
    uint32_t                    bucket;
    uint64_t                    name[2];
    ngx_http_caportal_entry_t  *entry = NULL;

    if (cache->count != 0
        && ngx_http_caportal_cache_now() - cache->trusted <= NGX_HTTP_CAPORTAL_CACHE_TRUST)
    {
        bucket = ngx_http_caportal_cache_bucket(cache, token->data + CP_SESSION_SECRET);
        ngx_http_caportal_cache_name(cache, token, name);
        entry = ngx_http_caportal_cache_look(cache, bucket, name);
    }

    if (entry == NULL) {
        ngx_http_caportal_count_one(cache->counts->misses);
        return NULL;
    }

    ngx_http_caportal_count_one(cache->counts->hits);
    entry->used = 1;

    return &entry->checked;
}


ngx_http_caportal_ticket_t
ngx_http_caportal_cache_ticket(ngx_http_caportal_cache_t *cache, cp_str_t account_id)
{
    ngx_http_caportal_ticket_t  ticket;

    ticket.bucket = ngx_http_caportal_cache_bucket(cache, account_id.data);
    ticket.changes = cache->buckets[ticket.bucket].changes;
    ticket.life = cache->open ? cache->life : 0;

    return ticket;
}


/* Takes an entry out of its bucket and makes it free. */
static void
ngx_http_caportal_cache_remove(ngx_http_caportal_cache_t *cache, ngx_http_caportal_entry_t *entry)
{
    uint32_t  n = (uint32_t) (entry - cache->entries), *link = &cache->buckets[entry->bucket].first;

    while (*link != n) {
        link = &cache->entries[*link].next;
    }

    *link = entry->next;
    entry->next = cache->free;
    entry->checked.who.account = 0;
    cache->free = n;
    ngx_http_caportal_cache_counted(cache, cache->count - 1);
}


/* A free entry. When all are used, the first that was not since the hand last came by has to go. */
static ngx_http_caportal_entry_t *
ngx_http_caportal_cache_take(ngx_http_caportal_cache_t *cache)
{
    uint32_t                    n;
    ngx_http_caportal_entry_t  *entry;

    if (cache->free == 0 && cache->fresh < cache->most) {
        ngx_http_caportal_cache_counted(cache, cache->count + 1);
        return &cache->entries[++cache->fresh];
    }

    while (cache->free == 0) {
        cache->hand = cache->hand % cache->most + 1;
        entry = &cache->entries[cache->hand];

        if (entry->used) {
            entry->used = 0;
        } else {
            ngx_http_caportal_cache_remove(cache, entry);
        }
    }

    n = cache->free;
    cache->free = cache->entries[n].next;
    ngx_http_caportal_cache_counted(cache, cache->count + 1);

    return &cache->entries[n];
}


void
ngx_http_caportal_cache_keep(ngx_http_caportal_cache_t *cache, ngx_http_caportal_ticket_t ticket, ngx_str_t *token,
    const ngx_http_caportal_checked_t *checked)
{
    uint64_t                     name[2];
    ngx_http_caportal_entry_t   *entry;
    ngx_http_caportal_bucket_t  *bucket = &cache->buckets[ticket.bucket];

    if (!cache->open || ticket.life != cache->life || ticket.changes != bucket->changes) {
        return;
    }

    ngx_http_caportal_cache_name(cache, token, name);
    entry = ngx_http_caportal_cache_look(cache, ticket.bucket, name);

    if (entry == NULL) {
        entry = ngx_http_caportal_cache_take(cache);
        entry->name[0] = name[0];
        entry->name[1] = name[1];
        entry->bucket = ticket.bucket;
        entry->next = bucket->first;
        bucket->first = (uint32_t) (entry - cache->entries);
    }

    entry->used = 0;
    ngx_http_caportal_checked_copy(&entry->checked, checked);
}


void
ngx_http_caportal_cache_drop(ngx_http_caportal_cache_t *cache, ngx_http_caportal_checked_t *checked)
{
    ngx_http_caportal_cache_remove(cache, (ngx_http_caportal_entry_t *) (void *)
                                   ((u_char *) checked - offsetof(ngx_http_caportal_entry_t, checked)));
}


void
ngx_http_caportal_cache_changed(ngx_http_caportal_cache_t *cache, cp_str_t account_id)
{
    uint32_t                    n, next, bucket;
    ngx_http_caportal_entry_t  *entry;

    bucket = ngx_http_caportal_cache_bucket(cache, account_id.data);
    cache->buckets[bucket].changes++;
    ngx_http_caportal_count_one(cache->counts->changes);

    for (n = cache->buckets[bucket].first; n != 0; n = next) {
        entry = &cache->entries[n];
        next = entry->next;

        if (ngx_memcmp(entry->checked.account_id, account_id.data, CP_ACCOUNT_ID) == 0) {
            ngx_http_caportal_cache_remove(cache, entry);
        }
    }
}


void
ngx_http_caportal_cache_flush(ngx_http_caportal_cache_t *cache)
{
    cache->life++;

    if (cache->count != 0) {
        ngx_memzero(cache->buckets, ((size_t) cache->mask + 1) * sizeof(ngx_http_caportal_bucket_t));
    }

    ngx_http_caportal_cache_counted(cache, 0);
    cache->fresh = 0;
    cache->free = 0;
    cache->hand = 0;
}


void
ngx_http_caportal_cache_clear(ngx_http_caportal_cache_t *cache)
{
    cache->open = 0;
    cache->trusted = INT64_MIN / 2;

    if (!ngx_exiting) {
        cache->counts->tracked = 0;
    }

    ngx_http_caportal_cache_flush(cache);
}


void
ngx_http_caportal_cache_open(ngx_http_caportal_cache_t *cache)
{
    cache->open = 1;

    if (!ngx_exiting) {
        cache->counts->tracked = 1;
    }
}


void
ngx_http_caportal_cache_trust(ngx_http_caportal_cache_t *cache, int64_t since)
{
    cache->trusted = since;
}


static void
ngx_http_caportal_checked_move(cp_str_t *slice, const char *from, char *to)
{
    if (slice->data != NULL) {
        slice->data = to + (slice->data - from);
    }
}


void
ngx_http_caportal_checked_copy(ngx_http_caportal_checked_t *to, const ngx_http_caportal_checked_t *from)
{
    ngx_memcpy(to, from, offsetof(ngx_http_caportal_checked_t, record) + from->len);

    to->who.account_id = cp_str_n(to->account_id, CP_ACCOUNT_ID);
    to->who.session_key = cp_str_n(to->key, CP_SESSION_KEY);
    ngx_http_caportal_checked_move(&to->who.unit_id, from->record, to->record);
    ngx_http_caportal_checked_move(&to->who.method, from->record, to->record);
    ngx_http_caportal_checked_move(&to->who.device, from->record, to->record);
    ngx_http_caportal_checked_move(&to->who.place, from->record, to->record);
}
