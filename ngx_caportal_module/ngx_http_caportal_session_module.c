/*
 * caportal_session required|optional|off: who is calling, before anything else happens. Usable in any location, so it
 * also guards a proxied application or files; the answer is in $caportal_account and its like.
 */
#include "ngx_http_caportal_session_cache.h"

#include "base/clock.h"
#include "base/random.h"

/* A request that waits for Redis to say what its cookie stands for. */
typedef struct ngx_http_caportal_session_wait_s {
    ngx_http_request_t               *request;
    ngx_http_caportal_session_ctx_t  *ctx;
    uint64_t                          number;    /* of the question */
    ngx_str_t                         token;
    ngx_http_caportal_ticket_t        ticket;
} ngx_http_caportal_session_wait_t;

typedef struct {
    ngx_uint_t  mode;      /* unsigned */
    ngx_uint_t  wanted;    /* unsigned: an operation's location */
} ngx_http_caportal_session_loc_conf_t;

static void *ngx_http_caportal_session_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_caportal_session_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
static char *ngx_http_caportal_session_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_caportal_session_add_variables(ngx_conf_t *cf);
static ngx_int_t ngx_http_caportal_session_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_caportal_session_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_caportal_session_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data);
static ngx_int_t ngx_http_caportal_request_id_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data);


static ngx_conf_enum_t  ngx_http_caportal_session_modes[] = {
    { ngx_string("off"), NGX_HTTP_CAPORTAL_SESSION_OFF },
    { ngx_string("optional"), NGX_HTTP_CAPORTAL_SESSION_OPTIONAL },
    { ngx_string("required"), NGX_HTTP_CAPORTAL_SESSION_REQUIRED },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_caportal_session_commands[] = {

    { ngx_string("caportal_session"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_caportal_session_mode,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_caportal_session_loc_conf_t, mode),
      &ngx_http_caportal_session_modes },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_caportal_session_module_ctx = {
    ngx_http_caportal_session_add_variables,
    ngx_http_caportal_session_init,

    NULL,
    NULL,

    NULL,
    NULL,

    ngx_http_caportal_session_create_loc_conf,
    ngx_http_caportal_session_merge_loc_conf
};


ngx_module_t  ngx_http_caportal_session_module = {
    NGX_MODULE_V1,
    &ngx_http_caportal_session_module_ctx,
    ngx_http_caportal_session_commands,
    NGX_HTTP_MODULE,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NGX_MODULE_V1_PADDING
};


static ngx_http_variable_t  ngx_http_caportal_session_variables[] = {

    { ngx_string("caportal_account"), NULL, ngx_http_caportal_session_variable,
      offsetof(cp_principal_t, account_id), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("caportal_unit"), NULL, ngx_http_caportal_session_variable,
      offsetof(cp_principal_t, unit_id), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("caportal_sign_in"), NULL, ngx_http_caportal_session_variable,
      offsetof(cp_principal_t, method), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("caportal_request_id"), NULL, ngx_http_caportal_request_id_variable, 0, 0, 0 },

      ngx_http_null_variable
};


ngx_http_caportal_session_ctx_t *
ngx_http_caportal_session(ngx_http_request_t *r)
{
    ngx_http_caportal_session_ctx_t  *ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_session_module);

    return ctx != NULL ? ctx : ngx_http_get_module_ctx(r->main, ngx_http_caportal_session_module);
}


void
ngx_http_caportal_session_want(ngx_conf_t *cf)
{
    ngx_http_caportal_session_loc_conf_t  *slcf;

    slcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_caportal_session_module);
    slcf->wanted = 1;
}


ngx_int_t
ngx_http_caportal_cookie(ngx_http_request_t *r, ngx_str_t *name, ngx_str_t *value)
{
    ngx_uint_t         i, found = 0;
    ngx_table_elt_t  **headers = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {
        u_char  *p = headers[i]->value.data, *end = p + headers[i]->value.len, *semicolon;

        while (p < end) {
            while (p < end && (*p == ' ' || *p == ';')) {
                p++;
            }

            semicolon = ngx_strlchr(p, end, ';');
            if (semicolon == NULL) {
                semicolon = end;
            }

            if ((size_t) (semicolon - p) > name->len && p[name->len] == '=' && ngx_memcmp(p, name->data, name->len) == 0) {
                value->data = p + name->len + 1;
                value->len = (size_t) (semicolon - value->data);
                found++;
            }

            p = semicolon;
        }
    }

    return found == 1 ? NGX_OK : NGX_DECLINED;
}


/* A context with room for so much of a record. */
static ngx_http_caportal_session_ctx_t *
ngx_http_caportal_session_ctx(ngx_http_request_t *r, size_t record)
{
    size_t                            head = offsetof(ngx_http_caportal_session_ctx_t, session.record);
    ngx_http_caportal_session_ctx_t  *ctx;

    ctx = ngx_palloc(r->pool, head + record);
    if (ctx == NULL) {
        return NULL;
    }

    ngx_memzero(ctx, head);
    ngx_http_set_ctx(r, ctx, ngx_http_caportal_session_module);

    return ctx;
}


static void
ngx_http_caportal_session_forget(void *data)
{
    ngx_http_caportal_session_wait_t  *wait = data;
    ngx_http_caportal_main_conf_t     *cmcf;

    if (!wait->ctx->known) {
        cmcf = ngx_http_get_module_main_conf(wait->request, ngx_http_caportal_module);
        ngx_http_caportal_redis_forget(cmcf->redis, wait->number);
    }
}


/* Wakes the request in its access phase; the request may be gone when this returns. */
static void
ngx_http_caportal_session_wake(ngx_http_caportal_session_wait_t *wait)
{
    ngx_http_request_t  *r = wait->request;
    ngx_connection_t    *c = r->connection;

    wait->ctx->known = 1;

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


/*
 * A session that is used stays: its record is written again now and then. That changes it, so it leaves every worker's
 * cache, this one's too. NGX_DECLINED when there is nothing to be done, or nothing can be.
 */
static ngx_int_t
ngx_http_caportal_session_renew(ngx_http_caportal_main_conf_t *cmcf, const ngx_http_caportal_checked_t *session,
    int64_t now)
{
    char              renewed[CP_SESSION_RECORD_MAX];
    size_t            len;
    cp_principal_t    who = session->who;

    if (!cp_session_is_stale(&cmcf->app.session, session->seen_ms, now)) {
        return NGX_DECLINED;
    }

    len = cp_session_encode(&who, now, renewed);
    if (len == 0) {
        return NGX_DECLINED;
    }

    return ngx_http_caportal_redis_touch(cmcf->redis, who.account_id, who.session_key,
                                         cp_str_n(session->record, session->len), cp_str_n(renewed, len),
                                         cp_session_ttl(&cmcf->app.session, who.since_ms, now));
}


/* What Redis has said: into the request, and into the cache. */
static void
ngx_http_caportal_session_use(ngx_http_caportal_main_conf_t *cmcf, ngx_http_caportal_session_wait_t *wait,
    cp_str_t record)
{
    int64_t                       now = cp_now_ms();
    ngx_http_caportal_checked_t  *session = &wait->ctx->session;

    session->len = ngx_min(record.len, CP_SESSION_RECORD_MAX);
    ngx_memcpy(session->record, record.data, session->len);

    if (record.len != session->len
        || !cp_session_decode(cp_str_n(session->record, session->len), &session->who, &session->seen_ms)
        || !cp_session_alive(&cmcf->app.session, &session->who, session->seen_ms, now))
    {
        ngx_memzero(&session->who, sizeof(session->who));
        return;
    }

    session->who.account_id = cp_str_n(session->account_id, CP_ACCOUNT_ID);
    session->who.session_key = cp_str_n(session->key, CP_SESSION_KEY);

    if (ngx_http_caportal_session_renew(cmcf, session, now) != NGX_OK && cmcf->sessions != NULL) {
        ngx_http_caportal_cache_keep(cmcf->sessions, wait->ticket, &wait->token, session);
    }
}


static void
ngx_http_caportal_session_got(void *data, const struct redisReply *reply)
{
    cp_str_t                           record;
    ngx_http_caportal_found_e          found;
    ngx_http_caportal_redis_t         *redis;
    ngx_http_caportal_main_conf_t     *cmcf;
    ngx_http_caportal_session_wait_t  *wait = data;

    cmcf = ngx_http_get_module_main_conf(wait->request, ngx_http_caportal_module);
    redis = cmcf->redis;

    found = ngx_http_caportal_redis_found(reply, &record);

    if (found == NGX_HTTP_CAPORTAL_FOUND) {
        ngx_http_caportal_session_use(cmcf, wait, record);
    }

    wait->ctx->failed = found == NGX_HTTP_CAPORTAL_FOUND_LOST || found == NGX_HTTP_CAPORTAL_FOUND_ERROR;

    ngx_http_caportal_session_wake(wait);

    /* Not before: others that wait are told by it, and one of them might take this request with it. */
    if (found == NGX_HTTP_CAPORTAL_FOUND_ERROR) {
        ngx_http_caportal_redis_refused(redis, reply);
    }
}


/* A session that this worker has checked already. */
static ngx_http_caportal_session_ctx_t *
ngx_http_caportal_session_cached(ngx_http_request_t *r, ngx_http_caportal_main_conf_t *cmcf, ngx_str_t *token)
{
    int64_t                           now;
    ngx_http_caportal_checked_t      *session;
    ngx_http_caportal_session_ctx_t  *ctx;

    session = cmcf->sessions == NULL ? NULL : ngx_http_caportal_cache_find(cmcf->sessions, token);
    if (session == NULL) {
        return NULL;
    }

    now = cp_now_ms();

    if (!cp_session_alive(&cmcf->app.session, &session->who, session->seen_ms, now)) {
        ngx_http_caportal_cache_drop(cmcf->sessions, session);
        return NULL;
    }

    ctx = ngx_http_caportal_session_ctx(r, session->len);
    if (ctx == NULL) {
        return NULL;
    }

    ngx_http_caportal_checked_copy(&ctx->session, session);
    ctx->known = 1;

    if (ngx_http_caportal_session_renew(cmcf, session, now) == NGX_OK) {
        ngx_http_caportal_cache_drop(cmcf->sessions, session);
    }

    return ctx;
}


static ngx_int_t
ngx_http_caportal_session_ask(ngx_http_request_t *r, ngx_http_caportal_session_ctx_t *ctx,
    ngx_http_caportal_main_conf_t *cmcf, ngx_str_t *token)
{
    cp_str_t                           account_id;
    ngx_http_cleanup_t                *cln;
    ngx_http_caportal_session_wait_t  *wait;

    if (!cp_session_parse(ngx_http_caportal_str(*token), &account_id, ctx->session.key)) {
        ctx->known = 1;
        return NGX_OK;
    }

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_caportal_session_wait_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    wait = cln->data;
    wait->request = r;
    wait->ctx = ctx;
    wait->token = *token;
    ngx_memcpy(ctx->session.account_id, account_id.data, CP_ACCOUNT_ID);

    if (cmcf->sessions != NULL) {
        wait->ticket = ngx_http_caportal_cache_ticket(cmcf->sessions, account_id);
    }

    wait->number = ngx_http_caportal_redis_ask(cmcf->redis, account_id, ctx->session.key,
                                               ngx_http_caportal_session_got, wait);
    if (wait->number == 0) {
        ctx->known = 1;
        ctx->failed = 1;
        return NGX_OK;
    }

    cln->handler = ngx_http_caportal_session_forget;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_AGAIN;
}


/* Who has sent this cookie: known at once, or NGX_AGAIN until Redis has answered. */
static ngx_int_t
ngx_http_caportal_session_begin(ngx_http_request_t *r, ngx_http_caportal_session_ctx_t **ctx)
{
    static ngx_str_t  name = ngx_string(CP_SESSION_COOKIE);

    ngx_str_t                       token;
    ngx_uint_t                      found;
    ngx_http_caportal_main_conf_t  *cmcf;

    found = ngx_http_caportal_cookie(r, &name, &token) == NGX_OK && token.len == CP_SESSION_TOKEN;

    if (!found) {
        *ctx = ngx_http_caportal_session_ctx(r, 0);
        if (*ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
        (*ctx)->known = 1;
        return NGX_OK;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_caportal_module);

    *ctx = ngx_http_caportal_session_cached(r, cmcf, &token);
    if (*ctx != NULL) {
        return NGX_OK;
    }

    *ctx = ngx_http_caportal_session_ctx(r, CP_SESSION_RECORD_MAX);
    if (*ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_caportal_session_ask(r, *ctx, cmcf, &token);
}


static ngx_int_t
ngx_http_caportal_session_unavailable(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h != NULL) {
        h->hash = 1;
        ngx_str_set(&h->key, "Retry-After");
        ngx_str_set(&h->value, "2");
    }

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_caportal_session_handler(ngx_http_request_t *r)
{
    ngx_int_t                              rc;
    ngx_http_caportal_session_ctx_t       *ctx;
    ngx_http_caportal_session_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_caportal_session_module);
    if (slcf->mode == NGX_HTTP_CAPORTAL_SESSION_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_caportal_session(r);
    if (ctx == NULL) {
        rc = ngx_http_caportal_session_begin(r, &ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!ctx->known) {
        return NGX_AGAIN;
    }

    if (slcf->mode != NGX_HTTP_CAPORTAL_SESSION_REQUIRED || ctx->session.who.account != 0) {
        return NGX_DECLINED;
    }

    return ctx->failed ? ngx_http_caportal_session_unavailable(r) : NGX_HTTP_UNAUTHORIZED;
}


/* Subrequests pass by the access phase; yet what auth_request asks or SSI includes may be guarded. */
static ngx_int_t
ngx_http_caportal_session_subrequest_handler(ngx_http_request_t *r)
{
    return r == r->main ? NGX_DECLINED : ngx_http_caportal_session_handler(r);
}


static ngx_int_t
ngx_http_caportal_session_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_caportal_session_ctx_t  *ctx = ngx_http_caportal_session(r);
    cp_str_t                         *s;

    s = ctx == NULL ? NULL : (cp_str_t *) ((char *) &ctx->session.who + data);

    if (s == NULL || s->data == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = (unsigned) s->len & 0xfffffff;
    v->data = (u_char *) s->data;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_caportal_request_id_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char  bytes[16];

    v->data = ngx_pnalloc(r->pool, 32);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    cp_random(bytes, sizeof(bytes));
    ngx_hex_dump(v->data, bytes, sizeof(bytes));

    v->len = 32;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static void *
ngx_http_caportal_session_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_caportal_session_loc_conf_t  *slcf;

    slcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_caportal_session_loc_conf_t));
    if (slcf != NULL) {
        slcf->mode = NGX_CONF_UNSET_UINT;
    }

    return slcf;
}


static char *
ngx_http_caportal_session_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_caportal_session_loc_conf_t  *prev = parent, *conf = child;

    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_CAPORTAL_SESSION_OFF);

    if (conf->wanted && conf->mode == NGX_HTTP_CAPORTAL_SESSION_OFF) {
        conf->mode = NGX_HTTP_CAPORTAL_SESSION_OPTIONAL;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_session_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                                  *rv;
    ngx_http_caportal_main_conf_t         *cmcf;
    ngx_http_caportal_session_loc_conf_t  *slcf = conf;

    rv = ngx_conf_set_enum_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK && slcf->mode != NGX_HTTP_CAPORTAL_SESSION_OFF) {
        cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);
        ngx_http_caportal_note(cf, &cmcf->guard);
    }

    return rv;
}


static ngx_int_t
ngx_http_caportal_session_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_caportal_session_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_caportal_session_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_caportal_session_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_caportal_session_subrequest_handler;

    return NGX_OK;
}
