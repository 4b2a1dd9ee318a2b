/* The query string: strict, because two readers of a sloppy one would disagree. */
#include <string.h>

#include "call/call.h"


static int
hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}


/* Percent-decodes once; "+" is a space, as forms send it. */
static bool
decode(cp_arena_t *arena, cp_str_t in, cp_str_t *out)
{
    char  *p;
    size_t i, n = 0;

    p = cp_alloc(arena, in.len + 1);
    if (p == NULL) {
        return false;
    }

    for (i = 0; i < in.len; i++) {
        if (in.data[i] == '%') {
            int high = i + 2 < in.len ? hex(in.data[i + 1]) : -1;
            int low = i + 2 < in.len ? hex(in.data[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return false;
            }
            p[n++] = (char) (high << 4 | low);
            i += 2;
        } else {
            p[n++] = in.data[i] == '+' ? ' ' : in.data[i];
        }
    }
    p[n] = '\0';

    *out = cp_str_n(p, n);
    return cp_str_is_text(*out);
}


/* Cuts the next "name=value" off the rest; false at the end. */
static bool
next_pair(cp_str_t *rest, cp_str_t *name, cp_str_t *value)
{
    const char *end, *equals;
    size_t      n;

    if (rest->len == 0) {
        return false;
    }

    end = memchr(rest->data, '&', rest->len);
    n = end == NULL ? rest->len : (size_t) (end - rest->data);
    equals = memchr(rest->data, '=', n);

    if (equals == NULL) {
        *name = cp_str_n(rest->data, n);
        *value = CP_STR("");
    } else {
        *name = cp_str_n(rest->data, (size_t) (equals - rest->data));
        *value = cp_str_n(equals + 1, n - name->len - 1);
    }

    *rest = end == NULL ? CP_STR("") : cp_str_n(end + 1, rest->len - n - 1);
    return true;
}


cp_code_t
cp_query_param(cp_call_t *call, const char *wanted, cp_str_t *out)
{
    cp_str_t rest = call->query, name, value;

    *out = CP_STR_NULL;

    while (next_pair(&rest, &name, &value)) {
        if (!cp_str_is(name, wanted)) {
            continue;
        }
        if (out->data != NULL || !decode(call->arena, value, out)) {
            cp_bad_field(call, name, CP_F_FORMAT);
            return CP_E_BAD_QUERY;
        }
    }

    return CP_OK;
}


cp_code_t
cp_query_only(cp_call_t *call, const char *const *names)
{
    cp_str_t  rest = call->query, name, value;
    cp_code_t code = CP_OK;
    size_t    i;

    while (next_pair(&rest, &name, &value)) {
        for (i = 0; names[i] != NULL && !cp_str_is(name, names[i]); i++) {
            /* look on */
        }
        if (names[i] == NULL) {
            cp_bad_field(call, cp_str_is_text(name) ? name : CP_STR("?"), CP_F_UNKNOWN);
            code = CP_E_BAD_QUERY;
        }
    }

    return code;
}
