/* The origins that the operator has named, which alone are worth something: a Host is whatever the client says. */
#include <strings.h>

#include "call/call.h"

#define SCHEME  "https://"


cp_str_t
cp_known_origin(const cp_app_t *app, cp_str_t origin)
{
    size_t i;

    for (i = 0; i < app->origin_count; i++) {
        if (app->origins[i].len == origin.len && strncasecmp(app->origins[i].data, origin.data, origin.len) == 0) {
            return app->origins[i];
        }
    }

    return CP_STR_NULL;
}


cp_code_t
cp_own_origin(const cp_call_t *call, cp_str_t *origin)
{
    cp_str_t named;

    *origin = CP_STR_NULL;
    if (call->host.len == 0) {
        return CP_E_BAD_ORIGIN;
    }

    named = cp_str_printf(call->arena, SCHEME "%.*s", (int) call->host.len, call->host.data);
    if (named.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    *origin = cp_known_origin(call->app, named);
    return origin->data == NULL ? CP_E_BAD_ORIGIN : CP_OK;
}
