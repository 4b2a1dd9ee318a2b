/* What leaves: status, headers and body of a call's outcome. */
#include "ngx_http_caportal.h"

#include "material/material.h"


static ngx_int_t
ngx_http_caportal_header(ngx_http_request_t *r, const char *name, cp_str_t value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) (uintptr_t) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value.data;
    h->value.len = value.len;

    /* What the server's filters go by when a part, or only news, is asked for. */
    if (ngx_strcmp(name, "ETag") == 0) {
        r->headers_out.etag = h;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_caportal_has_header(const cp_call_t *call, const char *name)
{
    size_t  i;

    for (i = 0; i < call->header_count; i++) {
        if (ngx_strcmp(call->headers[i].name, name) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Answers hold what belongs to one person: nobody on the way keeps or reinterprets them. */
static ngx_int_t
ngx_http_caportal_headers(ngx_http_caportal_ctx_t *ctx)
{
    size_t               i;
    cp_call_t           *call = &ctx->call;
    ngx_http_request_t  *r = ctx->request;
    ngx_str_t           *id = ngx_http_caportal_request_id(r);

    for (i = 0; i < call->header_count; i++) {
        if (ngx_http_caportal_header(r, call->headers[i].name, call->headers[i].value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (!ngx_http_caportal_has_header(call, "Cache-Control")
        && ngx_http_caportal_header(r, "Cache-Control", CP_STR("no-store")) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_http_caportal_has_header(call, "X-Content-Type-Options")
        && ngx_http_caportal_header(r, "X-Content-Type-Options", CP_STR("nosniff")) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (call->retry_after_s != 0
        && ngx_http_caportal_header(r, "Retry-After", cp_str_printf(ctx->arena, "%u", call->retry_after_s)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return id == NULL ? NGX_OK : ngx_http_caportal_header(r, "X-Request-Id", ngx_http_caportal_str(*id));
}


static ngx_int_t
ngx_http_caportal_send_body(ngx_http_request_t *r, cp_str_t body)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* The bytes are the arena's, which lives as long as the request. */
    b->pos = (u_char *) body.data;
    b->last = b->pos + body.len;
    b->memory = body.len != 0;
    b->sync = body.len == 0;
    b->last_buf = r == r->main;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_caportal_send(ngx_http_caportal_ctx_t *ctx)
{
    cp_str_t             body;
    cp_call_t           *call = &ctx->call;
    const char          *type;
    ngx_http_request_t  *r = ctx->request;

    body = cp_call_render(call, &type);
    if (body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = (ngx_uint_t) call->status;
    ngx_http_caportal_count(ctx, r->headers_out.status);

    if (ngx_http_caportal_headers(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (call->status == NGX_HTTP_NO_CONTENT) {
        r->header_only = 1;
        return ngx_http_send_header(r);
    }

    r->headers_out.content_length_n = (off_t) body.len;
    r->headers_out.content_type.data = (u_char *) (uintptr_t) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    /* Files may be asked for in parts: the server's own filter cuts them out. */
    r->allow_ranges = call->status == NGX_HTTP_OK && call->in_parts && r->method == NGX_HTTP_GET;
    r->single_range = 1;

    return ngx_http_caportal_send_body(r, body);
}


ngx_int_t
ngx_http_caportal_send_problem(ngx_http_caportal_ctx_t *ctx, cp_code_t code)
{
    const cp_error_t  *row = cp_error(code);

    ctx->call.code = code;
    ctx->call.status = row->status;

    if ((row->status == 503 || row->status == 429) && ctx->call.retry_after_s == 0) {
        ctx->call.retry_after_s = 2;
    }

    return ngx_http_caportal_send(ctx);
}


/* A form of a page without scripts names the page that is shown when all went well (RFC 9110 section 15.4.4). */
static void
ngx_http_caportal_go_on(ngx_http_caportal_ctx_t *ctx)
{
    cp_str_t  next = cp_upload_next(ctx->upload);

    if (ctx->call.code != CP_OK || next.data == NULL) {
        return;
    }

    next = cp_str_dup(ctx->arena, next);
    if (next.data != NULL) {
        json_decref(ctx->call.answer);
        ctx->call.answer = NULL;
        ctx->call.status = NGX_HTTP_SEE_OTHER;
        cp_answer_header(&ctx->call, "Location", next);
    }
}


/* Before the answer, which may take its time: what was refused is gone when its sender knows. */
static void
ngx_http_caportal_drop_upload(ngx_http_caportal_ctx_t *ctx)
{
    cp_upload_close(ctx->upload);
    ctx->upload = NULL;
    ctx->call.upload = NULL;
}


void
ngx_http_caportal_answer(ngx_http_caportal_ctx_t *ctx)
{
    if (ctx->upload != NULL) {
        ngx_http_caportal_go_on(ctx);
        ngx_http_caportal_drop_upload(ctx);
    }

    ctx->answered = 1;
    ngx_http_finalize_request(ctx->request, ngx_http_caportal_send(ctx));
}


void
ngx_http_caportal_refuse(ngx_http_caportal_ctx_t *ctx, cp_code_t code)
{
    ctx->answered = 1;

    cp_upload_explain(&ctx->call);
    cp_gate_explain(&ctx->call, ctx->gate);

    ngx_http_caportal_drop_upload(ctx);

    ngx_http_finalize_request(ctx->request, ngx_http_caportal_send_problem(ctx, code));
}
