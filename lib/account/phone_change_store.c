#include "account/phone_change.h"

#include <stddef.h>

#include "account/account_store.h"
#include "base/clock.h"
#include "base/random.h"

#define ID_BYTES  12

#define SELECT                                                                                                         \
    "SELECT id, public_id, secret_sha256, account_id, login_sealed, phone_sealed, name_sealed, id_number_sealed, "     \
    "id_number_index, reason_sealed, state, public_reason, decided_at, expires_at, created_at FROM phone_change "
#define TYPES  "ississssssssiii"

static const char sql_find[] = SELECT "WHERE public_id = ?";
static const char sql_find_lock[] = SELECT "WHERE public_id = ? FOR UPDATE";
static const char sql_page[] = SELECT "WHERE id > ? ORDER BY id LIMIT ?";
static const char sql_page_state[] = SELECT "WHERE state = ? AND id > ? ORDER BY id LIMIT ?";

static const char sql_insert[] =
    "INSERT INTO phone_change (public_id, secret_sha256, account_id, login_sealed, phone_index, phone_sealed, "
    "name_sealed, id_number_index, id_number_sealed, reason_sealed, state, is_open, expires_at, created_at) "
    "VALUES (?, ?, NULLIF(?, 0), ?, ?, ?, ?, ?, ?, ?, 'submitted', 1, ?, ?)";

static const char sql_supersede_number[] =
    "UPDATE phone_change SET state = 'superseded', is_open = NULL, decided_at = ? "
    "WHERE phone_index = ? AND is_open = 1";
static const char sql_supersede[] =
    "UPDATE phone_change SET state = 'superseded', is_open = NULL, decided_at = ? "
    "WHERE account_id = ? AND is_open = 1";
static const char sql_decide[] =
    "UPDATE phone_change SET state = ?, is_open = NULL, public_reason = ?, decided_by = ?, decided_at = ? WHERE id = ?";

/* Every sealed column, and the member that it is of. */
static const struct {
    const char *column;
    size_t      offset;
} sealed_columns[] = {
    { "phone_change.login",     offsetof(cp_phone_change_t, login) },
    { "phone_change.phone",     offsetof(cp_phone_change_t, phone) },
    { "phone_change.name",      offsetof(cp_phone_change_t, name) },
    { "phone_change.id_number", offsetof(cp_phone_change_t, id_number) },
    { "phone_change.reason",    offsetof(cp_phone_change_t, reason) },
};

enum { LOGIN, PHONE, NAME, ID_NUMBER, REASON, SEALED };


static cp_str_t *
member(cp_phone_change_t *change, size_t i)
{
    return (cp_str_t *) (void *) ((char *) change + sealed_columns[i].offset);
}


cp_code_t
cp_phone_change_insert(cp_call_t *call, cp_phone_change_t *change)
{
    cp_str_t sealed[SEALED], index;
    size_t   i;

    change->public_id = cp_random_id(call->arena, ID_BYTES);
    if (change->public_id.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    change->created_ms = cp_now_ms();
    change->expires_ms = change->created_ms + CP_PHONE_CHANGE_LIVE_MS;
    change->state = CP_STR("submitted");

    CP_TRY(cp_account_phone_index(call, change->phone, &index));
    for (i = 0; i < SEALED; i++) {
        CP_TRY(cp_column_seal(call->app->keys, call->arena, sealed_columns[i].column, *member(change, i), &sealed[i]));
    }

    CP_TRY(cp_db_exec(call->db, sql_supersede_number, "is", change->created_ms, index));
    CP_TRY(cp_db_exec(call->db, sql_insert, "ssisssssssii", change->public_id, change->secret_sha256, change->account,
                      sealed[LOGIN], index, sealed[PHONE], sealed[NAME], change->id_index, sealed[ID_NUMBER],
                      sealed[REASON], change->expires_ms, change->created_ms));
    change->id = cp_db_insert_id(call->db);

    return CP_OK;
}


cp_code_t
cp_phone_change_next(cp_call_t *call, cp_rows_t *rows, cp_phone_change_t *c)
{
    size_t i;

    CP_TRY(cp_db_next(rows, &c->id, &c->public_id, &c->secret_sha256, &c->account, &c->login, &c->phone, &c->name,
                      &c->id_number, &c->id_index, &c->reason, &c->state, &c->public_reason, &c->decided_ms,
                      &c->expires_ms, &c->created_ms));

    for (i = 0; i < SEALED; i++) {
        CP_TRY(cp_column_open(call->app->keys, call->arena, sealed_columns[i].column, *member(c, i), member(c, i)));
    }

    return CP_OK;
}


cp_code_t
cp_phone_change_find(cp_call_t *call, cp_str_t public_id, bool lock, cp_phone_change_t *change)
{
    cp_rows_t *rows;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_query(call->db, &rows, lock ? sql_find_lock : sql_find, "s>" TYPES, public_id));

    return cp_phone_change_next(call, rows, change);
}


cp_code_t
cp_phone_change_page(cp_call_t *call, cp_str_t state, const cp_page_t *page, cp_rows_t **rows)
{
    CP_TRY(cp_call_db(call));

    return state.data == NULL
           ? cp_db_query(call->db, rows, sql_page, "ii>" TYPES, page->after, page->limit + 1)
           : cp_db_query(call->db, rows, sql_page_state, "sii>" TYPES, state, page->after, page->limit + 1);
}


cp_code_t
cp_phone_change_decide(cp_call_t *call, cp_phone_change_t *change, const char *state, cp_str_t public_reason)
{
    change->state = cp_str(state);
    change->public_reason = public_reason;
    change->decided_ms = cp_now_ms();

    return cp_db_exec(call->db, sql_decide, "ssiii", change->state, public_reason, call->who.staff, change->decided_ms,
                      change->id);
}


cp_code_t
cp_phone_change_supersede(cp_call_t *call, int64_t account)
{
    return cp_db_exec(call->db, sql_supersede, "ii", cp_now_ms(), account);
}
