/* Companies' names as logins: whose they are before, and after, the organisation is proved. */
#include "account/account_change.h"
#include "account/login.h"
#include "audit/audit.h"
#include "base/clock.h"

typedef struct {
    int64_t  id;
    int64_t  account;
    int64_t  created_ms;
    bool     confirmed;
} holder_t;

static const char sql_holder[] =
    "SELECT id, account_id, created_at, confirmed_at FROM account_login WHERE login_index = ? FOR UPDATE";
static const char sql_confirm[] =
    "UPDATE account_login SET confirmed_at = ? WHERE id = ?";
static const char sql_others[] =
    "SELECT COUNT(*) FROM account_login WHERE account_id = ?";


static cp_code_t
holder_of(cp_call_t *call, const cp_login_t *login, holder_t *holder)
{
    cp_str_t index;
    int64_t  confirmed;

    CP_TRY(cp_login_index(call, login, &index));
    CP_TRY(cp_db_row(call->db, sql_holder, "s>iiii", index, &holder->id, &holder->account, &holder->created_ms,
                     &confirmed));
    holder->confirmed = confirmed != 0;

    return CP_OK;
}


/* An account that nothing leads into any more is closed: it has no number, and had this one login. */
static cp_code_t
take_from(cp_call_t *call, const holder_t *holder)
{
    cp_account_t loser;
    int64_t      left;

    CP_TRY(cp_account_lock(call, holder->account, &loser));
    CP_TRY(cp_login_remove(call, &loser, CP_LOGIN_COMPANY));
    CP_TRY(cp_db_row(call->db, sql_others, "i>i", loser.id, &left));

    return loser.phone.data == NULL && left == 0 ? cp_account_close(call, &loser, "company") : CP_OK;
}


cp_code_t
cp_company_claim(cp_call_t *call, const cp_account_t *account, const cp_login_t *login, cp_str_t shown)
{
    holder_t  holder;
    cp_code_t code = holder_of(call, login, &holder);

    if (code == CP_OK) {
        if (holder.confirmed || cp_now_ms() - holder.created_ms < CP_COMPANY_HELD_MS) {
            return CP_E_ALREADY_EXISTS;
        }
        CP_TRY(take_from(call, &holder));
    } else if (code != CP_E_NOT_FOUND) {
        return code;
    }

    return cp_login_set(call, account, login, shown);
}


static cp_code_t
confirm(cp_call_t *call, int64_t login)
{
    CP_TRY(cp_db_exec(call->db, sql_confirm, "ii", cp_now_ms(), login));

    return cp_audit(call, "account.company", "account", call->who.account_id, NULL);
}


cp_code_t
cp_company_proved(cp_call_t *call, cp_str_t name)
{
    cp_login_t login;
    holder_t   holder;
    cp_code_t  code;

    CP_TRY(cp_login_read(call->arena, name, &login));
    if (login.kind != CP_LOGIN_COMPANY) {
        return CP_OK;
    }

    code = holder_of(call, &login, &holder);
    if (code == CP_E_NOT_FOUND || (code == CP_OK && holder.confirmed)) {
        return CP_OK;
    }
    CP_TRY(code);

    if (holder.account != call->who.account) {
        return take_from(call, &holder);
    }

    return confirm(call, holder.id);
}


cp_code_t
cp_company_adopt(cp_call_t *call, const cp_account_t *account, const cp_login_t *login, cp_str_t shown)
{
    holder_t  holder;
    cp_code_t code = holder_of(call, login, &holder);

    if (code == CP_OK && holder.account != account->id) {
        if (holder.confirmed) {
            return CP_E_ALREADY_EXISTS;
        }
        CP_TRY(take_from(call, &holder));
    } else if (code != CP_OK && code != CP_E_NOT_FOUND) {
        return code;
    }

    CP_TRY(cp_login_set(call, account, login, shown));
    CP_TRY(holder_of(call, login, &holder));

    return confirm(call, holder.id);
}
