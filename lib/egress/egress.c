#include "egress.h"

#include <string.h>

#include "egress/curl.h"

typedef struct {
    cp_arena_t *arena;
    char       *data;
    size_t      len;
    size_t      size;
} buffer_t;

cp_code_t
cp_egress_library_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? CP_OK : CP_E_NO_MEMORY;
}


static size_t
take(char *data, size_t size, size_t count, void *user)
{
    buffer_t *buffer = user;
    size_t    n = size * count, wanted = buffer->len + n + 1;

    if (wanted > CP_EGRESS_ANSWER_MAX) {
        return 0;
    }

    if (wanted > buffer->size) {
        char *larger = cp_alloc(buffer->arena, wanted * 2);

        if (larger == NULL) {
            return 0;
        }
        if (buffer->len != 0) {
            memcpy(larger, buffer->data, buffer->len);
        }
        buffer->data = larger;
        buffer->size = wanted * 2;
    }

    memcpy(buffer->data + buffer->len, data, n);
    buffer->len += n;
    buffer->data[buffer->len] = '\0';

    return n;
}


static struct curl_slist *
header_list(cp_arena_t *arena, const cp_egress_request_t *request)
{
    struct curl_slist *list = NULL, *longer;
    size_t             i;

    for (i = 0; i < request->header_count; i++) {
        cp_str_t line = cp_str_dup(arena, request->headers[i]);

        longer = line.data == NULL ? NULL : curl_slist_append(list, line.data);
        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }

    /* Without this curl waits for "100 Continue" before it sends more than 1 KB. */
    longer = curl_slist_append(list, "Expect:");
    if (longer == NULL) {
        curl_slist_free_all(list);
    }

    return longer;
}


static void
set_request(CURL *curl, const cp_egress_conf_t *conf, const cp_egress_request_t *request, const char *url,
            struct curl_slist *headers, buffer_t *buffer)
{
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, conf->socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) conf->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, buffer);

    if (request->body.data != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
    }
}


cp_code_t
cp_egress(const cp_egress_conf_t *conf, cp_arena_t *arena, const cp_egress_request_t *request,
          cp_egress_answer_t *answer)
{
    CURL              *curl;
    CURLcode           result;
    buffer_t           buffer = { arena, NULL, 0, 0 };
    struct curl_slist *headers;
    cp_str_t           url;
    long               status = 0;

    curl = cp_curl_of_thread();
    url = cp_str_printf(arena, "http://egress%.*s", (int) request->path.len, request->path.data);
    headers = header_list(arena, request);
    if (curl == NULL || url.data == NULL || headers == NULL) {
        curl_slist_free_all(headers);
        return CP_E_NO_MEMORY;
    }

    set_request(curl, conf, request, url.data, headers, &buffer);
    result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);

    if (result != CURLE_OK) {
        cp_log(CP_LOG_ERROR, "egress failed: %s", curl_easy_strerror(result));
        return CP_E_EGRESS;
    }

    answer->status = (int) status;
    answer->body = cp_str_n(buffer.data == NULL ? "" : buffer.data, buffer.len);

    return CP_OK;
}
