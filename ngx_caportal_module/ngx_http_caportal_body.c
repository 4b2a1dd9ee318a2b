/*
 * Request bodies of operations, taken as they arrive: JSON into one bounded buffer, uploads into the encrypted store.
 * Nothing of them ever reaches the server's own temporary files, which would hold identity papers in clear. Bodies that
 * are checked for another application are seen here and go on to where the server keeps them.
 */
#include "ngx_http_caportal.h"

#include "material/material.h"

/* A body that nobody asked for: so much of it is read and forgotten. */
#define PASSED_OVER  65536

static ngx_int_t ngx_http_caportal_body_filter_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_caportal_body_filter(ngx_http_request_t *r, ngx_chain_t *in);


static ngx_http_module_t  ngx_http_caportal_body_filter_module_ctx = {
    NULL,
    ngx_http_caportal_body_filter_init,

    NULL,
    NULL,

    NULL,
    NULL,

    NULL,
    NULL
};


ngx_module_t  ngx_http_caportal_body_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_caportal_body_filter_module_ctx,
    NULL,
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


static ngx_http_request_body_filter_pt  ngx_http_next_request_body_filter;


size_t
ngx_http_caportal_body_max(const cp_operation_t *operation)
{
    return operation->body == CP_BODY_NONE ? PASSED_OVER : operation->body_max;
}


/* Grows the buffer by doubling, never beyond the operation's limit. */
static cp_code_t
ngx_http_caportal_body_grow(ngx_http_caportal_ctx_t *ctx, size_t wanted)
{
    char   *larger;
    size_t  size;

    if (wanted > ctx->operation->body_max) {
        return CP_E_TOO_LARGE;
    }

    if (wanted <= ctx->body_size) {
        return CP_OK;
    }

    size = ngx_max(wanted, ngx_max(ctx->body_size * 2, 1024));
    size = ngx_min(size, ctx->operation->body_max);

    larger = cp_alloc(ctx->arena, size);
    if (larger == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (ctx->body_len != 0) {
        ngx_memcpy(larger, ctx->body, ctx->body_len);
    }

    ctx->body = larger;
    ctx->body_size = size;

    return CP_OK;
}


cp_code_t
ngx_http_caportal_body_take(ngx_http_caportal_ctx_t *ctx, u_char *data, size_t len)
{
    if (len == 0) {
        return CP_OK;
    }

    if (ctx->gate != NULL) {
        return cp_gate_write(ctx->gate, data, len);
    }

    if (ctx->operation->body == CP_BODY_NONE) {
        ctx->passed_over += len;
        return ctx->passed_over > PASSED_OVER ? CP_E_TOO_LARGE : CP_OK;
    }

    if (ctx->upload != NULL) {
        return cp_upload_write(ctx->upload, data, len);
    }

    CP_TRY(ngx_http_caportal_body_grow(ctx, ctx->body_len + len));

    ngx_memcpy(ctx->body + ctx->body_len, data, len);
    ctx->body_len += len;

    return CP_OK;
}


/* Whether the last of the body is among them. What is not passed on to somebody else is consumed. */
static ngx_uint_t
ngx_http_caportal_body_see(ngx_http_caportal_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_buf_t   *b;
    ngx_uint_t   last = 0;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (ctx->refused == CP_OK) {
            ctx->refused = ngx_http_caportal_body_take(ctx, b->pos, (size_t) (b->last - b->pos));
        }

        if (ctx->gate == NULL || ctx->refused != CP_OK) {
            b->pos = b->last;
        }
        last |= b->last_buf;
    }

    return last;
}


/* No more is read of a refused body; the answer goes out when its reader above us has returned. */
static ngx_int_t
ngx_http_caportal_body_stop(ngx_http_caportal_ctx_t *ctx)
{
    if (!ctx->refusal.posted) {
        ngx_post_event(&ctx->refusal, &ngx_posted_events);
    }

#if (NGX_HTTP_V2)
    if (ctx->request->stream) {
        ctx->request->stream->skip_data = 1;
    }
#endif

    return NGX_AGAIN;
}


/* What goes on to the next filter is a checked body for somebody else, or at most the mark of the end. */
static ngx_int_t
ngx_http_caportal_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                *b;
    ngx_uint_t                last;
    ngx_chain_t               out;
    ngx_http_caportal_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_api_module);
    if (ctx == NULL) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_upload_module);
    }

    if (ctx == NULL || !ctx->reading) {
        return ngx_http_next_request_body_filter(r, in);
    }

    last = ngx_http_caportal_body_see(ctx, in);

    if (ctx->refused != CP_OK && !last) {
        return ngx_http_caportal_body_stop(ctx);
    }

    if (ctx->gate != NULL && ctx->refused == CP_OK) {
        return ngx_http_next_request_body_filter(r, in);
    }

    if (!last) {
        return ngx_http_next_request_body_filter(r, NULL);
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last_buf = 1;
    b->sync = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_next_request_body_filter(r, &out);
}


static ngx_int_t
ngx_http_caportal_body_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_caportal_body_filter;

    return NGX_OK;
}
