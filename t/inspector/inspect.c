/*
 * inspect SOCKET [NAME=VALUE…] TYPE:FILE…      one line of JSON a file, what cp_inspect() said of it
 *
 * NAME is pixels, pages, thumbnail, quality, edge, mark (a text), timeout (ms), times (each file so often) or out (a
 * prefix: copies are written to PREFIX.copy, .thumbnail and .page1 …).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "catalog/catalog.h"
#include "inspect/inspect.h"

static cp_inspect_conf_t     conf = { .timeout_ms = 90000 };
static cp_inspect_request_t  request;
static unsigned              times = 1;
static const char           *out;


void
cp_log(cp_log_level_t level, const char *format, ...)
{
    va_list args;

    (void) level;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}


static unsigned
type_of(const char *name)
{
    static const struct { const char *name; unsigned type; } types[] = {
        { "jpeg", CP_TYPE_JPEG }, { "png", CP_TYPE_PNG }, { "bmp", CP_TYPE_BMP },
        { "gif", CP_TYPE_GIF },   { "pdf", CP_TYPE_PDF },
    };
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].type;
        }
    }

    return 0;
}


static bool
set(const char *name, const char *value)
{
    unsigned number = (unsigned) strtoul(value, NULL, 10);

    if (strcmp(name, "pixels") == 0) {
        request.max_pixels = strtoull(value, NULL, 10);
    } else if (strcmp(name, "pages") == 0) {
        request.max_pages = number;
    } else if (strcmp(name, "thumbnail") == 0) {
        request.thumbnail = number;
    } else if (strcmp(name, "quality") == 0) {
        request.quality = number;
    } else if (strcmp(name, "edge") == 0) {
        request.min_edge = number;
    } else if (strcmp(name, "mark") == 0) {
        request.mark = value;
    } else if (strcmp(name, "timeout") == 0) {
        conf.timeout_ms = number;
    } else if (strcmp(name, "times") == 0) {
        times = number;
    } else if (strcmp(name, "out") == 0) {
        out = value;
    } else {
        return false;
    }

    return true;
}


static cp_str_t
load(const char *path)
{
    FILE  *file = fopen(path, "rb");
    char  *bytes = NULL;
    size_t size = 0, n;

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    do {
        bytes = realloc(bytes, size + (1 << 20));
        if (bytes == NULL) {
            exit(2);
        }
        n = fread(bytes + size, 1, 1 << 20, file);
        size += n;
    } while (n != 0);
    fclose(file);

    return cp_str_n(bytes, size);
}


static void
save(const char *name, const cp_inspect_copy_t *copy)
{
    char  path[512];
    FILE *file;

    if (out == NULL || copy->bytes.len == 0) {
        return;
    }
    snprintf(path, sizeof(path), "%s.%s", out, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(copy->bytes.data, 1, copy->bytes.len, file) != copy->bytes.len || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}


static void
print_copy(const char *name, const cp_inspect_copy_t *copy)
{
    printf("\"%s\":{\"type\":\"%s\",\"size\":%zu,\"width\":%u,\"height\":%u}", name,
           copy->type == NULL ? "" : copy->type, copy->bytes.len, copy->width, copy->height);
}


static void
print(const char *name, cp_code_t code, const cp_inspection_t *result)
{
    char     page[16];
    unsigned i;

    printf("{\"name\":\"%s\",\"code\":\"%s\",\"reason\":\"%s\"", name, code == CP_OK ? "" : cp_error(code)->code,
           code != CP_OK || result->reason == CP_INSPECT_OK ? "" : cp_inspect_text(result->reason)->word);
    if (code == CP_OK && result->reason == CP_INSPECT_OK) {
        printf(",\"width\":%u,\"height\":%u,\"orientation\":%u,\"dark\":%d,\"blurred\":%d,\"small\":%d,\"stamp\":%d,"
               "\"landscape\":%d,", result->width, result->height, result->orientation,
               (result->hints & CP_HINT_DARK) != 0, (result->hints & CP_HINT_BLURRED) != 0,
               (result->hints & CP_HINT_SMALL) != 0, (result->hints & CP_HINT_STAMP) != 0,
               (result->hints & CP_HINT_LANDSCAPE) != 0);
        print_copy("copy", &result->copy);
        putchar(',');
        print_copy("thumbnail", &result->thumbnail);
        printf(",\"pages\":[");
        for (i = 0; i < result->page_count; i++) {
            printf(i == 0 ? "{" : ",{");
            snprintf(page, sizeof(page), "page%u", i + 1);
            print_copy("copy", &result->pages[i]);
            save(page, &result->pages[i]);
            putchar('}');
        }
        putchar(']');
        save("copy", &result->copy);
        save("thumbnail", &result->thumbnail);
    }
    printf("}\n");
    fflush(stdout);
}


int
main(int argc, char **argv)
{
    int i;

    if (argc < 3) {
        fprintf(stderr, "Usage: inspect SOCKET [NAME=VALUE…] TYPE:FILE…\n");
        return 2;
    }
    conf.socket = argv[1];
    request = cp_inspect_defaults;

    for (i = 2; i < argc; i++) {
        char           *equals = strchr(argv[i], '='), *colon = strchr(argv[i], ':');
        cp_inspection_t result;
        cp_str_t        bytes;
        unsigned        n;

        if (equals != NULL && (colon == NULL || equals < colon)) {
            *equals = '\0';
            if (!set(argv[i], equals + 1)) {
                return 2;
            }
            continue;
        }
        if (colon == NULL) {
            return 2;
        }
        *colon = '\0';
        request.type = type_of(argv[i]);
        bytes = load(colon + 1);
        for (n = 0; n < times; n++) {
            cp_code_t code = cp_inspect(&conf, &request, bytes, &result);

            print(colon + 1, code, &result);
            cp_inspection_free(&result);
        }
        free(bytes.data);
    }

    return 0;
}
