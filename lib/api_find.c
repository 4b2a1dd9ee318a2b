/* From method and path to the row of the table. */
#include <string.h>

#include "api.h"

const char *const cp_methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", NULL };


/* The part up to the next "/" or the end; the rest begins behind it. */
static cp_str_t
segment(cp_str_t *rest)
{
    const char *slash = memchr(rest->data, '/', rest->len);
    cp_str_t    part;

    if (slash == NULL) {
        part = *rest;
        *rest = CP_STR("");
    } else {
        part = cp_str_n(rest->data, (size_t) (slash - rest->data));
        *rest = cp_str_n(slash + 1, rest->len - part.len - 1);
    }

    return part;
}


/* "{serial}.crl" and the like: a parameter with a fixed tail. */
static bool
match_parameter(cp_str_t pattern, cp_str_t part, cp_str_t *value)
{
    const char *close = memchr(pattern.data, '}', pattern.len);
    size_t      tail = pattern.len - (size_t) (close + 1 - pattern.data);

    if (part.len <= tail || memcmp(part.data + part.len - tail, close + 1, tail) != 0) {
        return false;
    }

    *value = cp_str_n(part.data, part.len - tail);
    return true;
}


static bool
match(const char *pattern, cp_str_t path, cp_str_t params[CP_PARAMS_MAX])
{
    cp_str_t rest = cp_str(pattern), wanted, part;
    size_t   n = 0;

    memset(params, 0, sizeof(cp_str_t) * CP_PARAMS_MAX);

    for ( ;; ) {
        bool more = memchr(rest.data, '/', rest.len) != NULL, path_more = memchr(path.data, '/', path.len) != NULL;

        wanted = segment(&rest);
        part = segment(&path);

        if (wanted.len > 0 && wanted.data[0] == '{') {
            if (n == CP_PARAMS_MAX || !match_parameter(wanted, part, &params[n++])) {
                return false;
            }
        } else if (!cp_str_eq(wanted, part)) {
            return false;
        }

        if (!more || !path_more) {
            return more == path_more;
        }
    }
}


static unsigned
method_bit(const char *method)
{
    unsigned i;

    for (i = 0; cp_methods[i] != NULL && strcmp(cp_methods[i], method) != 0; i++) {
        /* look on */
    }

    return 1u << i;
}


const cp_operation_t *
cp_api_find(cp_str_t method, cp_str_t path, cp_str_t params[CP_PARAMS_MAX], unsigned *allow, cp_code_t *code)
{
    size_t i;

    *allow = 0;

    for (i = 0; i < cp_operation_count; i++) {
        if (!match(cp_operations[i].path, path, params)) {
            continue;
        }
        if (cp_str_is(method, cp_operations[i].method)) {
            *code = CP_OK;
            return &cp_operations[i];
        }
        *allow |= method_bit(cp_operations[i].method);
    }

    *code = *allow == 0 ? CP_E_NOT_FOUND : CP_E_METHOD;
    return NULL;
}


cp_pool_kind_t
cp_api_pool(const cp_call_t *call)
{
    const cp_operation_t *operation = call->operation;

    return operation->choose == NULL ? operation->pool : operation->choose(call);
}
