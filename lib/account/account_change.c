#include "account/account_change.h"

#include "account/login.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "session/session.h"

static const char sql_end_sessions[] =
    "UPDATE account SET sessions_from = ?, updated_at = ? WHERE id = ?";
static const char sql_phone[] =
    "UPDATE account SET phone_index = ?, phone_sealed = ?, updated_at = ? WHERE id = ?";
static const char sql_ways[] =
    "UPDATE account SET sign_in_ways = ?, updated_at = ? WHERE id = ?";
static const char sql_state[] =
    "UPDATE account SET state = ?, updated_at = ? WHERE id = ?";
static const char sql_decision[] =
    "INSERT INTO account_decision (account_id, decision, staff_id, reason, created_at) "
    "VALUES (?, ?, NULLIF(?, 0), ?, ?)";
static const char sql_close[] =
    "UPDATE account SET state = 'closed', phone_index = NULL, password = NULL, updated_at = ? WHERE id = ?";


cp_code_t
cp_account_end_sessions(cp_call_t *call, const cp_account_t *account)
{
    int64_t now = cp_now_ms();

    /* One that begins in this very millisecond too. */
    CP_TRY(cp_db_exec(call->db, sql_end_sessions, "iii", now + 1, now, account->id));

    return cp_session_end_account(call, account->public_id);
}


cp_code_t
cp_account_set_phone(cp_call_t *call, const cp_account_t *account, cp_str_t phone)
{
    cp_str_t  index, sealed;
    cp_code_t code;

    CP_TRY(cp_account_phone_index(call, phone, &index));
    CP_TRY(cp_column_seal(call->app->keys, call->arena, "account.phone", phone, &sealed));

    code = cp_db_exec(call->db, sql_phone, "ssii", index, sealed, cp_now_ms(), account->id);
    if (code == CP_E_DUPLICATE) {
        return CP_E_PHONE_TAKEN;
    }
    CP_TRY(code);

    return cp_audit(call, "account.phone", "account", account->public_id,
                    json_pack("{s:b}", "first", account->phone.data == NULL));
}


cp_code_t
cp_account_set_ways(cp_call_t *call, const cp_account_t *account, unsigned ways)
{
    bool any = ways == CP_SIGN_IN_ANY;

    CP_TRY(cp_db_exec(call->db, sql_ways, "iii", any ? 0 : (int64_t) ways, cp_now_ms(), account->id));

    return cp_audit(call, "account.sign_in_ways", "account", account->public_id,
                    json_pack("{s:o}", "ways", any ? json_null() : cp_words_json(cp_sign_in_words, ways)));
}


static cp_code_t
decide(cp_call_t *call, const cp_account_t *account, bool active, cp_str_t reason)
{
    const char *state = active ? "active" : "disabled", *decision = active ? "enable" : "disable";
    int64_t     now = cp_now_ms();

    CP_TRY(cp_db_exec(call->db, sql_state, "sii", cp_str(state), now, account->id));
    CP_TRY(cp_db_exec(call->db, sql_decision, "isisi", account->id, cp_str(decision), call->who.staff, reason, now));

    return cp_audit(call, active ? "account.enable" : "account.disable", "account", account->public_id, NULL);
}


cp_code_t
cp_account_disable(cp_call_t *call, const cp_account_t *account, cp_str_t reason)
{
    if (account->closed || !account->active) {
        return account->closed ? CP_E_CONFLICT : CP_OK;
    }
    CP_TRY(decide(call, account, false, reason));

    return cp_account_end_sessions(call, account);
}


cp_code_t
cp_account_enable(cp_call_t *call, const cp_account_t *account, cp_str_t reason)
{
    if (account->closed || account->active) {
        return account->closed ? CP_E_CONFLICT : CP_OK;
    }

    return decide(call, account, true, reason);
}


cp_code_t
cp_account_close(cp_call_t *call, const cp_account_t *account, const char *why)
{
    CP_TRY(cp_db_exec(call->db, sql_close, "ii", cp_now_ms(), account->id));
    CP_TRY(cp_login_remove_all(call, account->id));
    CP_TRY(cp_audit(call, "account.close", "account", account->public_id, json_pack("{s:s}", "by", why)));

    return cp_account_end_sessions(call, account);
}
