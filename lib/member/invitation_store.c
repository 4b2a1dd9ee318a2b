#include "member/invitation_store.h"

#include "account/account.h"
#include "base/clock.h"
#include "base/random.h"

#define PUBLIC_ID_BYTES  15
#define PHONE_COLUMN     "unit_invitation.phone"

#define OPEN       "is_open = 1 AND expires_at > ?"
#define MY_NUMBER  "phone_index = (SELECT a.phone_index FROM account a WHERE a.id = ?)"

static const char sql_lapse[] =
    "UPDATE unit_invitation SET state = 'lapsed', is_open = NULL "
    "WHERE unit_id = ? AND phone_index = ? AND is_open = 1 AND expires_at <= ?";

static const char sql_insert[] =
    "INSERT INTO unit_invitation (public_id, unit_id, phone_index, phone_sealed, state, is_open, invited_by, "
    "expires_at, created_at) VALUES (?, ?, ?, ?, 'open', 1, ?, ?, ?)";

static const char sql_find[] =
    "SELECT id, unit_id FROM unit_invitation WHERE public_id = ? AND " MY_NUMBER " AND " OPEN;

static const char sql_close[] =
    "UPDATE unit_invitation SET state = ?, is_open = NULL, decided_by = ?, decided_at = ? WHERE id = ? AND is_open = 1";

static const char sql_withdraw[] =
    "UPDATE unit_invitation SET state = 'withdrawn', is_open = NULL, decided_by = ?, decided_at = ? "
    "WHERE unit_id = ? AND public_id = ? AND " OPEN;

static const char sql_list[] =
    "SELECT i.public_id, u.public_id, u.name, u.uscc, p.name_sealed, i.created_at, i.expires_at "
    "FROM unit_invitation i JOIN unit u ON u.id = i.unit_id JOIN account b ON b.id = i.invited_by "
    "LEFT JOIN person p ON p.id = b.person_id WHERE i." MY_NUMBER " AND i." OPEN " ORDER BY i.id DESC LIMIT 100";

static const char sql_of_unit[] =
    "SELECT public_id, phone_sealed, created_at, expires_at FROM unit_invitation WHERE unit_id = ? AND " OPEN
    " ORDER BY id DESC LIMIT 100";


cp_code_t
cp_invitation_index(cp_call_t *call, cp_str_t phone, cp_str_t *index)
{
    return cp_blind_index(call->app->keys, call->arena, "account.phone", phone, index);
}


cp_code_t
cp_invitation_insert(cp_call_t *call, int64_t unit, cp_str_t phone, cp_str_t index, cp_str_t *public_id,
                     int64_t *expires_ms)
{
    int64_t  now = cp_now_ms();
    cp_str_t sealed;

    *expires_ms = now + CP_INVITATION_LIVE_MS;
    *public_id = cp_random_id(call->arena, PUBLIC_ID_BYTES);
    if (public_id->data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_column_seal(call->app->keys, call->arena, PHONE_COLUMN, phone, &sealed));
    CP_TRY(cp_db_exec(call->db, sql_lapse, "isi", unit, index, now));

    return cp_db_exec(call->db, sql_insert, "sissiii", *public_id, unit, index, sealed, call->who.account, *expires_ms,
                      now);
}


cp_code_t
cp_invitation_find(cp_call_t *call, cp_str_t public_id, cp_joining_t *invitation)
{
    invitation->account = 0;
    invitation->account_id = CP_STR_NULL;

    return cp_db_row(call->db, sql_find, "sii>ii", public_id, call->who.account, cp_now_ms(), &invitation->id,
                     &invitation->unit);
}


cp_code_t
cp_invitation_close(cp_call_t *call, int64_t id, const char *state)
{
    CP_TRY(cp_db_exec(call->db, sql_close, "siii", cp_str(state), call->who.account, cp_now_ms(), id));

    return cp_db_affected(call->db) == 1 ? CP_OK : CP_E_NOT_FOUND;
}


cp_code_t
cp_invitation_withdraw(cp_call_t *call, int64_t unit, cp_str_t public_id)
{
    int64_t now = cp_now_ms();

    CP_TRY(cp_db_exec(call->db, sql_withdraw, "iiisi", call->who.account, now, unit, public_id, now));

    return cp_db_affected(call->db) == 1 ? CP_OK : CP_E_NOT_FOUND;
}


/* One invitation as its receiver sees it. */
static cp_code_t
append(cp_call_t *call, json_t *list, cp_str_t public_id, json_t *unit, cp_str_t inviter, int64_t created,
       int64_t expires)
{
    cp_str_t  name = CP_STR_NULL;
    cp_code_t code = cp_column_open(call->app->keys, call->arena, "person.name", inviter, &name);

    if (code != CP_OK) {
        json_decref(unit);
        return code;
    }

    return json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", cp_json(public_id), "unit", unit,
                                                 "invited_by",
                                                 cp_json(name.data == NULL ? name : cp_mask_name(call->arena, name)),
                                                 "created_at", cp_json_time(call, created), "expires_at",
                                                 cp_json_time(call, expires))) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


cp_code_t
cp_invitations_json(cp_call_t *call, json_t **list)
{
    cp_str_t   public_id, unit, name, uscc, inviter;
    cp_rows_t *rows;
    int64_t    created, expires;
    cp_code_t  code = CP_OK;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_query(call->db, &rows, sql_list, "ii>sssssii", call->who.account, cp_now_ms()));

    *list = json_array();
    while (code == CP_OK
           && cp_db_next(rows, &public_id, &unit, &name, &uscc, &inviter, &created, &expires) == CP_OK)
    {
        code = append(call, *list, public_id,
                      json_pack("{s:o, s:o, s:o}", "id", cp_json(unit), "name", cp_json(name), "uscc", cp_json(uscc)),
                      inviter, created, expires);
    }

    if (code != CP_OK) {
        json_decref(*list);
        return code;
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* One invitation as its unit's administrator sees it. */
static cp_code_t
append_sent(cp_call_t *call, json_t *list, cp_str_t public_id, cp_str_t phone, int64_t created, int64_t expires)
{
    CP_TRY(cp_column_open(call->app->keys, call->arena, PHONE_COLUMN, phone, &phone));

    return json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "id", cp_json(public_id), "phone",
                                                 cp_json(cp_mask_phone(call->arena, phone)), "created_at",
                                                 cp_json_time(call, created), "expires_at",
                                                 cp_json_time(call, expires))) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


cp_code_t
cp_invitations_of_unit_json(cp_call_t *call, int64_t unit, json_t **list)
{
    cp_str_t   public_id, phone;
    cp_rows_t *rows;
    int64_t    created, expires;
    cp_code_t  code = CP_OK;

    CP_TRY(cp_db_query(call->db, &rows, sql_of_unit, "ii>ssii", unit, cp_now_ms()));

    *list = json_array();
    while (code == CP_OK && cp_db_next(rows, &public_id, &phone, &created, &expires) == CP_OK) {
        code = append_sent(call, *list, public_id, phone, created, expires);
    }

    if (code != CP_OK) {
        json_decref(*list);
        return code;
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}
