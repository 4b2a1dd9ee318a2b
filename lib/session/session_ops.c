#include "session/session_ops.h"

#include <string.h>

#include "base/clock.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "session/session.h"
#include "session/sign_in.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char      *method;
    cp_operation_fn  run;
} ways[] = {
    { "sms",         cp_sign_in_by_sms },
    { "password",    cp_sign_in_by_password },
    { "certificate", cp_sign_in_by_certificate },
};


cp_code_t
cp_op_session_create(cp_call_t *call)
{
    const json_t *method;
    size_t        i;

    CP_TRY(cp_body_json(call));

    method = json_object_get(call->input, "method");
    for (i = 0; i < COUNT(ways) && json_is_string(method); i++) {
        if (strcmp(json_string_value(method), ways[i].method) == 0) {
            return ways[i].run(call);
        }
    }

    cp_bad_field(call, CP_STR("method"), method == NULL || json_is_null(method) ? CP_F_REQUIRED
                                         : json_is_string(method) ? CP_F_CHOICE : CP_F_TYPE);
    return CP_E_INVALID;
}


cp_code_t
cp_op_session_show(cp_call_t *call)
{
    const cp_session_conf_t *conf = &call->app->session;
    cp_account_t             account;
    json_t                  *shown, *units;
    cp_code_t                code;

    code = cp_account_by_id(call, call->who.account, &account);
    if (code == CP_E_NOT_FOUND || (code == CP_OK && !account.active)) {
        return CP_E_UNAUTHENTICATED;
    }
    CP_TRY(code);

    CP_TRY(cp_units_json(call, &units));
    code = cp_account_json(call, &account, &shown);
    if (code != CP_OK) {
        json_decref(units);
        return code;
    }
    json_object_set_new(shown, "units", units);

    return cp_answer(call, 200,
                     json_pack("{s:o, s:{s:o, s:o, s:o}}", "account", shown, "session", "method",
                               cp_json(call->who.method), "since", cp_json_time(call, call->who.since_ms), "expires",
                               cp_json_time(call, cp_session_expires(conf, call->who.since_ms, cp_now_ms()))));
}


cp_code_t
cp_op_session_end(cp_call_t *call)
{
    CP_TRY(cp_session_end(call));

    return cp_answer(call, 204, NULL);
}


cp_code_t
cp_op_session_end_all(cp_call_t *call)
{
    CP_TRY(cp_session_end_all(call));

    return cp_answer(call, 204, NULL);
}
