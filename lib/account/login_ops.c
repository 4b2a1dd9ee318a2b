/* The logins of one's own account besides its number. */
#include <stddef.h>

#include "account/account_ops.h"
#include "account/login.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "member/member.h"
#include "redis/limit.h"

/* Whether somebody has a login shows when it is asked for: so often a day may an account ask. */
#define CHANGES           10
#define CHANGES_WINDOW_S  (24 * 3600)

typedef struct {
    cp_str_t  text;
} input_t;

static const cp_field_t email_fields[] = {
    { "email", CP_FIELD_TEXT, true, 3, CP_LOGIN_MAX, offsetof(input_t, text), cp_field_email, NULL },
};

static const cp_field_t user_name_fields[] = {
    { "user_name", CP_FIELD_TEXT, true, 1, 64, offsetof(input_t, text), cp_field_user_name, NULL },
};

static const cp_field_t company_fields[] = {
    { "unit", CP_FIELD_TEXT, true, 1, 32, offsetof(input_t, text), NULL, NULL },
};


static cp_code_t
count_change(cp_call_t *call)
{
    cp_limit_t changes = { cp_redis_key(&call->app->redis, call->arena, "login-change", call->who.account_id), CHANGES,
                           CHANGES_WINDOW_S };

    return changes.key.data == NULL ? CP_E_NO_MEMORY
           : cp_limit_take(&call->app->redis, call->arena, &changes, 1, NULL, &call->retry_after_s);
}


static cp_code_t
set(cp_call_t *call, cp_str_t text)
{
    cp_account_t account;
    cp_login_t   login;

    CP_TRY(cp_login_read(call->arena, text, &login));
    CP_TRY(count_change(call));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_lock_own(call, &account));
    CP_TRY(cp_login_set(call, &account, &login, text));
    CP_TRY(cp_answer(call, 204, NULL));

    return cp_call_commit(call);
}


cp_code_t
cp_op_account_email(cp_call_t *call)
{
    input_t in;

    CP_TRY(cp_body_read(call, email_fields, &in));

    return set(call, in.text);
}


cp_code_t
cp_op_account_user_name(cp_call_t *call)
{
    input_t in;

    CP_TRY(cp_body_read(call, user_name_fields, &in));

    return set(call, in.text);
}


/* The name of an organisation that the caller administers, which nobody does who has not proved it. */
cp_code_t
cp_op_account_company(cp_call_t *call)
{
    input_t         in;
    cp_account_t    account;
    cp_login_t      login;
    cp_membership_t unit;

    CP_TRY(cp_body_read(call, company_fields, &in));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_administration(call, in.text, CP_HOLD_SHARED, &unit));
    CP_TRY(cp_account_lock_own(call, &account));

    CP_TRY(cp_login_read(call->arena, unit.name, &login));
    if (login.kind != CP_LOGIN_COMPANY) {
        cp_bad_field(call, CP_STR("unit"), CP_F_FORMAT);
        return CP_E_INVALID;
    }
    CP_TRY(cp_company_adopt(call, &account, &login, unit.name));
    CP_TRY(cp_answer(call, 204, NULL));

    return cp_call_commit(call);
}


static cp_code_t
take_away(cp_call_t *call, cp_login_kind_t kind)
{
    cp_account_t account;
    cp_code_t    code;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_lock_own(call, &account));

    /* An account without a number would have nothing left to sign in by. */
    if (kind == CP_LOGIN_COMPANY && account.phone.data == NULL) {
        return CP_E_CONFLICT;
    }

    code = cp_login_remove(call, &account, kind);
    if (code != CP_OK && code != CP_E_NOT_FOUND) {
        return code;
    }
    CP_TRY(cp_answer(call, 204, NULL));

    return cp_call_commit(call);
}


cp_code_t
cp_op_account_email_remove(cp_call_t *call)
{
    return take_away(call, CP_LOGIN_EMAIL);
}


cp_code_t
cp_op_account_user_name_remove(cp_call_t *call)
{
    return take_away(call, CP_LOGIN_USER_NAME);
}


cp_code_t
cp_op_account_company_remove(cp_call_t *call)
{
    return take_away(call, CP_LOGIN_COMPANY);
}
