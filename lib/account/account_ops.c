#include "account/account_ops.h"

#include <stddef.h>

#include "account/account.h"
#include "account/password.h"
#include "account/password_again.h"
#include "account/password_strength.h"
#include "audit/audit.h"
#include "call/fields.h"
#include "session/session.h"

typedef struct {
    cp_str_t  password;
    cp_str_t  current_password;
} password_input_t;

static const cp_field_t password_fields[] = {
    { "password", CP_FIELD_SECRET, true, CP_PASSWORD_MIN, CP_PASSWORD_MAX, offsetof(password_input_t, password), NULL,
      NULL },
    { "current_password", CP_FIELD_SECRET, false, 1, CP_PASSWORD_MAX, offsetof(password_input_t, current_password),
      NULL, NULL },
};


static cp_code_t
check_current(cp_call_t *call, const cp_account_t *account, cp_str_t current)
{
    cp_code_t code;

    if (account->password.data == NULL) {
        return CP_OK;
    }

    if (current.data == NULL) {
        cp_bad_field(call, CP_STR("current_password"), CP_F_REQUIRED);
        return CP_E_INVALID;
    }

    code = cp_password_again(call, account, current);
    if (code == CP_E_BAD_CREDENTIALS) {
        CP_TRY(cp_audit(call, "account.password.refuse", "account", account->public_id, NULL));
        cp_bad_field(call, CP_STR("current_password"), CP_F_MISMATCH);
        return CP_E_INVALID;
    }

    return code;
}


/* The body and whose it is; a password that is easily guessed is told along with everything else that is wrong. */
static cp_code_t
read_password(cp_call_t *call, password_input_t *in, cp_account_t *account, cp_strength_t *strength)
{
    cp_code_t code = cp_body_read(call, password_fields, in);
    cp_str_t  words[CP_PASSWORD_CONTEXT];
    size_t    count;

    if (code != CP_OK && code != CP_E_INVALID) {
        return code;
    }

    CP_TRY(cp_account_by_id(call, call->who.account, account));
    CP_TRY(cp_password_context(call, account, words, &count));

    return cp_password_judge(call, code, "password", in->password, words, count, strength);
}


cp_code_t
cp_op_account_password(cp_call_t *call)
{
    password_input_t in;
    cp_account_t     account;
    cp_strength_t    strength;
    cp_str_t         hash;

    CP_TRY(read_password(call, &in, &account, &strength));
    CP_TRY(check_current(call, &account, in.current_password));
    CP_TRY(cp_password_hash(call->arena, in.password, &hash));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_set_password(call, &account, hash));
    CP_TRY(cp_audit(call, "account.password", "account", account.public_id,
                    json_pack("{s:b}", "first", account.password.data == NULL)));
    CP_TRY(cp_answer(call, 200, json_pack("{s:s}", "strength", cp_strength_word(strength))));

    /* Before the commit: a password that was changed because it was known must not leave the old sessions open. */
    CP_TRY(cp_session_end_others(call));

    return cp_call_commit(call);
}
