#include "session/session_ops.h"

#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "account/login.h"
#include "base/clock.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "session/session.h"
#include "session/sign_in.h"

#define SMALL_BODY  2048
#define PASSWORD    "password"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char      *method;
    cp_operation_fn  run;
} ways[] = {
    { "sms",         cp_sign_in_by_sms },
    { PASSWORD,      cp_sign_in_by_password },
    { "certificate", cp_sign_in_by_certificate },
    { "ticket",      cp_sign_in_by_ticket },
    { "challenge",   cp_sign_in_by_challenge },
    { "scan",        cp_sign_in_by_scan },
};


/* Only passwords are hashed; a body that is longer than any good one may hide one among the many hashes. */
cp_pool_kind_t
cp_session_pool(const cp_call_t *call)
{
    json_error_t   error;
    json_t        *body;
    const char    *method;
    cp_pool_kind_t pool;

    if (call->body.len > SMALL_BODY) {
        return CP_POOL_PASSWORD;
    }
    if (call->body.len == 0 || (memchr(call->body.data, '\\', call->body.len) == NULL
                                && memmem(call->body.data, call->body.len, PASSWORD, strlen(PASSWORD)) == NULL))
    {
        return CP_POOL_DATABASE;
    }

    body = json_loadb(call->body.data, call->body.len, JSON_REJECT_DUPLICATES, &error);
    method = json_string_value(json_object_get(body, "method"));
    pool = method != NULL && strcmp(method, PASSWORD) == 0 ? CP_POOL_PASSWORD : CP_POOL_DATABASE;
    json_decref(body);

    return pool;
}


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


/* A session as its holder sees it. */
static json_t *
line_json(cp_call_t *call, const cp_session_line_t *line)
{
    const cp_principal_t *who = &line->who;

    return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "id", cp_json(cp_session_id(call->arena, who->session_key)),
                     "current", cp_str_eq(who->session_key, call->who.session_key),
                     "method", cp_json(who->method),
                     "device", cp_json(cp_session_device_text(call->arena, who->device)),
                     "place", cp_json(who->place), "unit", cp_json(who->unit_id),
                     "since", cp_json_time(call, who->since_ms), "seen", cp_json_time(call, line->seen_ms),
                     "expires", cp_json_time(call, cp_session_expires(&call->app->session, who->since_ms,
                                                                      line->seen_ms)));
}


cp_code_t
cp_op_session_show(cp_call_t *call)
{
    cp_session_line_t current = { call->who, cp_now_ms() };
    cp_account_t      account;
    json_t           *shown, *units;
    cp_code_t         code;

    code = cp_account_by_id(call, call->who.account, &account);
    if (code == CP_E_NOT_FOUND || (code == CP_OK && !account.active)) {
        return CP_E_UNAUTHENTICATED;
    }
    CP_TRY(code);

    CP_TRY(cp_account_json(call, &account, &shown));
    code = cp_login_describe(call, &account, shown);
    if (code == CP_OK) {
        code = cp_units_json(call, &units);
    }
    if (code != CP_OK) {
        json_decref(shown);
        return code;
    }
    json_object_set_new(shown, "units", units);

    return cp_answer(call, 200, json_pack("{s:o, s:o}", "account", shown, "session", line_json(call, &current)));
}


/* Newest first. */
static int
by_age(const void *a, const void *b)
{
    const cp_session_line_t *x = a, *y = b;

    return x->who.since_ms < y->who.since_ms ? 1 : x->who.since_ms > y->who.since_ms ? -1 : 0;
}


cp_code_t
cp_op_session_list(cp_call_t *call)
{
    cp_session_line_t *lines;
    json_t            *items = json_array();
    size_t             count, i;
    cp_code_t          code;

    code = cp_session_list(call, call->who.account_id, &lines, &count);
    if (code != CP_OK) {
        json_decref(items);
        return code;
    }
    qsort(lines, count, sizeof(*lines), by_age);

    for (i = 0; i < count; i++) {
        if (json_array_append_new(items, line_json(call, &lines[i])) != 0) {
            json_decref(items);
            return CP_E_NO_MEMORY;
        }
    }

    return cp_answer(call, 200, json_pack("{s:o}", "sessions", items));
}


/* The key of the caller's session that is shown under this id. */
static cp_code_t
find(cp_call_t *call, cp_str_t id, cp_str_t *key)
{
    cp_session_line_t *lines;
    size_t             count, i;

    CP_TRY(cp_session_list(call, call->who.account_id, &lines, &count));

    for (i = 0; i < count; i++) {
        if (cp_str_eq(cp_session_id(call->arena, lines[i].who.session_key), id)) {
            *key = lines[i].who.session_key;
            return CP_OK;
        }
    }

    return CP_E_NOT_FOUND;
}


cp_code_t
cp_op_session_end_one(cp_call_t *call)
{
    cp_str_t key;

    CP_TRY(find(call, call->params[0], &key));
    CP_TRY(cp_answer(call, 204, NULL));

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, "session.end", "account", call->who.account_id,
                    json_pack("{s:o}", "session", cp_json(call->params[0]))));
    CP_TRY(cp_str_eq(key, call->who.session_key) ? cp_session_end(call)
                                                 : cp_session_end_one(call, call->who.account_id, key));

    return cp_call_commit(call);
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
