/* The installation's settings, and what happens once a process: libraries, the worker's Redis connection. */
#include "ngx_http_caportal_hall.h"
#include "ngx_http_caportal_session_cache.h"

#include "base/thread.h"

#include <sodium.h>

#define CONNECT_TIMEOUT  2000
#define IO_TIMEOUT       5000
#define REDIS_TIMEOUT    1000
#define EGRESS_TIMEOUT   5000
#define SESSION_IDLE     (30 * 60)
#define SESSION_MAX      (12 * 3600)
#define THREADS_WAIT     2000    /* milliseconds */

static void *ngx_http_caportal_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_caportal_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_caportal_check(ngx_conf_t *cf);
static ngx_int_t ngx_http_caportal_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_caportal_init_process(ngx_cycle_t *cycle);
static void ngx_http_caportal_exit_process(ngx_cycle_t *cycle);

#define SETTING(name, arity, setter)                                                                                   \
    { ngx_string(name), NGX_HTTP_MAIN_CONF|(arity), setter, NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL }


static ngx_command_t  ngx_http_caportal_commands[] = {

    SETTING("caportal_database", NGX_CONF_2MORE, ngx_http_caportal_database),
    SETTING("caportal_database_timeout", NGX_CONF_TAKE12, ngx_http_caportal_database_timeout),
    SETTING("caportal_redis", NGX_CONF_1MORE, ngx_http_caportal_redis),
    SETTING("caportal_egress", NGX_CONF_TAKE1, ngx_http_caportal_egress),
    SETTING("caportal_thread_pool", NGX_CONF_TAKE2|NGX_CONF_TAKE3|NGX_CONF_TAKE4, ngx_http_caportal_thread_pool),
    SETTING("caportal_key_ring", NGX_CONF_TAKE1, ngx_http_caportal_key_ring),
    SETTING("caportal_store", NGX_CONF_1MORE, ngx_http_caportal_store),
    SETTING("caportal_upload_quota", NGX_CONF_1MORE, ngx_http_caportal_upload_quota),
    SETTING("caportal_inspector", NGX_CONF_1MORE, ngx_http_caportal_inspector),
    SETTING("caportal_profiles", NGX_CONF_TAKE1, ngx_http_caportal_profiles),
    SETTING("caportal_sms", NGX_CONF_2MORE, ngx_http_caportal_sms),
    SETTING("caportal_sms_limits", NGX_CONF_1MORE, ngx_http_caportal_sms_limits),
    SETTING("caportal_captcha", NGX_CONF_1MORE, ngx_http_caportal_captcha),
    SETTING("caportal_identity", NGX_CONF_TAKE3, ngx_http_caportal_identity),
    SETTING("caportal_mobile", NGX_CONF_TAKE1, ngx_http_caportal_mobile),
    SETTING("caportal_session_timeout", NGX_CONF_TAKE2, ngx_http_caportal_session_timeout),
    SETTING("caportal_staff_session", NGX_CONF_TAKE2, ngx_http_caportal_staff_session),
    SETTING("caportal_session_cache", NGX_CONF_TAKE1, ngx_http_caportal_session_cache),
    SETTING("caportal_origin", NGX_CONF_1MORE, ngx_http_caportal_origin),

    { ngx_string("caportal_redis_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_caportal_timeout,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_caportal_main_conf_t, redis_timeout),
      NULL },

    { ngx_string("caportal_egress_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_caportal_timeout,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_caportal_main_conf_t, egress_timeout),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_caportal_module_ctx = {
    NULL,
    ngx_http_caportal_check,

    ngx_http_caportal_create_main_conf,
    ngx_http_caportal_init_main_conf,

    NULL,
    NULL,

    NULL,
    NULL
};


ngx_module_t  ngx_http_caportal_module = {
    NGX_MODULE_V1,
    &ngx_http_caportal_module_ctx,
    ngx_http_caportal_commands,
    NGX_HTTP_MODULE,
    NULL,
    ngx_http_caportal_init_module,
    ngx_http_caportal_init_process,
    NULL,
    NULL,
    ngx_http_caportal_exit_process,
    NULL,
    NGX_MODULE_V1_PADDING
};


static void
ngx_http_caportal_arena_free(void *data)
{
    cp_arena_free(data);
}


static void *
ngx_http_caportal_create_main_conf(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_caportal_main_conf_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cmcf == NULL || cln == NULL) {
        return NULL;
    }

    cmcf->arena = cp_arena_new(0);
    if (cmcf->arena == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_caportal_arena_free;
    cln->data = cmcf->arena;

    cmcf->cached = NGX_CONF_UNSET_UINT;
    cmcf->redis_timeout = NGX_CONF_UNSET_MSEC;
    cmcf->egress_timeout = NGX_CONF_UNSET_MSEC;

    if (ngx_array_init(&cmcf->origins, cf->pool, 4, sizeof(ngx_str_t)) != NGX_OK
        || ngx_array_init(&cmcf->profile_uses, cf->pool, 8, sizeof(ngx_http_caportal_profile_use_t)) != NGX_OK)
    {
        return NULL;
    }

    return cmcf;
}


static char *
ngx_http_caportal_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_caportal_main_conf_t  *cmcf = conf;
    cp_app_t                       *app = &cmcf->app;

    ngx_conf_init_msec_value(cmcf->redis_timeout, REDIS_TIMEOUT);
    ngx_conf_init_msec_value(cmcf->egress_timeout, EGRESS_TIMEOUT);
    ngx_conf_init_uint_value(cmcf->cached, NGX_HTTP_CAPORTAL_CACHE_ENTRIES);

    app->origins = cmcf->origins.elts;
    app->origin_count = cmcf->origins.nelts;
    app->redis.timeout_ms = (unsigned) cmcf->redis_timeout;
    app->egress.timeout_ms = (unsigned) cmcf->egress_timeout;
    app->db.connect_ms = app->db.connect_ms == 0 ? CONNECT_TIMEOUT : app->db.connect_ms;
    app->db.io_ms = app->db.io_ms == 0 ? IO_TIMEOUT : app->db.io_ms;

    if (app->session.idle_s == 0) {
        app->session.idle_s = SESSION_IDLE;
        app->session.absolute_s = SESSION_MAX;
    }

    ngx_http_caportal_limits_init(cmcf);

    if (app->mobile.data == NULL) {
        app->mobile = CP_STR(CP_MOBILE_PATTERN);
    }

    return NGX_CONF_OK;
}


/* A location with operations needs all of these; each missing one is named. */
static ngx_int_t
ngx_http_caportal_check_settings(ngx_conf_t *cf, ngx_http_caportal_main_conf_t *cmcf)
{
    const struct { const char *name; const void *value; } needed[] = {
        { "caportal_database", cmcf->app.db.user },
        { "caportal_redis", cmcf->app.redis.prefix },
        { "caportal_egress", cmcf->app.egress.socket },
        { "caportal_thread_pool", cmcf->pools[0] },
        { "caportal_key_ring", cmcf->app.keys },
        { "caportal_store", cmcf->app.store.folder.data },
        { "caportal_inspector", cmcf->app.inspector.socket },
        { "caportal_profiles", cmcf->profiles },
        { "caportal_sms", cmcf->app.sms.path.data },
        { "caportal_identity", cmcf->app.identity.path.data },
        { "caportal_hall", cmcf->app.catalog.halls[0] },
    };

    ngx_int_t   rc = NGX_OK;
    ngx_uint_t  i;

    for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (needed[i].value == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"caportal_api\" needs \"%s\" at the level of \"http\" in %V:%ui", needed[i].name,
                          &cmcf->api.file, cmcf->api.line);
            rc = NGX_ERROR;
        }
    }

    return rc;
}


/* Ways of signing in that name our own pages. */
static ngx_int_t
ngx_http_caportal_check_origins(ngx_conf_t *cf, ngx_http_caportal_main_conf_t *cmcf)
{
    const struct { const char *way; const char *why; ngx_http_caportal_place_t *place; } ways[] = {
        { "scan", "whose first is that of the page to be scanned", &cmcf->scan },
        { "challenge", "which is what is signed", &cmcf->challenge },
    };

    ngx_int_t   rc = NGX_OK;
    ngx_uint_t  i;

    for (i = 0; i < sizeof(ways) / sizeof(ways[0]) && cmcf->app.origin.data == NULL; i++) {
        if (ways[i].place->line != 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"sign_in %s\" needs \"caportal_origin\" at the level of \"http\", %s, in %V:%ui",
                          ways[i].way, ways[i].why, &ways[i].place->file, ways[i].place->line);
            rc = NGX_ERROR;
        }
    }

    return rc;
}


static ngx_int_t
ngx_http_caportal_check(ngx_conf_t *cf)
{
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);

    if (cmcf->api.line != 0 && ngx_http_caportal_check_settings(cf, cmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cmcf->guard.line != 0 && cmcf->app.redis.prefix == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"caportal_session\" needs \"caportal_redis\" at the level of \"http\" in %V:%ui",
                      &cmcf->guard.file, cmcf->guard.line);
        return NGX_ERROR;
    }

    if (ngx_http_caportal_check_origins(cf, cmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_caportal_check_profiles(cf, cmcf->profiles);
}


/* In the master, before any thread exists. */
static ngx_int_t
ngx_http_caportal_init_module(ngx_cycle_t *cycle)
{
    if (cp_db_library_init() != CP_OK || cp_egress_library_init() != CP_OK || sodium_init() < 0) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "caportal: a library cannot be initialised");
        return NGX_ERROR;
    }

    json_object_seed(0);

    return NGX_OK;
}


static ngx_int_t
ngx_http_caportal_init_process(ngx_cycle_t *cycle)
{
    ngx_http_caportal_main_conf_t      *cmcf;
    ngx_http_caportal_worker_counts_t  *counts;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_caportal_module);

    if (cmcf == NULL || cmcf->app.redis.prefix == NULL) {
        return NGX_OK;
    }

    /* The server's helpers serve nobody. */
    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE) {
        return NGX_OK;
    }

    ngx_http_caportal_events_into(cmcf);
    counts = ngx_http_caportal_worker_counts(cmcf);

    if (cmcf->cached != 0) {
        cmcf->sessions = ngx_http_caportal_cache_create(cmcf->cached, counts);
        if (cmcf->sessions == NULL) {
            return NGX_ERROR;
        }
    }

    cmcf->redis = ngx_http_caportal_redis_create(cycle, &cmcf->app.redis, cmcf->sessions, counts);

    return cmcf->redis == NULL ? NGX_ERROR : NGX_OK;
}


/*
 * Pool threads have been told to end, not waited for. Each closes its own connections, in libraries that are unloaded
 * with the configuration right after this.
 */
static void
ngx_http_caportal_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_caportal_module);

    if (cmcf != NULL) {
        ngx_http_caportal_redis_close(cmcf->redis);
        ngx_http_caportal_cache_free(cmcf->sessions);
    }

    if (!cp_thread_wait(THREADS_WAIT)) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0, "caportal: a pool thread has not ended in time");
    }
}
