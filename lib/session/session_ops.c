#include "session/session_ops.h"

#include <stddef.h>
#include <string.h>

#include "account/account.h"
#include "account/password.h"
#include "account/sms_code.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "call/fields.h"
#include "certificate/certificate.h"
#include "identity/identity.h"
#include "redis/limit.h"
#include "session/session.h"
#include "staff/staff.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

#define FAILURES           10
#define FAILURES_WINDOW_S  (15 * 60)

typedef struct {
    cp_str_t  method;
    cp_str_t  phone;
    cp_str_t  code;
    cp_str_t  login;
    cp_str_t  password;
} input_t;

static const cp_field_t sms_fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "phone", CP_FIELD_TEXT, true, 1, 20, offsetof(input_t, phone), cp_field_mobile, NULL },
    { "code", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, code), NULL, NULL },
};

static const cp_field_t password_fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "login", CP_FIELD_TEXT, true, 1, 64, offsetof(input_t, login), NULL, NULL },
    { "password", CP_FIELD_SECRET, true, 1, CP_PASSWORD_MAX, offsetof(input_t, password), NULL, NULL },
};

static const cp_field_t certificate_fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
};


/* The way must be one that some hall offers, where there are halls. */
static cp_code_t
check_offered(cp_call_t *call, unsigned way)
{
    const cp_catalog_t *catalog = &call->app->catalog;
    size_t              i;

    for (i = 0; i < catalog->hall_count; i++) {
        if ((catalog->halls[i]->sign_in & way) != 0) {
            return CP_OK;
        }
    }

    if (catalog->hall_count == 0) {
        return CP_OK;
    }

    cp_bad_field(call, CP_STR("method"), CP_F_NOT_SOLD);
    return CP_E_INVALID;
}


/* Records that somebody was refused; `object_id` is "unknown" where there is no such account. */
static cp_code_t
record_refusal(cp_call_t *call, const char *method, cp_str_t object_id)
{
    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_audit(call, "session.refuse", "account", object_id, json_pack("{s:s}", "method", method)));

    return cp_db_commit(call->db);
}


/* What all ways end in: the record of it, the session, the answer. */
static cp_code_t
sign_in(cp_call_t *call, const cp_account_t *account, const char *method)
{
    json_t *shown;

    if (!account->active) {
        CP_TRY(record_refusal(call, method, account->public_id));
        return CP_E_FORBIDDEN;
    }

    call->who.account = account->id;
    call->who.account_id = account->public_id;
    call->who.method = cp_str(method);
    CP_TRY(cp_sole_unit_of_caller(call, &call->who.unit_id));

    CP_TRY(cp_account_json(call, account, &shown));
    CP_TRY(cp_answer(call, 201, json_pack("{s:o}", "account", shown)));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, "session.create", "account", account->public_id, json_pack("{s:s}", "method", method)));
    CP_TRY(cp_call_commit(call));

    return cp_session_start(call);
}


static cp_code_t
by_sms(cp_call_t *call)
{
    input_t      in;
    cp_account_t account;
    cp_code_t    code, known;

    CP_TRY(cp_body_read(call, sms_fields, &in));
    CP_TRY(check_offered(call, CP_SIGN_IN_SMS));

    /* Read before the code is used up: a database that is away must not cost it. */
    known = cp_account_by_phone(call, in.phone, &account);
    if (known != CP_OK && known != CP_E_NOT_FOUND) {
        return known;
    }

    code = cp_sms_code_redeem(call, in.phone, CP_SMS_FOR_LOGIN, in.code);
    if (code == CP_E_BAD_CODE) {
        CP_TRY(record_refusal(call, "sms", known == CP_OK ? account.public_id : CP_STR("unknown")));
    }
    CP_TRY(code);

    CP_TRY(cp_account_register(call, in.phone, &account));

    return sign_in(call, &account, "sms");
}


/* Failures of one login from one address, whether there is such an account or not. */
static cp_code_t
failures_of(cp_call_t *call, cp_str_t login, cp_limit_t *failures)
{
    cp_str_t index, name;

    CP_TRY(cp_blind_index(call->app->keys, call->arena, "account.phone", login, &index));
    name = cp_str_hex(call->arena, index);
    if (name.data != NULL) {
        name = cp_str_printf(call->arena, "%s:%.*s", name.data, (int) call->client_ip.len, call->client_ip.data);
    }
    if (name.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    *failures = (cp_limit_t) { cp_redis_key(&call->app->redis, call->arena, "password-failures", name), FAILURES,
                               FAILURES_WINDOW_S };

    return failures->key.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


static cp_code_t
by_password(cp_call_t *call)
{
    input_t      in;
    cp_account_t account = { 0 };
    cp_limit_t   failures;
    cp_code_t    code, known;

    CP_TRY(cp_body_read(call, password_fields, &in));
    CP_TRY(check_offered(call, CP_SIGN_IN_PASSWORD));

    known = cp_account_by_phone(call, in.login, &account);
    if (known != CP_OK && known != CP_E_NOT_FOUND) {
        return known;
    }

    /* Counted before the work, so that many at once cannot all slip under the limit. */
    CP_TRY(failures_of(call, in.login, &failures));
    CP_TRY(cp_limit_take(&call->app->redis, call->arena, &failures, 1, NULL, &call->retry_after_s));

    code = cp_password_verify(call->arena, in.password, account.password);
    if (code == CP_E_BAD_CREDENTIALS || (code == CP_OK && !account.active)) {
        CP_TRY(record_refusal(call, "password", known == CP_OK ? account.public_id : CP_STR("unknown")));
        return CP_E_BAD_CREDENTIALS;
    }

    if (code != CP_OK) {
        CP_TRY(cp_limit_give_back(&call->app->redis, &failures, 1));
        call->retry_after_s = code == CP_E_BUSY ? 1 : 0;
        return code;
    }

    CP_TRY(cp_limit_forget(&call->app->redis, failures.key));

    return sign_in(call, &account, "password");
}


/* A member of staff gets no session: the staff API looks at the certificate at each call. */
static cp_code_t
greet_staff(cp_call_t *call)
{
    json_t *roles = cp_words_json(cp_role_words, call->who.roles);

    CP_TRY(cp_answer(call, 201, json_pack("{s:{s:o, s:o}}", "staff", "id", cp_json(call->who.staff_id), "roles",
                                          roles)));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, "staff.sign_in", "staff", call->who.staff_id, NULL));

    return cp_call_commit(call);
}


static cp_code_t
by_certificate(cp_call_t *call)
{
    input_t           in;
    cp_account_t      account;
    cp_certificate_t  certificate;
    cp_code_t         code;

    CP_TRY(cp_body_read(call, certificate_fields, &in));

    code = cp_staff_authenticate(call);
    if (code == CP_OK) {
        return greet_staff(call);
    }
    if (cp_error(code)->status != 401) {
        return code;
    }

    CP_TRY(check_offered(call, CP_SIGN_IN_CERTIFICATE));

    code = cp_certificate_of_tls(call, &certificate);
    if (cp_error(code)->status == 401) {
        CP_TRY(cp_call_db(call));
        CP_TRY(record_refusal(call, "certificate", CP_STR("unknown")));
    }
    CP_TRY(code);
    CP_TRY(cp_account_by_id(call, certificate.account, &account));

    return sign_in(call, &account, "certificate");
}


static const struct {
    const char      *method;
    cp_operation_fn  run;
} ways[] = {
    { "sms",         by_sms },
    { "password",    by_password },
    { "certificate", by_certificate },
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
