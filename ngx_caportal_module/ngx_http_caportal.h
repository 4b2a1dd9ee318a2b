/*
 * What the edge's modules share. One shared object holds them: the settings (ngx_http_caportal_module), the session
 * guard (…_session_module), the body filter (…_body_filter_module), the bounds and the check of uploads
 * (…_upload_module), the operations (…_api_module) and the status page (…_status_module).
 */
#ifndef NGX_HTTP_CAPORTAL_H
#define NGX_HTTP_CAPORTAL_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>

#include "api.h"
#include "call/later.h"
#include "certificate/profile.h"
#include "gate/gate.h"
#include "identity/identity.h"
#include "session/session.h"
#include "session/staff_session.h"

/* The library's string has the server's layout, so that stock setters fill it. */
_Static_assert(sizeof(cp_str_t) == sizeof(ngx_str_t) && offsetof(cp_str_t, len) == offsetof(ngx_str_t, len)
               && offsetof(cp_str_t, data) == offsetof(ngx_str_t, data), "cp_str_t differs from ngx_str_t");

#define ngx_http_caportal_str(s)  cp_str_n((s).data, (s).len)

#define NGX_HTTP_CAPORTAL_POOLS  4    /* one a cp_pool_kind_t */

typedef struct ngx_http_caportal_redis_s  ngx_http_caportal_redis_t;
typedef struct ngx_http_caportal_cache_s  ngx_http_caportal_cache_t;

struct ngx_http_caportal_worker_counts_s;

struct redisReply;

/* Where something was written that can be checked only when all of the configuration is read; line 0: nowhere. */
typedef struct {
    ngx_str_t   file;
    ngx_uint_t  line;
} ngx_http_caportal_place_t;

typedef struct {
    const cp_product_t         *product;
    cp_str_t                    profile;
    ngx_http_caportal_place_t   place;
} ngx_http_caportal_profile_use_t;

typedef struct {
    cp_app_t                    app;
    cp_arena_t                 *arena;         /* of the catalogue's checks and snapshots */
    cp_profiles_t              *profiles;
    ngx_str_t                   profiles_file;
    ngx_thread_pool_t          *pools[NGX_HTTP_CAPORTAL_POOLS];
    ngx_array_t                 origins;       /* ngx_str_t */
    ngx_array_t                 profile_uses;  /* ngx_http_caportal_profile_use_t */
    ngx_msec_t                  redis_timeout;
    ngx_msec_t                  egress_timeout;
    ngx_shm_zone_t             *counters;
    ngx_http_caportal_redis_t  *redis;         /* of this worker */
    ngx_uint_t                  cached;        /* sessions that a worker keeps, 0: none */
    ngx_http_caportal_cache_t  *sessions;      /* of this worker, NULL: none */
    ngx_uint_t                  sms_limited;   /* unsigned: caportal_sms_limits was given */
    ngx_uint_t                  captcha_set;   /* unsigned: caportal_captcha was given */
    ngx_http_caportal_place_t   api;           /* the first location with operations */
    ngx_http_caportal_place_t   guard;         /* the first that looks for sessions */
    ngx_http_caportal_place_t   scan;          /* the first hall that lets people in by scanning */
    ngx_http_caportal_place_t   challenge;     /* the first that does so by a signature */
    ngx_uint_t                  counted;       /* unsigned: the counters are written or shown */
} ngx_http_caportal_main_conf_t;

extern ngx_module_t  ngx_http_caportal_module;
extern ngx_module_t  ngx_http_caportal_session_module;
extern ngx_module_t  ngx_http_caportal_body_filter_module;
extern ngx_module_t  ngx_http_caportal_upload_module;
extern ngx_module_t  ngx_http_caportal_api_module;
extern ngx_module_t  ngx_http_caportal_status_module;


/* Settings: ngx_http_caportal_settings.c */

char *ngx_http_caportal_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_database_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_egress(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_key_ring(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_upload_quota(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_inspector(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_profiles(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_sms(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_identity(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_mobile(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_staff_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_session_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_session_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* Against abuse: ngx_http_caportal_limits.c */

char *ngx_http_caportal_sms_limits(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_caportal_captcha(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* What neither directive says is as usual. */
void ngx_http_caportal_limits_init(ngx_http_caportal_main_conf_t *cmcf);


/* The words of directives: ngx_http_caportal_words.c. Every fault is reported at the directive's line. */

/* Named parameters: "host=…" of a directive by a table; every fault is reported at its line. */
typedef struct {
    const char  *name;
    ngx_str_t   *value;      /* where the text goes */
    ngx_uint_t   required;   /* unsigned */
} ngx_http_caportal_param_t;

char *ngx_http_caportal_params(ngx_conf_t *cf, ngx_uint_t first, ngx_http_caportal_param_t *params, size_t count);

/* The first line of a file of secrets, its path relative to the configuration; *text is {0, NULL} after a fault. */
char *ngx_http_caportal_secret(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text);

/* "unix:/path" into *socket, or "host[:port]" into *host and *port. */
char *ngx_http_caportal_address(ngx_conf_t *cf, ngx_str_t *word, int default_port, const char **socket,
    const char **host, int *port);

/* A time from 1 ms to 10 min. */
char *ngx_http_caportal_milliseconds(ngx_conf_t *cf, ngx_str_t *word, unsigned *ms);

/* A number of pixels from 1 to 1000m ("m" for millions), or of pages from 1 to 10000; else what to say of it. */
char *ngx_http_caportal_pixels(ngx_str_t *word, int64_t *pixels);
char *ngx_http_caportal_pages(ngx_str_t *word, int64_t *pages);

/* A path of a URL, which goes behind the egress socket's as it is. */
char *ngx_http_caportal_path(ngx_conf_t *cf, ngx_str_t *path);

/* A file's path, made full; a fault where it cannot be read now. */
char *ngx_http_caportal_readable(ngx_conf_t *cf, ngx_str_t *path);

/* Remembers the first place of its kind. */
void ngx_http_caportal_note(ngx_conf_t *cf, ngx_http_caportal_place_t *place);

/* A copy that ends in NUL, from the configuration's pool. */
char *ngx_http_caportal_cstr(ngx_conf_t *cf, ngx_str_t *text);

/* The blocks inside a hall, as contexts of directives. */
#define NGX_HTTP_CAPORTAL_HALL_CONF      0x00100000
#define NGX_HTTP_CAPORTAL_PROJECT_CONF   0x00200000
#define NGX_HTTP_CAPORTAL_PRODUCT_CONF   0x00400000
#define NGX_HTTP_CAPORTAL_MATERIAL_CONF  0x00800000


/* The worker's Redis: ngx_http_caportal_redis.c */

/* Called once; NULL: there is no answer. The answer is valid during the call. */
typedef void (*ngx_http_caportal_reply_pt)(void *data, const struct redisReply *reply);

ngx_http_caportal_redis_t *ngx_http_caportal_redis_create(ngx_cycle_t *cycle, const cp_redis_conf_t *conf,
    ngx_http_caportal_cache_t *cache, struct ngx_http_caportal_worker_counts_s *counts);
void ngx_http_caportal_redis_close(ngx_http_caportal_redis_t *redis);

/*
 * Asks for a session. The number of the question, or 0: it was not put, because Redis is away. The answer always comes
 * in a later turn of the loop; it is awaited for as long as caportal_redis_timeout says.
 */
uint64_t ngx_http_caportal_redis_ask(ngx_http_caportal_redis_t *redis, cp_str_t account_id, const unsigned char *key,
    ngx_http_caportal_reply_pt handler, void *data);

/* The asker is gone: its handler will not be called. */
void ngx_http_caportal_redis_forget(ngx_http_caportal_redis_t *redis, uint64_t number);

typedef enum {
    NGX_HTTP_CAPORTAL_FOUND,
    NGX_HTTP_CAPORTAL_FOUND_NONE,     /* there is no such session */
    NGX_HTTP_CAPORTAL_FOUND_LOST,     /* nobody knows */
    NGX_HTTP_CAPORTAL_FOUND_ERROR     /* nor will they: to be followed by …_redis_refused() */
} ngx_http_caportal_found_e;

/* What an answer says; the record is a slice of it. */
ngx_http_caportal_found_e ngx_http_caportal_redis_found(const struct redisReply *reply, cp_str_t *record);

/* The server does not serve: it is left, everybody who waits for it is told, and it is tried again by and by. */
void ngx_http_caportal_redis_refused(ngx_http_caportal_redis_t *redis, const struct redisReply *reply);

/*
 * Writes a session's record in place of the old one, unless it has changed. NGX_DECLINED: nothing was sent; NGX_OK does
 * not say that it was written.
 */
ngx_int_t ngx_http_caportal_redis_touch(ngx_http_caportal_redis_t *redis, cp_str_t account_id, cp_str_t key,
    cp_str_t old, cp_str_t record, int64_t ttl_ms);


/* Sessions: ngx_http_caportal_session_module.c */

typedef enum {
    NGX_HTTP_CAPORTAL_SESSION_OFF = 0,
    NGX_HTTP_CAPORTAL_SESSION_OPTIONAL,
    NGX_HTTP_CAPORTAL_SESSION_REQUIRED
} ngx_http_caportal_session_mode_e;

/* A session's record, checked and cut. Only as much of it is there as its record is long. */
typedef struct {
    cp_principal_t  who;                              /* account 0: nobody; slices of the members below */
    int64_t         seen_ms;
    size_t          len;
    char            account_id[CP_ACCOUNT_ID];
    unsigned char   key[CP_SESSION_KEY];
    char            record[CP_SESSION_RECORD_MAX];
} ngx_http_caportal_checked_t;

/* `to` as `from`, its slices pointing into itself. */
void ngx_http_caportal_checked_copy(ngx_http_caportal_checked_t *to, const ngx_http_caportal_checked_t *from);

typedef struct {
    unsigned                      known:1;            /* the answer is there */
    unsigned                      failed:1;           /* Redis did not answer */
    ngx_http_caportal_checked_t   session;
} ngx_http_caportal_session_ctx_t;

/* The value of a cookie of ours; NGX_DECLINED: none, or two of that name, which are an attempt to confuse us. */
ngx_int_t ngx_http_caportal_cookie(ngx_http_request_t *r, ngx_str_t *name, ngx_str_t *value);

/* The session of the request, or of that which it is a part of; NULL where no location looked. */
ngx_http_caportal_session_ctx_t *ngx_http_caportal_session(ngx_http_request_t *r);

/* Makes a location look for a session even without the directive. */
void ngx_http_caportal_session_want(ngx_conf_t *cf);


/* Operations: ngx_http_caportal_api_module.c and its neighbours */

/* What a location offers; bits. */
#define NGX_HTTP_CAPORTAL_API_APPLICANT  0x2
#define NGX_HTTP_CAPORTAL_API_STAFF      0x4
#define NGX_HTTP_CAPORTAL_API_CALLBACK   0x8

typedef struct {
    ngx_http_request_t    *request;
    const cp_operation_t  *operation;
    cp_arena_t            *arena;         /* of the call */
    cp_call_t              call;
    char                  *body;          /* a body kept in memory */
    size_t                 body_len;
    size_t                 body_size;
    size_t                 passed_over;   /* of a body that the operation does not take */
    struct cp_upload_s    *upload;        /* a body that is stored while it arrives */
    struct cp_gate_s      *gate;          /* one that is checked for another application */
    cp_code_t              refused;       /* why the body is not read on */
    ngx_event_t            refusal;
    ngx_event_t            slow;          /* the time of an upload is over */
    unsigned               reading:1;
    unsigned               running:1;     /* a pool thread has it */
    unsigned               answered:1;
} ngx_http_caportal_ctx_t;

/* A request's context under one of the modules, with a call to answer by; NULL when memory is out. */
ngx_http_caportal_ctx_t *ngx_http_caportal_ctx_create(ngx_http_request_t *r, ngx_module_t *module);

/* A header of the request by its name, the first of them; and how many there are. */
ngx_str_t *ngx_http_caportal_header_in(ngx_http_request_t *r, const char *name);
ngx_uint_t ngx_http_caportal_header_count(ngx_http_request_t *r, const char *name);

/* The body is no longer read: what would refuse it does not happen any more. */
void ngx_http_caportal_body_over(ngx_http_caportal_ctx_t *ctx);

/*
 * Refuses before the body is read; a client that waits to be told to send it is told no. Returns what the handler must
 * return.
 */
ngx_int_t ngx_http_caportal_decline(ngx_http_caportal_ctx_t *ctx, cp_code_t code);

/* How long a body may be; an upload's limit is the catalogue's. */
size_t ngx_http_caportal_body_max(const cp_operation_t *operation);

/* Takes the body's next bytes (ngx_http_caportal_body.c); CP_OK, or why no more are wanted. */
cp_code_t ngx_http_caportal_body_take(ngx_http_caportal_ctx_t *ctx, u_char *data, size_t len);

/* Fills the call with what came in and gives it to its pool (ngx_http_caportal_job.c). */
void ngx_http_caportal_job_start(ngx_http_caportal_ctx_t *ctx);

/* Runs what follows an answer on the pool of outside parties (ngx_http_caportal_later.c); takes `later`. */
void ngx_http_caportal_later(ngx_http_caportal_main_conf_t *cmcf, cp_later_t *later);

/* Sends ctx->call's outcome, or the problem of `code`, and finalizes the request (ngx_http_caportal_answer.c). */
void ngx_http_caportal_answer(ngx_http_caportal_ctx_t *ctx);
void ngx_http_caportal_refuse(ngx_http_caportal_ctx_t *ctx, cp_code_t code);

/* The same for a handler that has not taken a reference: returns what the handler must return. */
ngx_int_t ngx_http_caportal_send(ngx_http_caportal_ctx_t *ctx);
ngx_int_t ngx_http_caportal_send_problem(ngx_http_caportal_ctx_t *ctx, cp_code_t code);

/*
 * The certificate of the TLS connection into ctx->call, with the TLS layer's verdict, where this server asks for one
 * (ngx_http_caportal_certificate.c). CP_E_NO_MEMORY.
 */
cp_code_t ngx_http_caportal_take_certificate(ngx_http_caportal_ctx_t *ctx);

/* Why nginx itself refuses the certificate, or that there is none, with 495 and 496; CP_OK where it does not. */
cp_code_t ngx_http_caportal_certificate_fault(ngx_http_caportal_ctx_t *ctx);

/* 32 hexadecimal digits that name the request in logs, answers and audit; made at first use. */
ngx_str_t *ngx_http_caportal_request_id(ngx_http_request_t *r);


/* Uploads under a location: ngx_http_caportal_upload_module.c */

/* Narrows limits to those of the request's location. */
void ngx_http_caportal_upload_bound(ngx_http_request_t *r, cp_gate_limits_t *limits);

/* How long a whole body may take. */
ngx_msec_t ngx_http_caportal_upload_timeout(ngx_http_request_t *r);

/* What the request says of its body; CP_E_MALFORMED and CP_E_MEDIA_TYPE where that cannot be a file. */
cp_code_t ngx_http_caportal_upload_head(ngx_http_request_t *r, cp_gate_head_t *head);

/* Whether a location has operations, which check their bodies themselves. */
ngx_uint_t ngx_http_caportal_serves(const ngx_http_core_loc_conf_t *clcf);


/* Counters in shared memory: ngx_http_caportal_status_module.c */

/* Of one worker, or of those that had its place before; a cache line. */
typedef struct ngx_http_caportal_worker_counts_s {
    ngx_atomic_t  hits;
    ngx_atomic_t  misses;
    ngx_atomic_t  changes;      /* of which Redis told */
    ngx_atomic_t  refused;      /* questions that were not put */
    ngx_atomic_t  entries;      /* this and the next two: now */
    ngx_atomic_t  connected;
    ngx_atomic_t  tracked;
    ngx_atomic_t  unused;
} ngx_http_caportal_worker_counts_t;

/* This worker's; what is counted where nothing is shown goes nowhere. */
ngx_http_caportal_worker_counts_t *ngx_http_caportal_worker_counts(ngx_http_caportal_main_conf_t *cmcf);

#define ngx_http_caportal_count_one(counter)  (void) ngx_atomic_fetch_add(&(counter), 1)

void ngx_http_caportal_count(ngx_http_caportal_ctx_t *ctx, ngx_uint_t status);

/* Where the library's own events are counted; once a worker. */
void ngx_http_caportal_events_into(ngx_http_caportal_main_conf_t *cmcf);

#endif
