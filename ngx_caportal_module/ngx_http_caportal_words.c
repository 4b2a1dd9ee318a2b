/* The words of directives: what addresses, times, paths, secrets and named parameters may look like. */
#include "ngx_http_caportal.h"

#include <sys/stat.h>

#define SECRET_MAX   512
#define PIXELS_MOST  1000000000
#define PAGES_MOST   10000


char *
ngx_http_caportal_cstr(ngx_conf_t *cf, ngx_str_t *text)
{
    u_char  *p;

    if (text->data == NULL) {
        return NULL;
    }

    p = ngx_pnalloc(cf->pool, text->len + 1);
    if (p != NULL) {
        ngx_memcpy(p, text->data, text->len);
        p[text->len] = '\0';
    }

    return (char *) p;
}


void
ngx_http_caportal_note(ngx_conf_t *cf, ngx_http_caportal_place_t *place)
{
    if (place->line == 0) {
        place->file = cf->conf_file->file.name;
        place->line = cf->conf_file->line;
    }
}


static ngx_http_caportal_param_t *
ngx_http_caportal_param(ngx_http_caportal_param_t *params, size_t count, ngx_str_t *word)
{
    size_t  i, n;

    for (i = 0; i < count; i++) {
        n = ngx_strlen(params[i].name);
        if (word->len > n && word->data[n] == '=' && ngx_strncmp(word->data, params[i].name, n) == 0) {
            return &params[i];
        }
    }

    return NULL;
}


char *
ngx_http_caportal_params(ngx_conf_t *cf, ngx_uint_t first, ngx_http_caportal_param_t *params, size_t count)
{
    size_t                      i, n;
    ngx_str_t                  *word = cf->args->elts;
    ngx_http_caportal_param_t  *param;

    for (i = 0; i < count; i++) {
        ngx_str_null(params[i].value);
    }

    for (i = first; i < cf->args->nelts; i++) {
        param = ngx_http_caportal_param(params, count, &word[i]);
        if (param == NULL || param->value->data != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s parameter \"%V\" of \"%V\"",
                               param == NULL ? "invalid" : "duplicate", &word[i], &word[0]);
            return NGX_CONF_ERROR;
        }

        n = ngx_strlen(param->name) + 1;
        param->value->data = word[i].data + n;
        param->value->len = word[i].len - n;

        if (param->value->len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "empty parameter \"%V\" of \"%V\"", &word[i], &word[0]);
            return NGX_CONF_ERROR;
        }
    }

    for (i = 0; i < count; i++) {
        if (params[i].required && params[i].value->data == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" needs the parameter \"%s=\"", &word[0], params[i].name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_path(ngx_conf_t *cf, ngx_str_t *path)
{
    if (path->data[0] != '/' || !cp_str_is_text(ngx_http_caportal_str(*path))
        || ngx_strlchr(path->data, path->data + path->len, ' ') != NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid path \"%V\" of \"%V\": expected \"/…\"", path,
                           cf->args->elts);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ssize_t
ngx_http_caportal_read_secret(ngx_fd_t fd, u_char *buf)
{
    ssize_t      n;
    struct stat  st;

    if (fstat(fd, &st) != 0 || (st.st_mode & 0007) != 0) {
        return -1;
    }

    n = read(fd, buf, SECRET_MAX);
    if (n == SECRET_MAX) {
        return -1;
    }

    while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r' || buf[n - 1] == ' ')) {
        n--;
    }

    return n;
}


char *
ngx_http_caportal_secret(ngx_conf_t *cf, ngx_str_t *path, ngx_str_t *text)
{
    u_char    buf[SECRET_MAX];
    ssize_t   n;
    ngx_fd_t  fd;

    ngx_str_null(text);

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "\"%V\": cannot open \"%V\"", cf->args->elts, path);
        return NGX_CONF_ERROR;
    }

    n = ngx_http_caportal_read_secret(fd, buf);
    (void) ngx_close_file(fd);

    if (n <= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": \"%V\" %s", cf->args->elts, path,
                           n == 0 ? "is empty"
                                  : "cannot be read, is too long or is open to others than its owner and group");
        return NGX_CONF_ERROR;
    }

    text->data = ngx_pnalloc(cf->pool, (size_t) n + 1);
    if (text->data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(text->data, buf, (size_t) n);
    text->data[n] = '\0';
    text->len = (size_t) n;
    ngx_explicit_memzero(buf, sizeof(buf));

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_readable(ngx_conf_t *cf, ngx_str_t *path)
{
    ngx_fd_t  fd;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "\"%V\": cannot open \"%V\"", cf->args->elts, path);
        return NGX_CONF_ERROR;
    }
    (void) ngx_close_file(fd);

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_address(ngx_conf_t *cf, ngx_str_t *word, int default_port, const char **socket, const char **host,
    int *port)
{
    u_char     *colon;
    int64_t     n = default_port;
    ngx_str_t   part = *word;

    if (cp_str_starts(ngx_http_caportal_str(*word), "unix:")) {
        part.data += 5;
        part.len -= 5;
        *socket = ngx_http_caportal_cstr(cf, &part);
        if (part.len != 0 && part.data[0] == '/') {
            return *socket == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
        }
    } else {
        colon = ngx_strlchr(word->data, word->data + word->len, ':');
        if (colon != NULL) {
            part.len = (size_t) (colon - word->data);
        }

        if (part.len != 0 && (colon == NULL
            || (cp_str_number(cp_str_n(colon + 1, word->len - part.len - 1), &n) && n > 0 && n < 65536)))
        {
            *host = ngx_http_caportal_cstr(cf, &part);
            *port = (int) n;
            return *host == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid address \"%V\" of \"%V\": expected \"unix:/path\" or \"host:port\"", word,
                       cf->args->elts);
    return NGX_CONF_ERROR;
}


char *
ngx_http_caportal_milliseconds(ngx_conf_t *cf, ngx_str_t *word, unsigned *ms)
{
    ngx_int_t  n = ngx_parse_time(word, 0);

    if (n == NGX_ERROR || n <= 0 || n > 600000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid time \"%V\" of \"%V\"", word, cf->args->elts);
        return NGX_CONF_ERROR;
    }

    *ms = (unsigned) n;
    return NGX_CONF_OK;
}


char *
ngx_http_caportal_pages(ngx_str_t *word, int64_t *pages)
{
    int64_t  n;

    if (!cp_str_number(ngx_http_caportal_str(*word), &n) || n < 1 || n > PAGES_MOST) {
        return "needs a number of pages from 1 to 10000";
    }

    *pages = n;

    return NGX_CONF_OK;
}


char *
ngx_http_caportal_pixels(ngx_str_t *word, int64_t *pixels)
{
    int64_t    n, unit = 1;
    ngx_str_t  digits = *word;

    if (digits.len > 1 && (digits.data[digits.len - 1] == 'm' || digits.data[digits.len - 1] == 'M')) {
        unit = 1000000;
        digits.len--;
    }

    if (!cp_str_number(ngx_http_caportal_str(digits), &n) || n < 1 || n > PIXELS_MOST / unit) {
        return "needs a number of pixels from 1 to 1000m";
    }

    *pixels = n * unit;

    return NGX_CONF_OK;
}
