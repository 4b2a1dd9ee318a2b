/*
 * caportal_store: a folder, or `s3` with a bucket of an S3-compatible server and the folder of what still arrives.
 * caportal_upload_quota: how much of it an order, an account and a hall may take. caportal_inspector: who decodes what
 * is to be stored, and within which limits.
 */
#include "ngx_http_caportal.h"

#include <sys/stat.h>

#define S3_TIMEOUT         30000    /* milliseconds */
#define INSPECTOR_TIMEOUT  15000    /* longer than the inspector's own time of one file */
#define MIN_EDGE           400      /* pixels: less of a page cannot be read */


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


/* A number of the inspector's: its name, where it goes, what it may be. */
typedef struct {
    const char  *name;
    ngx_str_t    text;
    int64_t      least;
    int64_t      most;
    int64_t      value;
} ngx_http_caportal_inspector_number_t;


static char *
ngx_http_caportal_inspector_numbers(ngx_conf_t *cf, ngx_http_caportal_inspector_number_t *numbers, ngx_uint_t count)
{
    int64_t     n;
    ngx_uint_t  i;

    for (i = 0; i < count; i++) {
        if (numbers[i].text.data == NULL) {
            continue;
        }

        if (!cp_str_number(ngx_http_caportal_str(numbers[i].text), &n) || n < numbers[i].least || n > numbers[i].most)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number \"%V\" of \"caportal_inspector\": \"%s=\" takes %L to %L",
                               &numbers[i].text, numbers[i].name, numbers[i].least, numbers[i].most);
            return NGX_CONF_ERROR;
        }
        numbers[i].value = n;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_caportal_inspector_socket(ngx_conf_t *cf, ngx_str_t *word, cp_inspect_conf_t *inspector)
{
    int          port = 0;
    char        *rv;
    const char  *host = NULL;

    rv = ngx_http_caportal_address(cf, word, 1, &inspector->socket, &host, &port);
    if (rv == NGX_CONF_OK && host != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"caportal_inspector\" takes \"unix:/path\" only");
        return NGX_CONF_ERROR;
    }
    if (rv == NGX_CONF_OK && ngx_strlen(inspector->socket) >= sizeof(((struct sockaddr_un *) NULL)->sun_path)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the path \"%V\" of \"caportal_inspector\" is too long", word);
        return NGX_CONF_ERROR;
    }

    return rv;
}


char *
ngx_http_caportal_inspector(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                                  *rv;
    ngx_str_t                             *word = cf->args->elts, timeout;
    cp_app_t                              *app = &((ngx_http_caportal_main_conf_t *) conf)->app;
    cp_inspect_request_t                  *asked = &app->inspection;
    ngx_http_caportal_inspector_number_t   numbers[] = {
        { "pixels", ngx_null_string, 1000000, 1000000000, (int64_t) cp_inspect_defaults.max_pixels },
        { "pages", ngx_null_string, 1, CP_INSPECT_PAGES, cp_inspect_defaults.max_pages },
        { "thumbnail", ngx_null_string, 16, 1024, cp_inspect_defaults.thumbnail },
        { "quality", ngx_null_string, 50, 100, cp_inspect_defaults.quality },
        { "min_edge", ngx_null_string, 0, 10000, MIN_EDGE },
    };
    ngx_http_caportal_param_t              params[] = {
        { "timeout", &timeout, 0 },           { "pixels", &numbers[0].text, 0 },  { "pages", &numbers[1].text, 0 },
        { "thumbnail", &numbers[2].text, 0 }, { "quality", &numbers[3].text, 0 }, { "min_edge", &numbers[4].text, 0 },
    };

    if (app->inspector.socket != NULL) {
        return "is duplicate";
    }

    app->inspector.timeout_ms = INSPECTOR_TIMEOUT;

    rv = ngx_http_caportal_inspector_socket(cf, &word[1], &app->inspector);
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_params(cf, 2, params, sizeof(params) / sizeof(params[0]));
    }
    if (rv == NGX_CONF_OK && timeout.data != NULL) {
        rv = ngx_http_caportal_milliseconds(cf, &timeout, &app->inspector.timeout_ms);
    }
    if (rv == NGX_CONF_OK) {
        rv = ngx_http_caportal_inspector_numbers(cf, numbers, sizeof(numbers) / sizeof(numbers[0]));
    }
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    asked->max_pixels = (uint64_t) numbers[0].value;
    asked->max_pages = (unsigned) numbers[1].value;
    asked->thumbnail = (unsigned) numbers[2].value;
    asked->quality = (unsigned) numbers[3].value;
    asked->min_edge = (unsigned) numbers[4].value;

    return NGX_CONF_OK;
}
