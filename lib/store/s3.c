#include "store/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "egress/curl.h"
#include "store/sigv4.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

#define PAGE_MAX  (1024 * 1024)    /* bytes of one page of a listing */
#define PAGE      "500"            /* objects in it */

/* One exchange: what is asked, and where the answer goes. */
typedef struct {
    const char      *method;
    const char      *name;          /* of the object; NULL: the bucket itself */
    const cp_pair_t *query;
    size_t           query_count;
    cp_str_t         range;         /* "bytes=0-15", or {0, NULL} */
    int              file;          /* the body, -1: none */
    int64_t          file_size;
    cp_str_t         digest;        /* of the body */

    int64_t          sent;
    unsigned char   *out;
    size_t           room;
    size_t           got;
    int64_t          total;         /* of the object, by Content-Range; -1: not told */
    long             status;
} exchange_t;


static size_t
send_body(char *data, size_t size, size_t count, void *user)
{
    exchange_t *x = user;
    ssize_t     n = pread(x->file, data, size * count, x->sent);

    if (n < 0) {
        return CURL_READFUNC_ABORT;
    }
    x->sent += n;

    return (size_t) n;
}


static size_t
take_body(char *data, size_t size, size_t count, void *user)
{
    exchange_t *x = user;
    size_t      n = size * count, fits = n < x->room - x->got ? n : x->room - x->got;

    if (fits != 0) {
        memcpy(x->out + x->got, data, fits);
        x->got += fits;
    }

    /* An error's text may be longer than what was asked for; a whole object is not wanted. */
    return n;
}


static size_t
take_header(char *data, size_t size, size_t count, void *user)
{
    static const char name[] = "content-range:";

    exchange_t *x = user;
    size_t      n = size * count;
    cp_str_t    line = cp_str_n(data, n);
    char       *slash;

    if (n > sizeof(name) && strncasecmp(data, name, sizeof(name) - 1) == 0) {
        while (line.len > 0 && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == '\n')) {
            line.len--;
        }
        slash = memchr(line.data, '/', line.len);
        if (slash != NULL) {
            (void) cp_str_number(cp_str_n(slash + 1, line.len - (size_t) (slash + 1 - line.data)), &x->total);
        }
    }

    return n;
}


/* "/bucket/prefixname": of characters that need no escape (the configuration checks bucket and prefix). */
static cp_str_t
path_of(const cp_s3_conf_t *conf, cp_arena_t *arena, const char *name)
{
    return name == NULL ? cp_str_printf(arena, "/%s", conf->bucket)
                        : cp_str_printf(arena, "/%s/%s%s", conf->bucket, conf->prefix, name);
}


static bool
time_now(char text[17])
{
    time_t    now = (time_t) (cp_now_ms() / 1000);
    struct tm tm;

    return gmtime_r(&now, &tm) != NULL && strftime(text, 17, "%Y%m%dT%H%M%SZ", &tm) == 16;
}


static struct curl_slist *
header_lines(cp_arena_t *arena, const cp_pair_t *headers, size_t count, cp_str_t authorization)
{
    struct curl_slist *list, *longer;
    cp_str_t           line;
    size_t             i;

    list = curl_slist_append(NULL, "Expect:");
    for (i = 0; i <= count && list != NULL; i++) {
        line = i == count ? cp_str_printf(arena, "Authorization: %s", authorization.data)
                          : cp_str_printf(arena, "%s: %.*s", headers[i].name.data, (int) headers[i].value.len,
                                          headers[i].value.data);
        longer = line.data == NULL ? NULL : curl_slist_append(list, line.data);
        if (longer == NULL) {
            curl_slist_free_all(list);
        }
        list = longer;
    }

    return list;
}


/* The exchange's headers, signed; NULL when memory is out. */
static struct curl_slist *
sign(const cp_s3_conf_t *conf, cp_arena_t *arena, const exchange_t *x, cp_str_t path)
{
    char           now[17];
    const char    *host = strstr(conf->endpoint, "://");
    cp_pair_t      headers[] = {
        { CP_STR("host"), cp_str(host == NULL ? conf->endpoint : host + 3) },
        { CP_STR("x-amz-content-sha256"), x->digest },
        { CP_STR("x-amz-date"), cp_str_n(now, 16) },
        { CP_STR("range"), x->range },
    };
    size_t         count = COUNT(headers) - (x->range.data == NULL);
    cp_canonical_t request = { x->method, path, x->query, x->query_count, headers, count, x->digest };
    cp_sigv4_t     by = { conf->key_id, conf->key_secret, conf->region, "s3", now };
    cp_str_t       authorization;

    if (!time_now(now)) {
        return NULL;
    }

    authorization = cp_sigv4_authorization(arena, &by, &request);

    return authorization.data == NULL ? NULL : header_lines(arena, headers, count, authorization);
}


static void
set_options(CURL *curl, const cp_s3_conf_t *conf, exchange_t *x, const char *url, struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, x->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) conf->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);

    if (conf->ca != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, conf->ca);
    }
    if (x->file != -1) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, x);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) x->file_size);
    }
}


static cp_code_t
exchange(const cp_s3_conf_t *conf, cp_arena_t *arena, exchange_t *x)
{
    struct curl_slist *headers;
    CURLcode           result;
    cp_str_t           path, query, url;
    CURL              *curl = cp_curl_of_thread();

    if (x->digest.data == NULL) {
        x->digest = cp_sha256_hex(arena, CP_STR(""));
    }
    path = path_of(conf, arena, x->name);
    query = cp_canonical_query(arena, x->query, x->query_count);
    if (curl == NULL || path.data == NULL || query.data == NULL || x->digest.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    url = cp_str_printf(arena, "%s%s%s%s", conf->endpoint, path.data, query.len == 0 ? "" : "?", query.data);
    headers = sign(conf, arena, x, path);
    if (url.data == NULL || headers == NULL) {
        curl_slist_free_all(headers);
        return CP_E_NO_MEMORY;
    }

    set_options(curl, conf, x, url.data, headers);
    result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
    curl_slist_free_all(headers);

    if (result != CURLE_OK) {
        cp_log(CP_LOG_ERROR, "material store: %s failed: %s", x->method, curl_easy_strerror(result));
        return CP_E_STORE;
    }

    return CP_OK;
}


/* A status that nobody asked for: the server's own word for it stands between <Code> and </Code>. */
static cp_code_t
refused(const exchange_t *x)
{
    cp_code_t   code = x->status == 507 ? CP_E_STORE_FULL : CP_E_STORE;
    const char *word = x->got == 0 ? NULL : memmem(x->out, x->got, "<Code>", 6);
    size_t      left = word == NULL ? 0 : x->got - (size_t) ((const unsigned char *) word + 6 - x->out);

    cp_log(cp_error(code)->level, "material store: %s was answered with %ld %.*s", x->method, x->status,
           word == NULL ? 0 : (int) strnlen(word + 6, left > 40 ? 40 : left), word == NULL ? "" : word + 6);

    return code;
}


/* SHA-256 of a whole file, hexadecimal. */
static cp_code_t
digest_of(cp_arena_t *arena, int file, int64_t size, cp_str_t *digest)
{
    unsigned char *bytes = cp_alloc(arena, (size_t) size + 1);
    int64_t        at = 0;

    if (bytes == NULL) {
        return CP_E_NO_MEMORY;
    }

    while (at < size) {
        ssize_t n = pread(file, bytes + at, (size_t) (size - at), at);

        if (n <= 0) {
            return cp_store_failed("reading");
        }
        at += n;
    }

    *digest = cp_sha256_hex(arena, cp_str_n(bytes, (size_t) size));

    return digest->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_s3_put(const cp_s3_conf_t *conf, cp_arena_t *arena, int file, const char *name)
{
    unsigned char text[1024];
    exchange_t    x = { .method = "PUT", .name = name, .file = file, .out = text, .room = sizeof(text), .total = -1 };
    struct stat   st;

    if (fstat(file, &st) != 0) {
        return cp_store_failed("reading");
    }
    x.file_size = st.st_size;

    CP_TRY(digest_of(arena, file, x.file_size, &x.digest));
    CP_TRY(exchange(conf, arena, &x));

    return x.status == 200 ? CP_OK : refused(&x);
}


cp_code_t
cp_s3_get(const cp_s3_conf_t *conf, cp_arena_t *arena, const char *name, int64_t offset, size_t len,
          unsigned char *out, int64_t *size)
{
    exchange_t x = { .method = "GET", .name = name, .file = -1, .out = out, .room = len, .total = -1 };

    x.range = cp_str_printf(arena, "bytes=%lld-%lld", (long long) offset, (long long) (offset + (int64_t) len - 1));
    if (x.range.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(exchange(conf, arena, &x));

    if (x.status == 404) {
        return CP_E_NOT_FOUND;
    }
    if (x.status == 416 || (x.status == 206 && (x.got < len || x.total < 0))) {
        return CP_E_INTERNAL;
    }
    *size = x.total;

    return x.status == 206 ? CP_OK : refused(&x);
}


cp_code_t
cp_s3_delete(const cp_s3_conf_t *conf, cp_arena_t *arena, const char *name)
{
    unsigned char text[1024];
    exchange_t    x = { .method = "DELETE", .name = name, .file = -1, .out = text, .room = sizeof(text), .total = -1 };

    CP_TRY(exchange(conf, arena, &x));

    return x.status == 204 || x.status == 200 || x.status == 404 ? CP_OK : refused(&x);
}


/* One page of the bucket's listing; token {0, NULL}: the first. */
static cp_code_t
list(const cp_s3_conf_t *conf, cp_arena_t *arena, cp_str_t token, cp_str_t *page)
{
    cp_pair_t  query[] = {
        { CP_STR("list-type"), CP_STR("2") },
        { CP_STR("max-keys"), CP_STR(PAGE) },
        { CP_STR("prefix"), cp_str(conf->prefix) },
        { CP_STR("continuation-token"), token },
    };
    exchange_t x = { .method = "GET", .query = query, .query_count = COUNT(query) - (token.data == NULL), .file = -1,
                     .room = PAGE_MAX, .total = -1 };

    x.out = cp_alloc(arena, PAGE_MAX);
    if (x.out == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(exchange(conf, arena, &x));

    *page = cp_str_n(x.out, x.got);

    return x.status == 200 ? CP_OK : refused(&x);
}


static cp_code_t
sweep_page(const cp_s3_conf_t *conf, cp_arena_t *arena, cp_sweep_t *sweep, cp_str_t page)
{
    char     text[CP_FILE_NAME + 1];
    int64_t  modified;
    cp_str_t name;
    size_t   at = 0;
    bool     needed;

    while (cp_s3_listed(page, &at, conf->prefix, &name, &modified)) {
        if (sweep->now_ms - modified <= sweep->settled_ms) {
            continue;
        }

        CP_TRY(sweep->needed(sweep->data, name, &needed));
        if (!needed) {
            memcpy(text, name.data, CP_FILE_NAME);
            text[CP_FILE_NAME] = '\0';
            CP_TRY(cp_s3_delete(conf, arena, text));
            sweep->removed++;
        }
    }

    return CP_OK;
}


cp_code_t
cp_s3_sweep(const cp_s3_conf_t *conf, cp_sweep_t *sweep)
{
    cp_arena_t *arena, *next;
    cp_str_t    token = CP_STR_NULL, page;
    cp_code_t   code = CP_OK;

    /* Two arenas in turn: a page's token names the next one. */
    arena = cp_arena_new(0);
    do {
        next = cp_arena_new(0);
        code = arena == NULL || next == NULL ? CP_E_NO_MEMORY : list(conf, next, token, &page);
        cp_arena_free(arena);
        arena = next;

        if (code == CP_OK) {
            code = sweep_page(conf, arena, sweep, page);
            token = cp_s3_next_page(page);
        }
    } while (code == CP_OK && token.data != NULL);

    cp_arena_free(arena);

    return code;
}
