/*
 * caportal_store: a folder, or `s3` with a bucket of an S3-compatible server and the folder of what still arrives.
 * caportal_upload_quota: how much of it an order, an account and a hall may take.
 */
#include "ngx_http_caportal.h"

#include <sys/stat.h>

#define S3_TIMEOUT  30000    /* milliseconds */


static char *
ngx_http_caportal_store_folder(ngx_conf_t *cf, ngx_str_t *path, cp_store_conf_t *store)
{
    struct stat   st;
    ngx_str_t    *word = cf->args->elts;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (stat((char *) path->data, &st) != 0 || !S_ISDIR(st.st_mode)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "\"%V\": \"%V\" is not a folder", word, path);
        return NGX_CONF_ERROR;
    }

    store->folder = ngx_http_caportal_str(*path);

    return NGX_CONF_OK;
}


/* Names that go into a URL as they are. */
static ngx_uint_t
ngx_http_caportal_store_is_plain(ngx_str_t *text, const char *also)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        u_char  c = text->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.'
              || ngx_strchr(also, c) != NULL))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_caportal_store_is_endpoint(ngx_str_t *text)
{
    static const char *const  schemes[] = { "https://", "http://" };

    ngx_str_t   rest;
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        if (cp_str_starts(ngx_http_caportal_str(*text), schemes[i])) {
            rest.data = text->data + ngx_strlen(schemes[i]);
            rest.len = text->len - ngx_strlen(schemes[i]);

            return rest.len != 0 && ngx_http_caportal_store_is_plain(&rest, ":[]");
        }
    }

    return 0;
}


static char *
ngx_http_caportal_store_fault(ngx_conf_t *cf, const char *what, ngx_str_t *value)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %s \"%V\" of \"caportal_store\"", what, value);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_caportal_store_s3(ngx_conf_t *cf, cp_store_conf_t *store)
{
    char                       *rv;
    ngx_str_t                   endpoint, bucket, region, prefix, key_id, file, spool, ca, secret;
    cp_s3_conf_t               *s3;
    ngx_http_caportal_param_t   params[] = {
        { "endpoint", &endpoint, 1 }, { "bucket", &bucket, 1 },    { "region", &region, 0 }, { "prefix", &prefix, 0 },
        { "key_id", &key_id, 1 },     { "secret_file", &file, 1 }, { "spool", &spool, 1 },   { "ca", &ca, 0 },
    };

    rv = ngx_http_caportal_params(cf, 2, params, sizeof(params) / sizeof(params[0]));
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (!ngx_http_caportal_store_is_endpoint(&endpoint)) {
        return ngx_http_caportal_store_fault(cf, "endpoint", &endpoint);
    }
    if (!ngx_http_caportal_store_is_plain(&bucket, "")) {
        return ngx_http_caportal_store_fault(cf, "bucket", &bucket);
    }
    if (!ngx_http_caportal_store_is_plain(&region, "")) {
        return ngx_http_caportal_store_fault(cf, "region", &region);
    }
    if (!ngx_http_caportal_store_is_plain(&prefix, "/_")) {
        return ngx_http_caportal_store_fault(cf, "prefix", &prefix);
    }

    rv = ngx_http_caportal_store_folder(cf, &spool, store);
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_secret(cf, &file, &secret);
    }
    if (rv == NGX_CONF_OK && ca.data != NULL) {
        rv = ngx_http_caportal_readable(cf, &ca);
    }
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    s3 = ngx_pcalloc(cf->pool, sizeof(cp_s3_conf_t));
    if (s3 == NULL) {
        return NGX_CONF_ERROR;
    }

    s3->endpoint = ngx_http_caportal_cstr(cf, &endpoint);
    s3->bucket = ngx_http_caportal_cstr(cf, &bucket);
    s3->region = region.data == NULL ? "us-east-1" : ngx_http_caportal_cstr(cf, &region);
    s3->prefix = prefix.data == NULL ? "" : ngx_http_caportal_cstr(cf, &prefix);
    s3->ca = ngx_http_caportal_cstr(cf, &ca);
    s3->key_id = ngx_http_caportal_str(key_id);
    s3->key_secret = ngx_http_caportal_str(secret);
    s3->timeout_ms = S3_TIMEOUT;
    store->s3 = s3;

    return s3->endpoint != NULL && s3->bucket != NULL && s3->region != NULL && s3->prefix != NULL ? NGX_CONF_OK
                                                                                                   : NGX_CONF_ERROR;
}


char *
ngx_http_caportal_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t        *word = cf->args->elts;
    cp_store_conf_t  *store = &((ngx_http_caportal_main_conf_t *) conf)->app.store;

    if (store->folder.data != NULL) {
        return "is duplicate";
    }

    if (word[1].len == 2 && ngx_strncmp(word[1].data, "s3", 2) == 0) {
        return ngx_http_caportal_store_s3(cf, store);
    }

    return cf->args->nelts == 2 ? ngx_http_caportal_store_folder(cf, &word[1], store)
                                : "takes a folder, or \"s3\" and its parameters";
}


char *
ngx_http_caportal_upload_quota(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *rv;
    off_t                       size;
    ngx_str_t                   texts[3];
    cp_quota_t                 *quota = &((ngx_http_caportal_main_conf_t *) conf)->app.quota;
    ngx_uint_t                  i;
    int64_t                    *limits[] = { &quota->order, &quota->account, &quota->hall };
    ngx_http_caportal_param_t   params[] = {
        { "order", &texts[0], 0 }, { "account", &texts[1], 0 }, { "hall", &texts[2], 0 },
    };

    if (quota->order != 0 || quota->account != 0 || quota->hall != 0) {
        return "is duplicate";
    }

    rv = ngx_http_caportal_params(cf, 1, params, 3);

    for (i = 0; i < 3 && rv == NGX_CONF_OK; i++) {
        if (texts[i].data == NULL) {
            continue;
        }

        size = ngx_parse_offset(&texts[i]);
        if (size == (off_t) NGX_ERROR || size == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid size \"%V\" of \"caportal_upload_quota\"", &texts[i]);
            return NGX_CONF_ERROR;
        }
        *limits[i] = size;
    }

    return rv;
}
