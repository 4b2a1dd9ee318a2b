/*
 * caportal_upload_types, …_max_size, …_max_pixels, …_max_pages, …_timeout: bounds of what is uploaded under a location,
 * within which the catalogue's own limits hold. caportal_upload_check: the same inspection in front of any application:
 * a body is held against them while it arrives, and none but a whole and good one is passed on.
 */
#include "ngx_http_caportal_hall.h"

#include "material/material.h"

#define ALL_TYPES     (CP_TYPE_JPEG | CP_TYPE_PNG | CP_TYPE_BMP | CP_TYPE_GIF | CP_TYPE_PDF)
#define SIZE          (64 * 1024 * 1024)    /* what can be inspected further */
#define PIXELS        40000000              /* an A3 page at 450 dpi; 160 MB as decoded */
#define TIMEOUT       300000                /* milliseconds; 2 MB at 7 KB a second */
#define TIMEOUT_MOST  3600000
#define READ_SIZE     16384

typedef struct {
    unsigned     types;         /* 0: not said */
    off_t        max_size;
    ngx_int_t    max_pixels;
    ngx_int_t    max_pages;
    ngx_msec_t   timeout;
    ngx_flag_t   check;
    ngx_uint_t   own;           /* unsigned: the operations of this location check their bodies themselves */
} ngx_http_caportal_upload_loc_conf_t;

static void *ngx_http_caportal_upload_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_caportal_upload_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
static char *ngx_http_caportal_upload_max_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_caportal_upload_number(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_caportal_upload_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_caportal_upload_init(ngx_conf_t *cf);

/* How the word of a directive is read. */
typedef struct {
    char  *(*word)(ngx_str_t *word, int64_t *number);
} ngx_http_caportal_upload_read_t;

static const ngx_http_caportal_upload_read_t  ngx_http_caportal_upload_pixels = { ngx_http_caportal_pixels };
static const ngx_http_caportal_upload_read_t  ngx_http_caportal_upload_pages = { ngx_http_caportal_pages };

#define DIRECTIVE(name, arity, setter, member, post)                                                                   \
    { ngx_string(name), NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|(arity), setter,                        \
      NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_caportal_upload_loc_conf_t, member), (void *) (uintptr_t) (post) }


static ngx_command_t  ngx_http_caportal_upload_commands[] = {

    DIRECTIVE("caportal_upload_types", NGX_CONF_1MORE, ngx_http_caportal_words, types, cp_type_words),
    DIRECTIVE("caportal_upload_max_size", NGX_CONF_TAKE1, ngx_http_caportal_upload_max_size, max_size, NULL),
    DIRECTIVE("caportal_upload_max_pixels", NGX_CONF_TAKE1, ngx_http_caportal_upload_number, max_pixels,
              &ngx_http_caportal_upload_pixels),
    DIRECTIVE("caportal_upload_max_pages", NGX_CONF_TAKE1, ngx_http_caportal_upload_number, max_pages,
              &ngx_http_caportal_upload_pages),
    DIRECTIVE("caportal_upload_timeout", NGX_CONF_TAKE1, ngx_http_caportal_upload_time, timeout, NULL),
    DIRECTIVE("caportal_upload_check", NGX_CONF_FLAG, ngx_conf_set_flag_slot, check, NULL),

      ngx_null_command
};


static ngx_http_module_t  ngx_http_caportal_upload_module_ctx = {
    NULL,
    ngx_http_caportal_upload_init,

    NULL,
    NULL,

    NULL,
    NULL,

    ngx_http_caportal_upload_create_loc_conf,
    ngx_http_caportal_upload_merge_loc_conf
};


ngx_module_t  ngx_http_caportal_upload_module = {
    NGX_MODULE_V1,
    &ngx_http_caportal_upload_module_ctx,
    ngx_http_caportal_upload_commands,
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


static int64_t
ngx_http_caportal_narrower(int64_t a, int64_t b)
{
    return a == 0 ? b : b == 0 ? a : ngx_min(a, b);
}


void
ngx_http_caportal_upload_bound(ngx_http_request_t *r, cp_gate_limits_t *limits)
{
    ngx_http_caportal_upload_loc_conf_t  *ulcf;

    ulcf = ngx_http_get_module_loc_conf(r, ngx_http_caportal_upload_module);

    limits->types &= ulcf->types;
    limits->max_size = ngx_min(limits->max_size, ulcf->max_size);
    limits->max_pixels = ngx_http_caportal_narrower(limits->max_pixels, ulcf->max_pixels);
    limits->max_pages = ngx_http_caportal_narrower(limits->max_pages, ulcf->max_pages);
}


ngx_msec_t
ngx_http_caportal_upload_timeout(ngx_http_request_t *r)
{
    ngx_http_caportal_upload_loc_conf_t  *ulcf;

    ulcf = ngx_http_get_module_loc_conf(r, ngx_http_caportal_upload_module);

    return ulcf->timeout;
}


static cp_str_t
ngx_http_caportal_upload_header(ngx_http_request_t *r, const char *name)
{
    ngx_str_t  *value = ngx_http_caportal_header_in(r, name);

    return value == NULL ? CP_STR_NULL : ngx_http_caportal_str(*value);
}


cp_code_t
ngx_http_caportal_upload_head(ngx_http_request_t *r, cp_gate_head_t *head)
{
    /* Of two the server reads the first and others perhaps the second. */
    if (ngx_http_caportal_header_count(r, "Content-Type") > 1
        || ngx_http_caportal_header_count(r, "Content-Disposition") > 1)
    {
        return CP_E_MALFORMED;
    }

    if (ngx_http_caportal_header_in(r, "Content-Encoding") != NULL) {
        return CP_E_MEDIA_TYPE;
    }

    head->content_type = ngx_http_caportal_upload_header(r, "Content-Type");
    head->disposition = ngx_http_caportal_upload_header(r, "Content-Disposition");
    head->length = r->headers_in.content_length_n;

    return CP_OK;
}


static void
ngx_http_caportal_upload_log(ngx_http_caportal_ctx_t *ctx, cp_code_t code)
{
    const char  *reason = ctx->gate == NULL ? NULL : cp_gate_reason(ctx->gate);

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0, "caportal: upload refused: %s%s%s",
                  cp_error(code)->code, reason == NULL ? "" : ", ", reason == NULL ? "" : reason);
}


/* A part of the body that lies in the server's file. */
static ngx_int_t
ngx_http_caportal_upload_check_file(ngx_http_caportal_ctx_t *ctx, ngx_buf_t *b)
{
    off_t     at = b->file_pos;
    u_char   *p;
    ssize_t   n;

    p = ngx_palloc(ctx->request->pool, READ_SIZE);
    if (p == NULL) {
        return NGX_ERROR;
    }

    while (at < b->file_last && cp_gate_write(ctx->gate, NULL, 0) == CP_OK) {
        n = ngx_read_file(b->file, p, (size_t) ngx_min(b->file_last - at, READ_SIZE), at);
        if (n <= 0) {
            return NGX_ERROR;
        }

        (void) cp_gate_write(ctx->gate, p, (size_t) n);
        at += n;
    }

    ngx_pfree(ctx->request->pool, p);

    return NGX_OK;
}


/* A body that something else had read before, most likely in front of a redirect to here. */
static ngx_int_t
ngx_http_caportal_upload_check_read(ngx_http_caportal_ctx_t *ctx)
{
    cp_code_t     code;
    ngx_int_t     rc = NGX_OK;
    ngx_chain_t  *cl;

    cl = ctx->request->request_body == NULL ? NULL : ctx->request->request_body->bufs;

    for ( /* void */ ; cl && rc == NGX_OK; cl = cl->next) {
        if (cl->buf->in_file) {
            rc = ngx_http_caportal_upload_check_file(ctx, cl->buf);
        } else {
            (void) cp_gate_write(ctx->gate, cl->buf->pos, (size_t) (cl->buf->last - cl->buf->pos));
        }
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    code = cp_gate_finish(ctx->gate);
    if (code != CP_OK) {
        ngx_http_caportal_upload_log(ctx, code);
        ngx_http_caportal_refuse(ctx, code);
        return NGX_DONE;
    }

    return NGX_DECLINED;
}


/* All of it is here: it goes on to whom the location has, or not. */
static void
ngx_http_caportal_upload_done(ngx_http_request_t *r)
{
    cp_code_t                 code;
    ngx_http_caportal_ctx_t  *ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_upload_module);

    ngx_http_caportal_body_over(ctx);

    code = ctx->refused == CP_OK ? cp_gate_finish(ctx->gate) : ctx->refused;
    if (code != CP_OK) {
        ngx_http_caportal_upload_log(ctx, code);
        ngx_http_caportal_refuse(ctx, code);
        return;
    }

    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


static ngx_uint_t
ngx_http_caportal_upload_has_body(ngx_http_request_t *r)
{
    return (r->method & (NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH)) || r->headers_in.content_length_n > 0
           || r->headers_in.chunked;
}


static cp_code_t
ngx_http_caportal_upload_open(ngx_http_caportal_ctx_t *ctx)
{
    cp_gate_t         *gate;
    cp_gate_head_t     head;
    cp_gate_limits_t   limits = { .types = ALL_TYPES, .max_size = INT64_MAX };

    CP_TRY(ngx_http_caportal_upload_head(ctx->request, &head));

    gate = ngx_palloc(ctx->request->pool, sizeof(cp_gate_t));
    if (gate == NULL) {
        return CP_E_NO_MEMORY;
    }

    ngx_http_caportal_upload_bound(ctx->request, &limits);
    ctx->gate = gate;

    return cp_gate_open(gate, &limits, CP_GATE_ANY, &head, NULL, NULL);
}


static ngx_int_t
ngx_http_caportal_upload_read(ngx_http_request_t *r, ngx_http_caportal_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->reading = 1;
    ngx_add_timer(&ctx->slow, ngx_http_caportal_upload_timeout(r));

    rc = ngx_http_read_client_request_body(r, ngx_http_caportal_upload_done);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_caportal_upload_handler(ngx_http_request_t *r)
{
    cp_code_t                             code;
    ngx_http_caportal_ctx_t              *ctx;
    ngx_http_caportal_upload_loc_conf_t  *ulcf;

    ulcf = ngx_http_get_module_loc_conf(r, ngx_http_caportal_upload_module);

    if (!ulcf->check || ulcf->own || ngx_http_get_module_ctx(r, ngx_http_caportal_upload_module) != NULL
        || !ngx_http_caportal_upload_has_body(r))
    {
        return NGX_DECLINED;
    }

    /* One that is passed on before all of it is here cannot be checked any more. */
    if (r->reading_body) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_caportal_ctx_create(r, &ngx_http_caportal_upload_module);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    code = ngx_http_caportal_upload_open(ctx);
    if (code != CP_OK) {
        ngx_http_caportal_upload_log(ctx, code);
        ngx_http_finalize_request(r, ngx_http_caportal_decline(ctx, code));
        return NGX_DONE;
    }

    return r != r->main || r->request_body != NULL ? ngx_http_caportal_upload_check_read(ctx)
                                                   : ngx_http_caportal_upload_read(r, ctx);
}


static char *
ngx_http_caportal_upload_max_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char   *rv;
    off_t  *size = (off_t *) ((char *) conf + cmd->offset);

    rv = ngx_conf_set_off_slot(cf, cmd, conf);

    return rv == NGX_CONF_OK && *size == 0 ? "must be above 0" : rv;
}


/* Pixels or pages: the directive's row says how its word is read. */
static char *
ngx_http_caportal_upload_number(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    int64_t                                  n;
    char                                    *rv;
    ngx_int_t                               *number = (ngx_int_t *) ((char *) conf + cmd->offset);
    const ngx_http_caportal_upload_read_t   *read = cmd->post;

    if (*number != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    rv = read->word(&((ngx_str_t *) cf->args->elts)[1], &n);
    if (rv == NGX_CONF_OK) {
        *number = (ngx_int_t) n;
    }

    return rv;
}


static char *
ngx_http_caportal_upload_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char        *rv;
    ngx_msec_t  *timeout = (ngx_msec_t *) ((char *) conf + cmd->offset);

    rv = ngx_conf_set_msec_slot(cf, cmd, conf);

    return rv == NGX_CONF_OK && (*timeout < 1000 || *timeout > TIMEOUT_MOST) ? "needs a time from 1s to 1h" : rv;
}


static void *
ngx_http_caportal_upload_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_caportal_upload_loc_conf_t  *ulcf;

    ulcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_caportal_upload_loc_conf_t));
    if (ulcf != NULL) {
        ulcf->max_size = NGX_CONF_UNSET;
        ulcf->max_pixels = NGX_CONF_UNSET;
        ulcf->max_pages = NGX_CONF_UNSET;
        ulcf->timeout = NGX_CONF_UNSET_MSEC;
        ulcf->check = NGX_CONF_UNSET;
    }

    return ulcf;
}


static char *
ngx_http_caportal_upload_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_core_loc_conf_t             *clcf;
    ngx_http_caportal_upload_loc_conf_t  *prev = parent, *conf = child;

    conf->types = conf->types != 0 ? conf->types : prev->types != 0 ? prev->types : ALL_TYPES;
    ngx_conf_merge_off_value(conf->max_size, prev->max_size, SIZE);
    ngx_conf_merge_value(conf->max_pixels, prev->max_pixels, PIXELS);
    ngx_conf_merge_value(conf->max_pages, prev->max_pages, 0);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, TIMEOUT);
    ngx_conf_merge_value(conf->check, prev->check, 0);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    conf->own = ngx_http_caportal_serves(clcf);

    /* The size of files has a limit of its own here, and so has what a form has beside them. */
    if (conf->check) {
        clcf->client_max_body_size = 0;
    }

    return NGX_CONF_OK;
}


/* Of all that runs before the content this is the first: mirrors get checked bodies too. */
static ngx_int_t
ngx_http_caportal_upload_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_caportal_upload_handler;

    return NGX_OK;
}
