#include "session/proof.h"

#include <stddef.h>
#include <string.h>

#include "account/account.h"
#include "account/password.h"
#include "account/password_again.h"
#include "account/sms_code.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "call/fields.h"
#include "session/challenge_ops.h"
#include "session/session.h"
#include "session/session_ops.h"
#include "session/ticket.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

typedef struct {
    cp_str_t  method;
    cp_str_t  secret;
    cp_str_t  state;
} input_t;

static const cp_field_t sms_fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "code", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, secret), NULL, NULL },
};

static const cp_field_t password_fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "password", CP_FIELD_SECRET, true, 1, CP_PASSWORD_MAX, offsetof(input_t, secret), NULL, NULL },
};

static const cp_field_t certificate_fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
};

static const cp_field_t ticket_fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "ticket", CP_FIELD_TEXT, true, 1, 64, offsetof(input_t, secret), NULL, NULL },
    { "state", CP_FIELD_TEXT, true, CP_TICKET_STATE_MIN, CP_TICKET_STATE_MAX, offsetof(input_t, state),
      cp_ticket_state_check, NULL },
};


static cp_code_t
by_sms(cp_call_t *call, const cp_account_t *account)
{
    input_t in;

    CP_TRY(cp_body_read(call, sms_fields, &in));

    return account->phone.data == NULL ? CP_E_BAD_CODE
           : cp_sms_code_redeem(call, account->phone, CP_SMS_FOR_CONFIRM, account->public_id, in.secret);
}


static cp_code_t
by_password(cp_call_t *call, const cp_account_t *account)
{
    input_t in;

    CP_TRY(cp_body_read(call, password_fields, &in));

    return cp_password_again(call, account, in.secret);
}


static bool
has_phone(cp_call_t *call, const cp_account_t *account)
{
    (void) call;

    return account->phone.data != NULL;
}


static bool
has_password(cp_call_t *call, const cp_account_t *account)
{
    (void) call;

    return account->password.data != NULL;
}


static bool
has_certificate(cp_call_t *call, const cp_account_t *account)
{
    bool held = false;

    return cp_certificate_is_held(call, account->id, cp_now_ms(), &held) == CP_OK && held;
}


static cp_code_t
is_own(const cp_account_t *account, const cp_certificate_t *certificate)
{
    return certificate->account == account->id ? CP_OK : CP_E_CERT_OTHER;
}


static cp_code_t
by_certificate(cp_call_t *call, const cp_account_t *account)
{
    input_t          in;
    cp_certificate_t certificate;

    CP_TRY(cp_body_read(call, certificate_fields, &in));
    CP_TRY(cp_certificate_of_tls(call, &certificate));

    return is_own(account, &certificate);
}


/* From the server for certificates, where this session's cookie is not known. */
static cp_code_t
by_ticket(cp_call_t *call, const cp_account_t *account)
{
    input_t          in;
    cp_certificate_t certificate;
    int64_t          id;

    CP_TRY(cp_body_read(call, ticket_fields, &in));
    CP_TRY(cp_ticket_redeem(call, in.secret, in.state, &id));
    CP_TRY(cp_certificate_still_good(call, id, &certificate));

    return is_own(account, &certificate);
}


static cp_code_t
by_challenge(cp_call_t *call, const cp_account_t *account)
{
    cp_certificate_t certificate;

    CP_TRY(cp_challenge_answered(call, &certificate));

    return is_own(account, &certificate);
}


static const struct {
    const char *method;
    unsigned    way;          /* that the account's holder may have ruled out */
    bool      (*possible)(cp_call_t *call, const cp_account_t *account);    /* NULL: is not told */
    cp_code_t (*prove)(cp_call_t *call, const cp_account_t *account);
} ways[] = {
    { "sms",         CP_SIGN_IN_SMS,         has_phone,       by_sms },
    { "password",    CP_SIGN_IN_PASSWORD,    has_password,    by_password },
    { "certificate", CP_SIGN_IN_CERTIFICATE, has_certificate, by_certificate },
    /* How a certificate's proof comes from its server. */
    { "ticket",      CP_SIGN_IN_CERTIFICATE, NULL,            by_ticket },
    { "challenge",   CP_SIGN_IN_CHALLENGE,   has_certificate, by_challenge },
};


/* The record itself: what a worker remembers of a session may be older than a proof that was given a moment ago. */
static cp_code_t
read_proved(cp_call_t *call)
{
    cp_session_line_t *lines;
    size_t             count, i;

    CP_TRY(cp_session_list(call, call->who.account_id, &lines, &count));

    for (i = 0; i < count; i++) {
        if (cp_str_eq(lines[i].who.session_key, call->who.session_key)) {
            call->who.proved_ms = lines[i].who.proved_ms;
        }
    }

    return CP_OK;
}


cp_code_t
cp_proof_demand(cp_call_t *call)
{
    cp_account_t account;
    json_t      *list;
    size_t       i;

    if (cp_session_proved(&call->who, cp_now_ms()) == CP_OK) {
        return CP_OK;
    }

    CP_TRY(read_proved(call));
    if (cp_session_proved(&call->who, cp_now_ms()) == CP_OK) {
        return CP_OK;
    }

    CP_TRY(cp_account_by_id(call, call->who.account, &account));

    list = json_array();
    for (i = 0; i < COUNT(ways); i++) {
        if ((account.ways & ways[i].way) != 0 && ways[i].possible != NULL && ways[i].possible(call, &account)) {
            json_array_append_new(list, json_string(ways[i].method));
        }
    }
    cp_problem(call, "ways", list);

    return CP_E_PROOF_REQUIRED;
}


static cp_code_t
record(cp_call_t *call, const char *action, const cp_account_t *account, const char *method)
{
    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_audit(call, action, "account", account->public_id, json_pack("{s:s}", "method", method)));

    return cp_db_commit(call->db);
}


/* The row that the body names; NULL with `method` marked. */
static cp_code_t
choose(cp_call_t *call, size_t *row)
{
    const json_t *method;

    CP_TRY(cp_body_json(call));

    method = json_object_get(call->input, "method");
    for (*row = 0; *row < COUNT(ways) && json_is_string(method); (*row)++) {
        if (strcmp(json_string_value(method), ways[*row].method) == 0) {
            return CP_OK;
        }
    }

    cp_bad_field(call, CP_STR("method"), method == NULL || json_is_null(method) ? CP_F_REQUIRED
                                         : json_is_string(method) ? CP_F_CHOICE : CP_F_TYPE);
    return CP_E_INVALID;
}


cp_code_t
cp_op_session_prove(cp_call_t *call)
{
    cp_account_t account;
    cp_code_t    code;
    size_t       row;

    CP_TRY(choose(call, &row));
    CP_TRY(cp_account_by_id(call, call->who.account, &account));

    if ((account.ways & ways[row].way) == 0) {
        cp_bad_field(call, CP_STR("method"), CP_F_NOT_SOLD);
        return CP_E_INVALID;
    }

    code = account.active ? ways[row].prove(call, &account) : CP_E_UNAUTHENTICATED;
    if (cp_error(code)->status == 401 && code != CP_E_UNAUTHENTICATED) {
        CP_TRY(record(call, "session.prove.refuse", &account, ways[row].method));
    }
    CP_TRY(code);

    CP_TRY(record(call, "session.prove", &account, ways[row].method));
    CP_TRY(cp_session_prove(call));

    return cp_answer(call, 200, json_pack("{s:o}", "until", cp_json_time(call, call->who.proved_ms
                                                                         + CP_SESSION_PROOF_S * 1000)));
}
