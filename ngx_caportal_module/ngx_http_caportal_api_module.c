/*
 * caportal_api applicant|staff|callback …: the operations of lib/api.c under a location. From the request to the call:
 * find the row, check what can be checked without a thread, take the body, give the call to its pool.
 */
#include "ngx_http_caportal.h"

#include "material/material.h"

/* Bodies only pass through it: as much as a TLS record brings. */
#define BODY_BUFFER  16384

typedef struct {
    ngx_uint_t                 api;       /* unsigned */
    ngx_flag_t                 upload;
    ngx_http_complex_value_t  *place;     /* of a client; NULL: its network stands for it */
} ngx_http_caportal_api_loc_conf_t;

static void *ngx_http_caportal_api_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_caportal_api_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
static char *ngx_http_caportal_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_caportal_api_add_variables(ngx_conf_t *cf);
static ngx_int_t ngx_http_caportal_api_handler(ngx_http_request_t *r);


static ngx_conf_bitmask_t  ngx_http_caportal_apis[] = {
    { ngx_string("applicant"), NGX_HTTP_CAPORTAL_API_APPLICANT },
    { ngx_string("staff"), NGX_HTTP_CAPORTAL_API_STAFF },
    { ngx_string("callback"), NGX_HTTP_CAPORTAL_API_CALLBACK },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_caportal_api_commands[] = {

    { ngx_string("caportal_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_caportal_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_caportal_api_loc_conf_t, api),
      &ngx_http_caportal_apis },

    { ngx_string("caportal_upload"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_caportal_api_loc_conf_t, upload),
      NULL },

    { ngx_string("caportal_place"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_caportal_api_loc_conf_t, place),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_caportal_api_module_ctx = {
    ngx_http_caportal_api_add_variables,
    NULL,

    NULL,
    NULL,

    NULL,
    NULL,

    ngx_http_caportal_api_create_loc_conf,
    ngx_http_caportal_api_merge_loc_conf
};


ngx_module_t  ngx_http_caportal_api_module = {
    NGX_MODULE_V1,
    &ngx_http_caportal_api_module_ctx,
    ngx_http_caportal_api_commands,
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


/* An operation answers only under its own kind of location. */
static ngx_uint_t
ngx_http_caportal_kind(const cp_operation_t *operation)
{
    cp_str_t  path = cp_str(operation->path);

    return cp_str_starts(path, "/staff/") ? NGX_HTTP_CAPORTAL_API_STAFF
           : cp_str_starts(path, "/callback/") ? NGX_HTTP_CAPORTAL_API_CALLBACK
                                               : NGX_HTTP_CAPORTAL_API_APPLICANT;
}


static cp_code_t
ngx_http_caportal_allow(ngx_http_caportal_ctx_t *ctx, unsigned allow)
{
    char      *p, *text;
    unsigned   i;

    text = p = cp_alloc(ctx->arena, 64);
    if (text == NULL) {
        return CP_E_NO_MEMORY;
    }

    for (i = 0; cp_methods[i] != NULL; i++) {
        if (allow & (1u << i)) {
            p = (char *) ngx_sprintf((u_char *) p, "%s%s", p == text ? "" : ", ", cp_methods[i]);
        }
    }

    cp_answer_header(&ctx->call, "Allow", cp_str_n(text, (size_t) (p - text)));

    return CP_E_METHOD;
}


static cp_code_t
ngx_http_caportal_find(ngx_http_caportal_ctx_t *ctx, ngx_uint_t api)
{
    unsigned             allow;
    cp_str_t             method, path;
    cp_code_t            code;
    ngx_http_request_t  *r = ctx->request;

    method = r->method == NGX_HTTP_HEAD ? CP_STR("GET") : ngx_http_caportal_str(r->method_name);
    path = ngx_http_caportal_str(r->uri);

    if (!cp_str_is_text(path)) {
        return CP_E_NOT_FOUND;
    }

    ctx->operation = cp_api_find(method, path, ctx->call.params, &allow, &code);

    if (code == CP_E_METHOD) {
        return ngx_http_caportal_allow(ctx, allow);
    }

    if (code == CP_OK && !(ngx_http_caportal_kind(ctx->operation) & api)) {
        ctx->operation = NULL;
        return CP_E_NOT_FOUND;
    }

    ctx->call.operation = ctx->operation;
    return code;
}


static ngx_uint_t
ngx_http_caportal_origin_listed(ngx_http_caportal_main_conf_t *cmcf, ngx_str_t *origin)
{
    ngx_str_t   *known = cmcf->origins.elts;
    ngx_uint_t   i;

    for (i = 0; i < cmcf->origins.nelts; i++) {
        if (known[i].len == origin->len && ngx_strncasecmp(known[i].data, origin->data, origin->len) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * What the browser says of the page that asks (Fetch Metadata, Sec-Fetch-Site): this server's own, or no page at all.
 * Who says nothing is no browser, or an old one, which has Origin alone to speak for it.
 */
static ngx_uint_t
ngx_http_caportal_is_own_page(ngx_http_request_t *r)
{
    cp_str_t    site;
    ngx_str_t  *value = ngx_http_caportal_header_in(r, "Sec-Fetch-Site");

    if (value == NULL) {
        return 1;
    }

    site = ngx_http_caportal_str(*value);

    return cp_str_is(site, "same-origin") || cp_str_is(site, "none");
}


static ngx_uint_t
ngx_http_caportal_is_own_origin(ngx_http_request_t *r, ngx_str_t *origin)
{
    static ngx_str_t  scheme = ngx_string("https://");

    ngx_str_t  *host = r->headers_in.host == NULL ? &r->headers_in.server : &r->headers_in.host->value;

    return origin->len == scheme.len + host->len && ngx_strncasecmp(origin->data, scheme.data, scheme.len) == 0
           && ngx_strncasecmp(origin->data + scheme.len, host->data, host->len) == 0;
}


/*
 * A change needs an Origin: this server's own, with nothing that speaks against it, or a configured one. A foreign page
 * cannot forge it.
 */
static cp_code_t
ngx_http_caportal_check_origin(ngx_http_caportal_ctx_t *ctx)
{
    ngx_str_t                      *origin;
    ngx_uint_t                      trusted;
    ngx_http_request_t             *r = ctx->request;
    ngx_http_caportal_main_conf_t  *cmcf;

    if ((r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) || (ctx->operation->callers & CP_BY_CALLBACK)) {
        return CP_OK;
    }

    origin = ngx_http_caportal_header_in(r, "Origin");
    if (origin == NULL) {
        return CP_E_BAD_ORIGIN;
    }

    if (ngx_http_caportal_is_own_origin(r, origin)) {
        trusted = ngx_http_caportal_is_own_page(r);
    } else {
        cmcf = ngx_http_get_module_main_conf(r, ngx_http_caportal_module);
        trusted = ngx_http_caportal_origin_listed(cmcf, origin);
    }

    return trusted ? CP_OK : CP_E_BAD_ORIGIN;
}


/* What can be said of the caller before the body is read; staff are looked up on the pool thread. */
static cp_code_t
ngx_http_caportal_check_caller(ngx_http_caportal_ctx_t *ctx)
{
    ngx_http_caportal_session_ctx_t  *session = ngx_http_caportal_session(ctx->request);

    if (session != NULL) {
        ctx->call.came_as = session->session.who;
    }

    if ((ctx->operation->callers & CP_BY_ACCOUNT) == 0 || ctx->call.came_as.account != 0) {
        return CP_OK;
    }

    return session != NULL && session->failed ? CP_E_REDIS : CP_E_UNAUTHENTICATED;
}


/* What the edge may let in before the order is known: its kind's widest rule, within the location's limits. */
static cp_code_t
ngx_http_caportal_upload_rule(ngx_http_caportal_ctx_t *ctx, cp_gate_limits_t *limits)
{
    size_t                          i;
    cp_str_t                        kind = CP_STR_NULL;
    cp_material_rule_t              rule = cp_voucher_rule;
    ngx_http_caportal_main_conf_t  *cmcf;

    for (i = 0; i < CP_PARAMS_MAX && ctx->call.params[i].data != NULL; i++) {
        kind = ctx->call.params[i];
    }

    cmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_caportal_module);

    if (ctx->operation->upload == NULL && !cp_catalog_material(&cmcf->app.catalog, kind, &rule)) {
        return CP_E_NOT_FOUND;
    }

    *limits = cp_material_limits(&rule);
    ngx_http_caportal_upload_bound(ctx->request, limits);

    return CP_OK;
}


static cp_code_t
ngx_http_caportal_open_upload(ngx_http_caportal_ctx_t *ctx)
{
    cp_code_t                          code;
    cp_gate_head_t                     head;
    cp_gate_limits_t                   limits;
    ngx_http_request_t                *r = ctx->request;
    ngx_http_caportal_main_conf_t     *cmcf;
    ngx_http_caportal_api_loc_conf_t  *alcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_caportal_module);
    alcf = ngx_http_get_module_loc_conf(r, ngx_http_caportal_api_module);

    if (!alcf->upload) {
        return CP_E_NOT_FOUND;
    }

    CP_TRY(ngx_http_caportal_upload_rule(ctx, &limits));
    CP_TRY(ngx_http_caportal_upload_head(r, &head));

    ctx->upload = cp_upload_open(&cmcf->app, &limits,
                                 ctx->operation->body == CP_BODY_FORM ? CP_GATE_FORM : CP_GATE_RAW, &head, &code);
    ctx->call.upload = ctx->upload;

    return code;
}


static cp_code_t
ngx_http_caportal_check_body(ngx_http_caportal_ctx_t *ctx)
{
    const cp_operation_t  *operation = ctx->operation;
    ngx_http_request_t    *r = ctx->request;

    if (operation->body == CP_BODY_UPLOAD || operation->body == CP_BODY_FORM) {
        return ngx_http_caportal_open_upload(ctx);
    }

    return r->headers_in.content_length_n > (off_t) ngx_http_caportal_body_max(operation) ? CP_E_TOO_LARGE : CP_OK;
}


static cp_str_t
ngx_http_caportal_header_str(ngx_http_request_t *r, const char *name)
{
    ngx_str_t  *value = ngx_http_caportal_header_in(r, name);

    return value == NULL ? CP_STR_NULL : ngx_http_caportal_str(*value);
}


/* The operator's name of the place that the client is at, from its address most likely. */
static ngx_int_t
ngx_http_caportal_take_place(ngx_http_caportal_ctx_t *ctx)
{
    ngx_str_t                          place;
    ngx_http_caportal_api_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_caportal_api_module);

    if (alcf->place == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(ctx->request, alcf->place, &place) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->call.place = ngx_http_caportal_str(place);
    return NGX_OK;
}


/* Everything that the call needs of the request; its bytes live as long as the request. */
static cp_code_t
ngx_http_caportal_fill(ngx_http_caportal_ctx_t *ctx)
{
    static ngx_str_t  staff_cookie = ngx_string(CP_STAFF_COOKIE);

    ngx_str_t                      *id, token;
    cp_call_t                      *call = &ctx->call;
    ngx_http_request_t             *r = ctx->request;
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_caportal_module);

    id = ngx_http_caportal_request_id(r);
    if (id == NULL || ngx_http_caportal_take_place(ctx) != NGX_OK) {
        return CP_E_NO_MEMORY;
    }

    call->app = &cmcf->app;
    call->request_id = ngx_http_caportal_str(*id);
    call->query = ngx_http_caportal_str(r->args);
    call->client_ip = ngx_http_caportal_str(r->connection->addr_text);
    call->content_type = r->headers_in.content_type == NULL
                         ? CP_STR_NULL : ngx_http_caportal_str(r->headers_in.content_type->value);
    call->user_agent = r->headers_in.user_agent == NULL
                       ? CP_STR_NULL : ngx_http_caportal_str(r->headers_in.user_agent->value);
    if (ngx_http_caportal_cookie(r, &staff_cookie, &token) == NGX_OK) {
        call->staff_token = ngx_http_caportal_str(token);
    }

    call->host = r->headers_in.host == NULL ? CP_STR_NULL : ngx_http_caportal_str(r->headers_in.host->value);
    call->idempotency_key = ngx_http_caportal_header_str(r, "Idempotency-Key");

    return ngx_http_caportal_take_certificate(ctx);
}


static void
ngx_http_caportal_body_done(ngx_http_request_t *r)
{
    cp_code_t                 code;
    ngx_http_caportal_ctx_t  *ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_api_module);

    ngx_http_caportal_body_over(ctx);

    code = ctx->refused;
    if (code == CP_OK && ctx->upload != NULL) {
        code = cp_upload_finish(ctx->upload);
    }
    if (code == CP_OK) {
        code = ngx_http_caportal_fill(ctx);
    }
    if (code != CP_OK) {
        ngx_http_caportal_refuse(ctx, code);
        return;
    }

    ctx->call.body = cp_str_n(ctx->body == NULL ? "" : ctx->body, ctx->body_len);

    ngx_http_caportal_job_start(ctx);
}


static ngx_int_t
ngx_http_caportal_api_handler(ngx_http_request_t *r)
{
    ngx_int_t                          rc;
    cp_code_t                          code, fault;
    ngx_http_caportal_ctx_t           *ctx;
    ngx_http_caportal_api_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_caportal_api_module);

    ctx = ngx_http_caportal_ctx_create(r, &ngx_http_caportal_api_module);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    code = ngx_http_caportal_find(ctx, alcf->api);
    if (code == CP_E_NOT_FOUND && ctx->call.page) {
        fault = ngx_http_caportal_certificate_fault(ctx);
        code = fault == CP_OK ? code : fault;
    }
    if (code == CP_OK) {
        code = ngx_http_caportal_check_origin(ctx);
    }
    if (code == CP_OK) {
        code = ngx_http_caportal_check_caller(ctx);
    }
    if (code == CP_OK) {
        code = ngx_http_caportal_check_body(ctx);
    }

    if (code != CP_OK) {
        return ngx_http_caportal_decline(ctx, code);
    }

    ctx->reading = 1;

    if (ctx->upload != NULL) {
        ngx_add_timer(&ctx->slow, ngx_http_caportal_upload_timeout(r));
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_caportal_body_done);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


ngx_uint_t
ngx_http_caportal_serves(const ngx_http_core_loc_conf_t *clcf)
{
    return clcf->handler == ngx_http_caportal_api_handler;
}


static ngx_int_t
ngx_http_caportal_operation_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    const char               *text = NULL;
    ngx_http_caportal_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_api_module);
    if (ctx == NULL) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_upload_module);
    }

    if (ctx != NULL && data == 0 && ctx->operation != NULL) {
        text = ctx->operation->id;
    }
    if (ctx != NULL && data == 1 && ctx->call.code != CP_OK) {
        text = cp_error(ctx->call.code)->code;
    }

    if (text == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = (u_char *) (uintptr_t) text;
    v->len = (unsigned) ngx_strlen(text) & 0xfffffff;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_caportal_api_add_variables(ngx_conf_t *cf)
{
    static ngx_str_t  names[] = { ngx_string("caportal_operation"), ngx_string("caportal_error") };

    ngx_uint_t            i;
    ngx_http_variable_t  *var;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        var = ngx_http_add_variable(cf, &names[i], NGX_HTTP_VAR_NOCACHEABLE);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = ngx_http_caportal_operation_variable;
        var->data = i;
    }

    return NGX_OK;
}


static char *
ngx_http_caportal_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                              *rv;
    ngx_http_core_loc_conf_t          *clcf;
    ngx_http_caportal_main_conf_t     *cmcf;
    ngx_http_caportal_api_loc_conf_t  *alcf = conf;

    if (alcf->api != 0) {
        return "is duplicate";
    }

    rv = ngx_conf_set_bitmask_slot(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_caportal_api_handler;

    ngx_http_caportal_session_want(cf);

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);
    cmcf->counted = 1;
    ngx_http_caportal_note(cf, &cmcf->api);

    return NGX_CONF_OK;
}


static void *
ngx_http_caportal_api_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_caportal_api_loc_conf_t  *alcf;

    alcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_caportal_api_loc_conf_t));
    if (alcf != NULL) {
        alcf->upload = NGX_CONF_UNSET;
        alcf->place = NGX_CONF_UNSET_PTR;
    }

    return alcf;
}


static char *
ngx_http_caportal_api_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_core_loc_conf_t          *clcf;
    ngx_http_caportal_api_loc_conf_t  *prev = parent, *conf = child;

    ngx_conf_merge_value(conf->upload, prev->upload, 1);
    ngx_conf_merge_ptr_value(conf->place, prev->place, NULL);

    /* Not inherited: a nested location has a handler of its own. */
    if (conf->api == 0) {
        return NGX_CONF_OK;
    }

    /* Every operation has a limit of its own, so the server's general one does not apply. */
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->client_max_body_size = 0;
    clcf->client_body_buffer_size = ngx_min(clcf->client_body_buffer_size, BODY_BUFFER);

    return NGX_CONF_OK;
}
