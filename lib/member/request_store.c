/* Requests to act for a unit, in MySQL. */
#include "member/invitation_store.h"

#include "account/account.h"
#include "base/clock.h"
#include "base/random.h"

#define PUBLIC_ID_BYTES  15

static const char sql_unit[] =
    "SELECT u.id, u.public_id, u.name, u.uscc FROM unit u JOIN unit_member m ON m.administered = u.id "
    "WHERE u.uscc = ? AND u.name = ?";

static const char sql_is_member[] =
    "SELECT COUNT(*) FROM unit_member WHERE unit_id = ? AND account_id = ?";

static const char sql_lapse[] =
    "UPDATE unit_request SET state = 'lapsed', is_open = NULL "
    "WHERE unit_id = ? AND account_id = ? AND is_open = 1 AND expires_at <= ?";

static const char sql_insert[] =
    "INSERT INTO unit_request (public_id, unit_id, account_id, state, is_open, expires_at, created_at) "
    "VALUES (?, ?, ?, 'open', 1, ?, ?)";

static const char sql_find[] =
    "SELECT r.id, r.unit_id, r.account_id, a.public_id FROM unit_request r JOIN account a ON a.id = r.account_id "
    "WHERE r.unit_id = ? AND r.public_id = ? AND r.is_open = 1 AND r.expires_at > ?";

static const char sql_close[] =
    "UPDATE unit_request SET state = ?, is_open = NULL, decided_by = ?, decided_at = ? WHERE id = ? AND is_open = 1";

static const char sql_list[] =
    "SELECT r.public_id, u.name, u.uscc, IF(r.is_open = 1 AND r.expires_at <= ?, 'lapsed', r.state), r.created_at, "
    "r.expires_at FROM unit_request r JOIN unit u ON u.id = r.unit_id WHERE r.account_id = ? "
    "ORDER BY r.id DESC LIMIT 100";

static const char sql_of_unit[] =
    "SELECT r.public_id, a.phone_sealed, p.name_sealed, r.created_at, r.expires_at "
    "FROM unit_request r JOIN account a ON a.id = r.account_id LEFT JOIN person p ON p.id = a.person_id "
    "WHERE r.unit_id = ? AND r.is_open = 1 AND r.expires_at > ? "
    "AND NOT EXISTS (SELECT 1 FROM unit_member m WHERE m.unit_id = r.unit_id AND m.account_id = r.account_id) "
    "ORDER BY r.id LIMIT 100";


cp_code_t
cp_request_unit(cp_call_t *call, cp_str_t uscc, cp_str_t name, cp_membership_t *unit)
{
    unit->administrator = false;

    return cp_db_row(call->db, sql_unit, "ss>isss", uscc, name, &unit->unit, &unit->unit_id, &unit->name,
                     &unit->uscc);
}


cp_code_t
cp_request_insert(cp_call_t *call, int64_t unit, cp_str_t *public_id, int64_t *expires_ms)
{
    int64_t now = cp_now_ms(), is_member;

    CP_TRY(cp_db_row(call->db, sql_is_member, "ii>i", unit, call->who.account, &is_member));
    if (is_member != 0) {
        return CP_E_ALREADY_EXISTS;
    }

    *expires_ms = now + CP_REQUEST_LIVE_MS;
    *public_id = cp_random_id(call->arena, PUBLIC_ID_BYTES);
    if (public_id->data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_db_exec(call->db, sql_lapse, "iii", unit, call->who.account, now));

    return cp_db_exec(call->db, sql_insert, "siiii", *public_id, unit, call->who.account, *expires_ms, now);
}


cp_code_t
cp_request_find(cp_call_t *call, int64_t unit, cp_str_t public_id, cp_joining_t *request)
{
    return cp_db_row(call->db, sql_find, "isi>iiis", unit, public_id, cp_now_ms(), &request->id, &request->unit,
                     &request->account, &request->account_id);
}


cp_code_t
cp_request_close(cp_call_t *call, int64_t id, const char *state)
{
    CP_TRY(cp_db_exec(call->db, sql_close, "siii", cp_str(state), call->who.account, cp_now_ms(), id));

    return cp_db_affected(call->db) == 1 ? CP_OK : CP_E_NOT_FOUND;
}


cp_code_t
cp_requests_json(cp_call_t *call, json_t **list)
{
    cp_str_t   public_id, name, uscc, state;
    cp_rows_t *rows;
    int64_t    created, expires;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_query(call->db, &rows, sql_list, "ii>ssssii", cp_now_ms(), call->who.account));

    *list = json_array();
    while (cp_db_next(rows, &public_id, &name, &uscc, &state, &created, &expires) == CP_OK) {
        if (json_array_append_new(*list, json_pack("{s:o, s:{s:o, s:o}, s:o, s:o, s:o}", "id", cp_json(public_id),
                                                   "unit", "name", cp_json(name), "uscc", cp_json(uscc), "state",
                                                   cp_json(state), "created_at", cp_json_time(call, created),
                                                   "expires_at", cp_json_time(call, expires))) != 0)
        {
            json_decref(*list);
            return CP_E_NO_MEMORY;
        }
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* One row of a unit's requests: who asks, masked. */
static cp_code_t
append(cp_call_t *call, json_t *list, cp_str_t public_id, cp_str_t phone, cp_str_t name, int64_t created,
       int64_t expires)
{
    CP_TRY(cp_column_open(call->app->keys, call->arena, "account.phone", phone, &phone));
    CP_TRY(cp_column_open(call->app->keys, call->arena, "person.name", name, &name));

    return json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", cp_json(public_id), "name",
                                                 cp_json(name.data == NULL ? name : cp_mask_name(call->arena, name)),
                                                 "phone", cp_json(cp_mask_phone(call->arena, phone)), "created_at",
                                                 cp_json_time(call, created), "expires_at",
                                                 cp_json_time(call, expires))) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


cp_code_t
cp_requests_of_unit_json(cp_call_t *call, int64_t unit, json_t **list)
{
    cp_str_t   public_id, phone, name;
    cp_rows_t *rows;
    int64_t    created, expires;
    cp_code_t  code = CP_OK;

    CP_TRY(cp_db_query(call->db, &rows, sql_of_unit, "ii>sssii", unit, cp_now_ms()));

    *list = json_array();
    while (code == CP_OK && cp_db_next(rows, &public_id, &phone, &name, &created, &expires) == CP_OK) {
        code = append(call, *list, public_id, phone, name, created, expires);
    }

    if (code != CP_OK) {
        json_decref(*list);
        return code;
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}
