#include "egress/canonical.h"

#include <stdlib.h>
#include <string.h>


cp_str_t
cp_url_escape(cp_arena_t *arena, cp_str_t text)
{
    static const char digits[] = "0123456789ABCDEF";

    char   *out, *p;
    size_t  i;

    out = cp_alloc(arena, text.len * 3 + 1);
    if (out == NULL) {
        return CP_STR_NULL;
    }

    p = out;
    for (i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
            || c == '.' || c == '~')
        {
            *p++ = (char) c;
            continue;
        }
        *p++ = '%';
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
    }
    *p = '\0';

    return cp_str_n(out, (size_t) (p - out));
}


static int
compare_text(cp_str_t a, cp_str_t b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}


static int
compare_pairs(const void *a, const void *b)
{
    const cp_pair_t *left = a, *right = b;
    int              order = compare_text(left->name, right->name);

    return order != 0 ? order : compare_text(left->value, right->value);
}


/* What is there, with one pair behind it; stays {0, NULL} once memory was out. */
static cp_str_t
append(cp_arena_t *arena, cp_str_t text, const char *separator, cp_str_t name, const char *middle, cp_str_t value)
{
    return text.data == NULL ? text
                             : cp_str_printf(arena, "%.*s%s%.*s%s%.*s", (int) text.len, text.data, separator,
                                             (int) name.len, name.data, middle, (int) value.len, value.data);
}


cp_str_t
cp_canonical_query(cp_arena_t *arena, const cp_pair_t *query, size_t count)
{
    cp_pair_t sorted[CP_CANONICAL_PAIRS_MAX];
    cp_str_t  text = CP_STR("");
    size_t    i;

    if (count > CP_CANONICAL_PAIRS_MAX) {
        return CP_STR_NULL;
    }

    for (i = 0; i < count; i++) {
        sorted[i].name = cp_url_escape(arena, query[i].name);
        sorted[i].value = cp_url_escape(arena, query[i].value);
        if (sorted[i].name.data == NULL || sorted[i].value.data == NULL) {
            return CP_STR_NULL;
        }
    }
    qsort(sorted, count, sizeof(cp_pair_t), compare_pairs);

    for (i = 0; i < count; i++) {
        text = append(arena, text, i == 0 ? "" : "&", sorted[i].name, "=", sorted[i].value);
    }

    return text;
}


static cp_str_t
trim(cp_str_t s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}


bool
cp_canonical_headers(cp_arena_t *arena, const cp_canonical_t *request, cp_str_t *lines, cp_str_t *names)
{
    cp_pair_t sorted[CP_CANONICAL_PAIRS_MAX];
    size_t    i;

    if (request->header_count > CP_CANONICAL_PAIRS_MAX) {
        return false;
    }

    memcpy(sorted, request->headers, request->header_count * sizeof(cp_pair_t));
    qsort(sorted, request->header_count, sizeof(cp_pair_t), compare_pairs);

    *lines = *names = CP_STR("");
    for (i = 0; i < request->header_count; i++) {
        *lines = append(arena, *lines, "", sorted[i].name, ":", trim(sorted[i].value));
        *lines = append(arena, *lines, "", CP_STR("\n"), "", CP_STR(""));
        *names = append(arena, *names, i == 0 ? "" : ";", sorted[i].name, "", CP_STR(""));
    }

    return lines->data != NULL && names->data != NULL;
}


cp_str_t
cp_canonical_request(cp_arena_t *arena, const cp_canonical_t *request)
{
    cp_str_t query, lines, names;

    query = cp_canonical_query(arena, request->query, request->query_count);
    if (query.data == NULL || request->digest.data == NULL || !cp_canonical_headers(arena, request, &lines, &names)) {
        return CP_STR_NULL;
    }

    return cp_str_printf(arena, "%s\n%.*s\n%s\n%s\n%s\n%.*s", request->method, (int) request->path.len,
                         request->path.data, query.data, lines.data, names.data, (int) request->digest.len,
                         request->digest.data);
}
