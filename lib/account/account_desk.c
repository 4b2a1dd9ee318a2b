/* The administrator's side of accounts: finding one, disabling it, letting it in again. */
#include <stddef.h>

#include "account/account_change.h"
#include "account/desk_ops.h"
#include "account/login.h"
#include "audit/audit.h"
#include "call/fields.h"

/* Reasons of the last decisions that are shown. */
static const char sql_decisions[] =
    "SELECT d.decision, s.public_id, d.reason, d.created_at FROM account_decision d "
    "LEFT JOIN staff s ON s.id = d.staff_id WHERE d.account_id = ? ORDER BY d.id DESC LIMIT 20";
static const char sql_id[] =
    "SELECT id FROM account WHERE public_id = ?";

typedef struct {
    cp_str_t  login;
} find_t;

static const cp_field_t find_fields[] = {
    { "login", CP_FIELD_TEXT, true, 1, CP_LOGIN_MAX, offsetof(find_t, login), NULL, NULL },
};

typedef struct {
    cp_str_t  reason;
} decision_t;

static const cp_field_t decision_fields[] = {
    { "reason", CP_FIELD_TEXT, true, 2, CP_ACCOUNT_REASON, offsetof(decision_t, reason), NULL, NULL },
};


static cp_code_t
decisions_json(cp_call_t *call, const cp_account_t *account, json_t **list)
{
    cp_rows_t *rows;
    cp_str_t   decision, staff, reason;
    int64_t    at;

    CP_TRY(cp_db_query(call->db, &rows, sql_decisions, "i>sssi", account->id));

    *list = json_array();
    while (cp_db_next(rows, &decision, &staff, &reason, &at) == CP_OK) {
        if (json_array_append_new(*list, json_pack("{s:o, s:o, s:o, s:o}", "decision", cp_json(decision), "staff",
                                                   cp_json(staff), "reason", cp_json(reason), "at",
                                                   cp_json_time(call, at))) != 0)
        {
            json_decref(*list);
            return CP_E_NO_MEMORY;
        }
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* All of it masked, as its owner sees it. */
static cp_code_t
answer_account(cp_call_t *call, const cp_account_t *account)
{
    json_t   *shown, *decisions;
    cp_code_t code;

    CP_TRY(cp_account_json(call, account, &shown));
    json_object_set_new(shown, "state", json_string(account->closed ? "closed" : account->active ? "active"
                                                    : "disabled"));

    code = cp_login_describe(call, account, shown);
    if (code == CP_OK) {
        code = decisions_json(call, account, &decisions);
    }
    if (code != CP_OK) {
        json_decref(shown);
        return code;
    }
    json_object_set_new(shown, "decisions", decisions);

    return cp_answer(call, 200, shown);
}


/* A login is personal data, which no address in a log may hold: so it comes in a body. The look is recorded. */
cp_code_t
cp_op_desk_account_find(cp_call_t *call)
{
    find_t       in;
    cp_account_t account;

    CP_TRY(cp_body_read(call, find_fields, &in));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_by_login(call, in.login, &account));
    CP_TRY(cp_audit(call, "account.find", "account", account.public_id, NULL));
    CP_TRY(answer_account(call, &account));

    return cp_call_commit(call);
}


static cp_code_t
id_of(cp_call_t *call, int64_t *id)
{
    CP_TRY(cp_call_db(call));

    return cp_db_row(call->db, sql_id, "s>i", call->params[0], id);
}


cp_code_t
cp_op_desk_account(cp_call_t *call)
{
    cp_account_t account;
    int64_t      id;

    CP_TRY(id_of(call, &id));
    CP_TRY(cp_account_by_id(call, id, &account));

    return answer_account(call, &account);
}


static cp_code_t
decide(cp_call_t *call, cp_code_t (*apply)(cp_call_t *call, const cp_account_t *account, cp_str_t reason))
{
    decision_t   in;
    cp_account_t account;
    int64_t      id;

    CP_TRY(cp_body_read(call, decision_fields, &in));
    CP_TRY(cp_call_begin(call));
    CP_TRY(id_of(call, &id));
    CP_TRY(cp_account_lock(call, id, &account));
    CP_TRY(apply(call, &account, in.reason));
    CP_TRY(cp_account_by_id(call, id, &account));
    CP_TRY(answer_account(call, &account));

    return cp_call_commit(call);
}


cp_code_t
cp_op_desk_account_disable(cp_call_t *call)
{
    return decide(call, cp_account_disable);
}


cp_code_t
cp_op_desk_account_enable(cp_call_t *call)
{
    return decide(call, cp_account_enable);
}
