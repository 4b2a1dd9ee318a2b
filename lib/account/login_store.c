#include "account/login.h"

#include "account/account_store.h"
#include "audit/audit.h"
#include "base/clock.h"

#define COLUMN  "account_login.login"

/* With the account that is looked at where the login is nobody's. */
static const char sql_whose_phone[] =
    "SELECT (SELECT id FROM account WHERE phone_index = ?), (SELECT MIN(id) FROM account)";
static const char sql_whose[] =
    "SELECT (SELECT account_id FROM account_login WHERE login_index = ?), (SELECT MIN(id) FROM account)";

static const char sql_insert[] =
    "INSERT INTO account_login (account_id, kind, login_index, login_sealed, created_at) VALUES (?, ?, ?, ?, ?)";
static const char sql_delete[] =
    "DELETE FROM account_login WHERE account_id = ? AND kind = ?";
static const char sql_delete_all[] =
    "DELETE FROM account_login WHERE account_id = ?";
static const char sql_find[] =
    "SELECT login_sealed, confirmed_at FROM account_login WHERE account_id = ? AND kind = ?";
static const char sql_list[] =
    "SELECT kind, login_sealed, confirmed_at FROM account_login WHERE account_id = ?";


/* The kind is part of what is indexed: equal texts of two kinds are told apart by nobody who reads the table. */
cp_code_t
cp_login_index(cp_call_t *call, const cp_login_t *login, cp_str_t *index)
{
    cp_str_t text;

    if (login->kind == CP_LOGIN_PHONE) {
        return cp_account_phone_index(call, login->text, index);
    }

    text = cp_str_printf(call->arena, "%s\n%.*s", cp_login_kind_name(login->kind), (int) login->text.len,
                         login->text.data);

    return text.data == NULL ? CP_E_NO_MEMORY : cp_blind_index(call->app->keys, call->arena, COLUMN, text, index);
}


cp_code_t
cp_login_key(cp_call_t *call, const cp_login_t *login, cp_str_t *name)
{
    cp_str_t index;

    CP_TRY(cp_login_index(call, login, &index));

    *name = cp_str_hex(call->arena, index);
    return name->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_account_by_login(cp_call_t *call, cp_str_t typed, cp_account_t *account)
{
    cp_login_t login;
    cp_str_t   index;
    int64_t    id, other;

    CP_TRY(cp_login_read(call->arena, typed, &login));
    CP_TRY(cp_call_db(call));
    CP_TRY(cp_login_index(call, &login, &index));

    CP_TRY(cp_db_row(call->db, login.kind == CP_LOGIN_PHONE ? sql_whose_phone : sql_whose, "s>ii", index, &id, &other));
    CP_TRY(cp_account_by_id(call, id != 0 ? id : other, account));
    if (id != 0) {
        return CP_OK;
    }
    *account = (cp_account_t) { .id = other };

    return CP_E_NOT_FOUND;
}


static cp_code_t
record(cp_call_t *call, const char *action, const cp_account_t *account, const char *kind)
{
    return cp_audit(call, action, "account", account->public_id, json_pack("{s:s}", "kind", kind));
}


cp_code_t
cp_login_set(cp_call_t *call, const cp_account_t *account, const cp_login_t *login, cp_str_t shown)
{
    const char *kind = cp_login_kind_name(login->kind);
    cp_str_t    index, sealed;
    cp_code_t   code;

    CP_TRY(cp_login_index(call, login, &index));
    CP_TRY(cp_column_seal(call->app->keys, call->arena, COLUMN, shown, &sealed));

    CP_TRY(cp_db_exec(call->db, sql_delete, "is", account->id, cp_str(kind)));
    code = cp_db_exec(call->db, sql_insert, "isssi", account->id, cp_str(kind), index, sealed, cp_now_ms());
    if (code == CP_E_DUPLICATE) {
        return CP_E_ALREADY_EXISTS;
    }
    CP_TRY(code);

    return record(call, "account.login", account, kind);
}


cp_code_t
cp_login_remove(cp_call_t *call, const cp_account_t *account, cp_login_kind_t kind)
{
    CP_TRY(cp_db_exec(call->db, sql_delete, "is", account->id, cp_str(cp_login_kind_name(kind))));

    return cp_db_affected(call->db) == 0 ? CP_E_NOT_FOUND
           : record(call, "account.login.remove", account, cp_login_kind_name(kind));
}


cp_code_t
cp_login_remove_all(cp_call_t *call, int64_t account)
{
    return cp_db_exec(call->db, sql_delete_all, "i", account);
}


cp_code_t
cp_login_find(cp_call_t *call, int64_t account, cp_login_kind_t kind, cp_str_t *shown, bool *confirmed)
{
    int64_t at;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_find, "is>si", account, cp_str(cp_login_kind_name(kind)), shown, &at));
    *confirmed = at != 0;

    return cp_column_open(call->app->keys, call->arena, COLUMN, *shown, shown);
}


/* One login as its owner sees it: an address masked, for it may be read over a shoulder. */
static json_t *
shown_json(cp_call_t *call, cp_str_t kind, cp_str_t text, int64_t confirmed_ms)
{
    if (cp_str_is(kind, "company")) {
        return json_pack("{s:o, s:b}", "name", cp_json(text), "confirmed", confirmed_ms != 0);
    }

    return cp_json(cp_str_is(kind, "email") ? cp_mask_email(call->arena, text) : text);
}


/* What it lacks before it may apply, in the order in which it is to be done. */
static json_t *
completion(const cp_account_t *account, bool company_open)
{
    json_t *list = json_array();

    if (account->phone.data == NULL) {
        json_array_append_new(list, json_string("phone"));
    }
    if (account->person == 0) {
        json_array_append_new(list, json_string("person"));
    }
    if (company_open) {
        json_array_append_new(list, json_string("organization"));
    }

    return list;
}


cp_code_t
cp_login_describe(cp_call_t *call, const cp_account_t *account, json_t *shown)
{
    cp_rows_t *rows;
    cp_str_t   kind, text;
    int64_t    confirmed;
    bool       company_open = false;
    int        failed = 0;

    CP_TRY(cp_db_query(call->db, &rows, sql_list, "i>ssi", account->id));

    failed |= json_object_set_new(shown, "email", json_null());
    failed |= json_object_set_new(shown, "user_name", json_null());
    failed |= json_object_set_new(shown, "company", json_null());

    while (cp_db_next(rows, &kind, &text, &confirmed) == CP_OK) {
        CP_TRY(cp_column_open(call->app->keys, call->arena, COLUMN, text, &text));
        failed |= json_object_set_new(shown, kind.data, shown_json(call, kind, text, confirmed));
        company_open = company_open || (cp_str_is(kind, "company") && confirmed == 0);
    }
    failed |= json_object_set_new(shown, "completion", completion(account, company_open));
    failed |= json_object_set_new(shown, "sign_in_ways", account->ways == CP_SIGN_IN_ANY ? json_null()
                                  : cp_words_json(cp_sign_in_words, account->ways));

    return failed != 0 ? CP_E_NO_MEMORY : CP_OK;
}
