#include "account/account_store.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "base/random.h"
#include "identity/identity.h"

#define PUBLIC_ID_BYTES  15

/* In one row: signing in asks once, for a number that has an account as for one that has none. */
#define SOLE_UNIT                                                                                                      \
    "(SELECT IF(COUNT(*) = 1, MAX(u.public_id), NULL) FROM unit_member m JOIN unit u ON u.id = m.unit_id "             \
    "WHERE m.account_id = a.id)"
#define SELECT                                                                                                         \
    "SELECT " CP_ACCOUNT_OWN ", " SOLE_UNIT ", " CP_ACCOUNT_PERSON " FROM account a "                                  \
    "LEFT JOIN person p ON p.id = a.person_id "

static const char sql_by_phone[] = SELECT "WHERE a.phone_index = ?";
static const char sql_by_id[] = SELECT "WHERE a.id = ?";

/* The person is not held: others are verified as the same one. */
static const char sql_lock[] =
    "SELECT " CP_ACCOUNT_OWN ", " SOLE_UNIT ", NULL, NULL FROM account a WHERE a.id = ? FOR UPDATE";

static const char sql_admit[] =
    "SELECT state = 'active' AND sessions_from <= ? FROM account WHERE id = ?";

static const char sql_still[] =
    "SELECT state = 'active' AND sessions_from = ? FROM account WHERE id = ?";

static const char sql_insert[] =
    "INSERT INTO account (public_id, phone_index, phone_sealed, password, state, created_at, updated_at) "
    "VALUES (?, ?, ?, ?, 'active', ?, ?)";

static const char sql_set_password[] =
    "UPDATE account SET password = ?, updated_at = ? WHERE id = ? AND password <=> ?";

static const char sql_lock_person[] =
    "SELECT person_id FROM account WHERE id = ? FOR UPDATE";

static const char sql_set_person[] =
    "UPDATE account SET person_id = ?, updated_at = ? WHERE id = ?";


cp_code_t
cp_account_phone_index(cp_call_t *call, cp_str_t phone, cp_str_t *index)
{
    return cp_blind_index(call->app->keys, call->arena, "account.phone", phone, index);
}


cp_code_t
cp_account_take(cp_call_t *call, const cp_account_raw_t *raw, cp_account_t *account)
{
    account->active = cp_str_is(raw->state, "active");
    account->closed = cp_str_is(raw->state, "closed");
    account->ways = raw->ways == 0 ? CP_SIGN_IN_ANY : (unsigned) raw->ways;

    return cp_column_open(call->app->keys, call->arena, "account.phone", raw->phone_sealed, &account->phone);
}


cp_code_t
cp_account_select_text(cp_call_t *call, const char *sql, cp_str_t value, cp_account_t *account)
{
    cp_account_raw_t raw;

    CP_TRY(cp_db_row(call->db, sql, "s>" CP_ACCOUNT_TYPES, value, CP_ACCOUNT_TAKE(account, &raw)));

    return cp_account_take(call, &raw, account);
}


cp_code_t
cp_account_select_id(cp_call_t *call, const char *sql, int64_t id, cp_account_t *account)
{
    cp_account_raw_t raw;

    CP_TRY(cp_db_row(call->db, sql, "i>" CP_ACCOUNT_TYPES, id, CP_ACCOUNT_TAKE(account, &raw)));

    return cp_account_take(call, &raw, account);
}


cp_code_t
cp_account_by_phone(cp_call_t *call, cp_str_t phone, cp_account_t *account)
{
    cp_str_t index;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_account_phone_index(call, phone, &index));

    return cp_account_select_text(call, sql_by_phone, index, account);
}


cp_code_t
cp_account_by_id(cp_call_t *call, int64_t id, cp_account_t *account)
{
    CP_TRY(cp_call_db(call));

    return cp_account_select_id(call, sql_by_id, id, account);
}


cp_code_t
cp_account_lock(cp_call_t *call, int64_t id, cp_account_t *account)
{
    return cp_account_select_id(call, sql_lock, id, account);
}


cp_code_t
cp_account_lock_own(cp_call_t *call, cp_account_t *account)
{
    CP_TRY(cp_account_lock(call, call->who.account, account));

    return account->active ? CP_OK : CP_E_UNAUTHENTICATED;
}


static cp_code_t
ask(cp_call_t *call, const char *sql, int64_t value, int64_t account)
{
    int64_t   yes;
    cp_code_t code;

    CP_TRY(cp_call_db(call));
    code = cp_db_row(call->db, sql, "ii>i", value, account, &yes);

    return code == CP_E_NOT_FOUND || (code == CP_OK && !yes) ? CP_E_UNAUTHENTICATED : code;
}


cp_code_t
cp_account_admit(cp_call_t *call)
{
    return ask(call, sql_admit, call->who.since_ms, call->who.account);
}


cp_code_t
cp_account_still(cp_call_t *call, const cp_account_t *account)
{
    return ask(call, sql_still, account->sessions_from, account->id);
}


cp_code_t
cp_account_insert(cp_call_t *call, cp_str_t phone, cp_str_t password, cp_account_t *account)
{
    cp_str_t index = CP_STR_NULL, sealed = CP_STR_NULL;
    int64_t  now = cp_now_ms();

    *account = (cp_account_t) {
        .public_id = cp_random_id(call->arena, PUBLIC_ID_BYTES), .phone = phone, .password = password, .active = true,
        .ways = CP_SIGN_IN_ANY,
    };
    if (account->public_id.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    if (phone.data != NULL) {
        CP_TRY(cp_account_phone_index(call, phone, &index));
        CP_TRY(cp_column_seal(call->app->keys, call->arena, "account.phone", phone, &sealed));
    }

    CP_TRY(cp_db_exec(call->db, sql_insert, "ssssii", account->public_id, index, sealed, password, now, now));
    account->id = cp_db_insert_id(call->db);

    return cp_audit(call, "account.register", "account", account->public_id,
                    phone.data != NULL ? NULL : json_pack("{s:s}", "by", "company"));
}


static cp_code_t
insert(cp_call_t *call, cp_str_t phone)
{
    cp_account_t account;

    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_account_insert(call, phone, CP_STR_NULL, &account));

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


/* The person that was read with the account, or is read now. */
static cp_code_t
person_of(cp_call_t *call, const cp_account_t *account, cp_person_t *person)
{
    return account->name_sealed.data == NULL
           ? cp_person_by_id(call, account->person, person)
           : cp_person_open(call, account->name_sealed, account->id_number_sealed, person);
}


cp_code_t
cp_account_json(cp_call_t *call, const cp_account_t *account, json_t **json)
{
    cp_person_t  person;
    json_t      *shown = json_null();

    if (account->person != 0) {
        CP_TRY(person_of(call, account, &person));
        shown = json_pack("{s:o, s:o}", "name", cp_json(cp_mask_name(call->arena, person.name)), "id_number",
                          cp_json(cp_mask_id_number(call->arena, person.id_number)));
    }

    *json = json_pack("{s:o, s:o, s:b, s:o}", "id", cp_json(account->public_id), "phone",
                      cp_json(cp_mask_phone(call->arena, account->phone)), "has_password",
                      account->password.data != NULL, "person", shown);

    return *json == NULL ? CP_E_NO_MEMORY : CP_OK;
}
