#include "account/account.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "base/random.h"
#include "identity/identity.h"

#define PUBLIC_ID_BYTES  15

/* In one row: signing in asks once, for a number that has an account as for one that has none. */
#define ACCOUNT                                                                                                        \
    "SELECT a.id, a.public_id, a.phone_sealed, a.password, a.state, a.person_id, "                                     \
    "(SELECT IF(COUNT(*) = 1, MAX(u.public_id), NULL) FROM unit_member m JOIN unit u ON u.id = m.unit_id "             \
    "WHERE m.account_id = a.id) FROM account a "
#define ACCOUNT_TYPES  "issssis"

static const char sql_by_phone[] = ACCOUNT "WHERE a.phone_index = ?";
static const char sql_by_id[] = ACCOUNT "WHERE a.id = ?";

static const char sql_insert[] =
    "INSERT INTO account (public_id, phone_index, phone_sealed, state, created_at, updated_at) "
    "VALUES (?, ?, ?, 'active', ?, ?)";

static const char sql_set_password[] =
    "UPDATE account SET password = ?, updated_at = ? WHERE id = ? AND password <=> ?";

static const char sql_lock_person[] =
    "SELECT person_id FROM account WHERE id = ? FOR UPDATE";

static const char sql_set_person[] =
    "UPDATE account SET person_id = ?, updated_at = ? WHERE id = ?";


static cp_code_t
phone_index(cp_call_t *call, cp_str_t phone, cp_str_t *index)
{
    return cp_blind_index(call->app->keys, call->arena, "account.phone", phone, index);
}


/* The rest of a row that was read. */
static cp_code_t
complete(cp_call_t *call, cp_account_t *account, cp_str_t sealed, cp_str_t state)
{
    account->active = cp_str_is(state, "active");

    return cp_column_open(call->app->keys, call->arena, "account.phone", sealed, &account->phone);
}


cp_code_t
cp_account_by_phone(cp_call_t *call, cp_str_t phone, cp_account_t *account)
{
    cp_str_t index, sealed, state;

    CP_TRY(cp_call_db(call));
    CP_TRY(phone_index(call, phone, &index));
    CP_TRY(cp_db_row(call->db, sql_by_phone, "s>" ACCOUNT_TYPES, index, &account->id, &account->public_id, &sealed,
                     &account->password, &state, &account->person, &account->sole_unit));

    return complete(call, account, sealed, state);
}


cp_code_t
cp_account_by_id(cp_call_t *call, int64_t id, cp_account_t *account)
{
    cp_str_t sealed, state;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_by_id, "i>" ACCOUNT_TYPES, id, &account->id, &account->public_id, &sealed,
                     &account->password, &state, &account->person, &account->sole_unit));

    return complete(call, account, sealed, state);
}


static cp_code_t
insert(cp_call_t *call, cp_str_t phone)
{
    cp_str_t index, sealed, public_id;
    int64_t  now = cp_now_ms();

    public_id = cp_random_id(call->arena, PUBLIC_ID_BYTES);
    if (public_id.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(phone_index(call, phone, &index));
    CP_TRY(cp_column_seal(call->app->keys, call->arena, "account.phone", phone, &sealed));

    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_db_exec(call->db, sql_insert, "sssii", public_id, index, sealed, now, now));
    CP_TRY(cp_audit(call, "account.register", "account", public_id, NULL));

    return cp_db_commit(call->db);
}


cp_code_t
cp_account_register(cp_call_t *call, cp_str_t phone, cp_account_t *account)
{
    cp_code_t code;

    code = cp_account_by_phone(call, phone, account);
    if (code != CP_E_NOT_FOUND) {
        return code;
    }

    code = insert(call, phone);
    if (code != CP_OK) {
        cp_db_rollback(call->db);
    }
    if (code != CP_OK && code != CP_E_DUPLICATE) {
        return code;
    }

    return cp_account_by_phone(call, phone, account);
}


cp_code_t
cp_account_set_password(cp_call_t *call, const cp_account_t *account, cp_str_t password)
{
    CP_TRY(cp_db_exec(call->db, sql_set_password, "siis", password, cp_now_ms(), account->id, account->password));

    return cp_db_affected(call->db) == 1 ? CP_OK : CP_E_CONFLICT;
}


cp_code_t
cp_account_set_person(cp_call_t *call, int64_t account, int64_t person)
{
    int64_t bound;

    CP_TRY(cp_db_row(call->db, sql_lock_person, "i>i", account, &bound));
    if (bound != 0) {
        return bound == person ? CP_OK : CP_E_ALREADY_EXISTS;
    }

    return cp_db_exec(call->db, sql_set_person, "iii", person, cp_now_ms(), account);
}


cp_code_t
cp_account_json(cp_call_t *call, const cp_account_t *account, json_t **json)
{
    cp_person_t  person;
    json_t      *shown = json_null();

    if (account->person != 0) {
        CP_TRY(cp_person_by_id(call, account->person, &person));
        shown = json_pack("{s:o, s:o}", "name", cp_json(cp_mask_name(call->arena, person.name)), "id_number",
                          cp_json(cp_mask_id_number(call->arena, person.id_number)));
    }

    *json = json_pack("{s:o, s:o, s:b, s:o}", "id", cp_json(account->public_id), "phone",
                      cp_json(cp_mask_phone(call->arena, account->phone)), "has_password",
                      account->password.data != NULL, "person", shown);

    return *json == NULL ? CP_E_NO_MEMORY : CP_OK;
}
