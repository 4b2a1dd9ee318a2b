/* What the edge knows of one request: its headers, its language, its memory; and how it ends before its body does. */
#include "ngx_http_caportal.h"

#include "material/material.h"


ngx_str_t *
ngx_http_caportal_request_id(ngx_http_request_t *r)
{
    static ngx_str_t  name = ngx_string("caportal_request_id");

    ngx_str_t                  *id;
    ngx_uint_t                  key;
    ngx_http_variable_value_t  *v;

    key = ngx_hash_key(name.data, name.len);
    v = ngx_http_get_variable(r, &name, key);
    id = v == NULL || v->not_found ? NULL : ngx_palloc(r->pool, sizeof(ngx_str_t));

    if (id != NULL) {
        id->data = v->data;
        id->len = v->len;
    }

    return id;
}


ngx_str_t *
ngx_http_caportal_header_in(ngx_http_request_t *r, const char *name)
{
    size_t            len = ngx_strlen(name);
    ngx_uint_t        i;
    ngx_list_part_t  *part = &r->headers_in.headers.part;
    ngx_table_elt_t  *h = part->elts;

    for (i = 0; /* void */ ; i++) {
        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }
            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len && ngx_strncasecmp(h[i].key.data, (u_char *) (uintptr_t) name, len) == 0) {
            return &h[i].value;
        }
    }
}


ngx_uint_t
ngx_http_caportal_header_count(ngx_http_request_t *r, const char *name)
{
    size_t            len = ngx_strlen(name);
    ngx_uint_t        i, n = 0;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            n += h[i].key.len == len && ngx_strncasecmp(h[i].key.data, (u_char *) (uintptr_t) name, len) == 0;
        }
    }

    return n;
}


void
ngx_http_caportal_body_over(ngx_http_caportal_ctx_t *ctx)
{
    ctx->reading = 0;

    if (ctx->refusal.posted) {
        ngx_delete_posted_event(&ctx->refusal);
    }
    if (ctx->slow.timer_set) {
        ngx_del_timer(&ctx->slow);
    }
}


static void
ngx_http_caportal_release(void *data)
{
    ngx_http_caportal_ctx_t  *ctx = data;

    ngx_http_caportal_body_over(ctx);

    cp_upload_close(ctx->upload);
    cp_call_end(&ctx->call);
    cp_arena_free(ctx->arena);
}


/* The body is not wanted any more while the client still sends: answer now and close. */
static void
ngx_http_caportal_refusal(ngx_event_t *ev)
{
    ngx_http_caportal_ctx_t  *ctx = ev->data;
    ngx_http_request_t       *r = ctx->request;
    ngx_connection_t         *c = r->connection;

    /* The server itself may have refused what came behind: a chunk without a length, a second length. */
    if (ctx->answered || r->header_sent) {
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_http_caportal_body_over(ctx);
    r->keepalive = 0;
    r->lingering_close = 1;
    r->read_event_handler = ngx_http_block_reading;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

#if (NGX_HTTP_V2)
    if (r->stream) {
        r->stream->skip_data = 1;
    }
#endif

    ngx_http_caportal_refuse(ctx, ctx->refused);
    ngx_http_run_posted_requests(c);
}


/* The body takes too long, however steadily it drips. */
static void
ngx_http_caportal_slow(ngx_event_t *ev)
{
    ngx_http_caportal_ctx_t  *ctx = ev->data;

    if (ctx->reading && ctx->refused == CP_OK) {
        ctx->refused = CP_E_UPLOAD_SLOW;
        ngx_http_caportal_refusal(&ctx->refusal);
    }
}


/* The first language of Accept-Language decides; Chinese is the default. */
static cp_lang_t
ngx_http_caportal_lang(ngx_http_request_t *r)
{
    ngx_str_t  *value = ngx_http_caportal_header_in(r, "Accept-Language");

    return value != NULL && value->len >= 2 && ngx_strncasecmp(value->data, (u_char *) "en", 2) == 0 ? CP_LANG_EN
                                                                                                   : CP_LANG_ZH;
}


static ngx_uint_t
ngx_http_caportal_has_form(ngx_http_request_t *r)
{
    ngx_table_elt_t  *type = r->headers_in.content_type;

    return type != NULL && cp_is_form(ngx_http_caportal_str(type->value));
}


/* A browser that goes to a page, or sends a form, which no program does: it says that it wants HTML. */
static ngx_uint_t
ngx_http_caportal_is_page(ngx_http_request_t *r)
{
    ngx_str_t  *accept = ngx_http_caportal_header_in(r, "Accept");

    return ((r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) || (r->method == NGX_HTTP_POST && ngx_http_caportal_has_form(r)))
           && accept != NULL
           && ngx_strlcasestrn(accept->data, accept->data + accept->len, (u_char *) "text/html",
                               sizeof("text/html") - 2) != NULL;
}


ngx_http_caportal_ctx_t *
ngx_http_caportal_ctx_create(ngx_http_request_t *r, ngx_module_t *module)
{
    ngx_str_t                *id;
    ngx_pool_cleanup_t       *cln;
    ngx_http_caportal_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_caportal_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    ctx->arena = cp_arena_new(0);
    if (ctx->arena == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_caportal_release;
    cln->data = ctx;

    id = ngx_http_caportal_request_id(r);
    if (id == NULL) {
        return NULL;
    }

    ctx->request = r;
    ctx->call.arena = ctx->arena;
    ctx->call.lang = ngx_http_caportal_lang(r);
    ctx->call.page = ngx_http_caportal_is_page(r);
    ctx->call.request_id = ngx_http_caportal_str(*id);
    ctx->refusal.handler = ngx_http_caportal_refusal;
    ctx->refusal.data = ctx;
    ctx->refusal.log = r->connection->log;
    ctx->slow.handler = ngx_http_caportal_slow;
    ctx->slow.data = ctx;
    ctx->slow.log = r->connection->log;

    ngx_http_set_ctx(r, ctx, (*module));

    return ctx;
}


ngx_int_t
ngx_http_caportal_decline(ngx_http_caportal_ctx_t *ctx, cp_code_t code)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r = ctx->request;

    ctx->answered = 1;

    cp_upload_explain(&ctx->call);
    cp_gate_explain(&ctx->call, ctx->gate);

    if (r->headers_in.expect != NULL || code == CP_E_TOO_LARGE || code == CP_E_MEDIA_TYPE) {
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    rc = ngx_http_discard_request_body(r);

    return rc != NGX_OK ? rc : ngx_http_caportal_send_problem(ctx, code);
}
