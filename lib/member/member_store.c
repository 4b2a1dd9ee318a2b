#include "member/member_store.h"

#include "account/account.h"
#include "base/clock.h"
#include "member/member_rules.h"

#define ADMINISTRATOR  "administrator"

#define MEMBERSHIP                                                                                                     \
    "SELECT u.id, u.public_id, u.name, u.uscc, m.role FROM unit u JOIN unit_member m ON m.unit_id = u.id "             \
    "WHERE u.public_id = ? AND m.account_id = ?"

static const char sql_membership[] = MEMBERSHIP;
static const char sql_membership_shared[] = MEMBERSHIP " LOCK IN SHARE MODE";
static const char sql_membership_lock[] = MEMBERSHIP " FOR UPDATE";

static const char sql_unit_lock[] =
    "SELECT id, public_id, name, uscc FROM unit WHERE id = ? FOR UPDATE";
static const char sql_unit_lock_any[] =
    "SELECT id, public_id, name, uscc FROM unit WHERE public_id = ? FOR UPDATE";

#define MEMBER                                                                                                         \
    "SELECT a.id, a.public_id, a.phone_sealed, a.state, a.person_id, p.name_sealed, m.role, m.created_at "             \
    "FROM unit_member m JOIN account a ON a.id = m.account_id LEFT JOIN person p ON p.id = a.person_id "
#define MEMBER_TYPES  "isssissi"

static const char sql_find[] = MEMBER "WHERE m.unit_id = ? AND a.public_id = ?";
static const char sql_administrator[] = MEMBER "WHERE m.administered = ?";
static const char sql_list[] = MEMBER "WHERE m.unit_id = ? ORDER BY m.administered IS NULL, m.created_at, a.id";

static const char sql_has_phone[] =
    "SELECT COUNT(*) FROM unit_member m STRAIGHT_JOIN account a ON a.id = m.account_id "
    "WHERE m.unit_id = ? AND a.phone_index = ?";

static const char sql_count[] =
    "SELECT COUNT(*), COUNT(CASE WHEN account_id = ? THEN 1 END) FROM unit_member WHERE unit_id = ?";
static const char sql_insert[] =
    "INSERT INTO unit_member (unit_id, account_id, role, created_at) VALUES (?, ?, 'agent', ?)";
static const char sql_delete[] =
    "DELETE FROM unit_member WHERE unit_id = ? AND account_id = ?";
static const char sql_role[] =
    "UPDATE unit_member SET role = ? WHERE unit_id = ? AND account_id = ?";

static const char sql_appointment[] =
    "INSERT INTO unit_appointment (unit_id, from_account, to_account, staff_id, reason, created_at) "
    "VALUES (?, NULLIF(?, 0), ?, ?, ?, ?)";

static const char sql_of_uscc[] =
    "SELECT id, public_id, name, uscc, kind, verified FROM unit WHERE uscc = ? ORDER BY id";


cp_code_t
cp_membership(cp_call_t *call, cp_str_t unit_id, cp_hold_t hold, cp_membership_t *m)
{
    static const char *const statements[] = {
        [CP_HOLD_NOT] = sql_membership,
        [CP_HOLD_SHARED] = sql_membership_shared,
        [CP_HOLD_TO_CHANGE] = sql_membership_lock,
    };
    cp_str_t role;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, statements[hold], "si>issss", unit_id, call->who.account, &m->unit, &m->unit_id,
                     &m->name, &m->uscc, &role));

    m->administrator = cp_str_is(role, ADMINISTRATOR);

    return CP_OK;
}


cp_code_t
cp_administration(cp_call_t *call, cp_str_t unit_id, cp_hold_t hold, cp_membership_t *membership)
{
    CP_TRY(cp_membership(call, unit_id, hold, membership));

    return membership->administrator ? CP_OK : CP_E_FORBIDDEN;
}


cp_code_t
cp_unit_hold(cp_call_t *call, int64_t unit, cp_membership_t *out)
{
    out->administrator = false;

    return cp_db_row(call->db, sql_unit_lock, "i>isss", unit, &out->unit, &out->unit_id, &out->name, &out->uscc);
}


cp_code_t
cp_unit_hold_any(cp_call_t *call, cp_str_t unit_id, cp_membership_t *out)
{
    out->administrator = false;

    return cp_db_row(call->db, sql_unit_lock_any, "s>isss", unit_id, &out->unit, &out->unit_id, &out->name,
                     &out->uscc);
}


cp_code_t
cp_members(cp_call_t *call, int64_t unit, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_list, "i>" MEMBER_TYPES, unit);
}


cp_code_t
cp_member_next(cp_call_t *call, cp_rows_t *rows, cp_member_t *m)
{
    cp_str_t phone, state, name, role;

    CP_TRY(cp_db_next(rows, &m->account, &m->account_id, &phone, &state, &m->person, &name, &role, &m->since_ms));

    m->active = cp_str_is(state, "active");
    m->administrator = cp_str_is(role, ADMINISTRATOR);
    CP_TRY(cp_column_open(call->app->keys, call->arena, "account.phone", phone, &m->phone));

    return cp_column_open(call->app->keys, call->arena, "person.name", name, &m->name);
}


cp_code_t
cp_member_find(cp_call_t *call, int64_t unit, cp_str_t account_id, cp_member_t *member)
{
    cp_rows_t *rows;

    CP_TRY(cp_db_query(call->db, &rows, sql_find, "is>" MEMBER_TYPES, unit, account_id));

    return cp_member_next(call, rows, member);
}


cp_code_t
cp_member_administrator(cp_call_t *call, int64_t unit, cp_member_t *member)
{
    cp_rows_t *rows;

    CP_TRY(cp_db_query(call->db, &rows, sql_administrator, "i>" MEMBER_TYPES, unit));

    return cp_member_next(call, rows, member);
}


static json_t *
member_json(cp_call_t *call, const cp_member_t *m)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:b}", "account", cp_json(m->account_id), "name",
                     cp_json(m->name.data == NULL ? m->name : cp_mask_name(call->arena, m->name)), "phone",
                     cp_json(cp_mask_phone(call->arena, m->phone)), "role",
                     m->administrator ? ADMINISTRATOR : "agent", "since", cp_json_time(call, m->since_ms), "me",
                     m->account == call->who.account);
}


cp_code_t
cp_members_json(cp_call_t *call, int64_t unit, json_t **list)
{
    cp_member_t member;
    cp_rows_t  *rows;
    cp_code_t   code;

    CP_TRY(cp_members(call, unit, &rows));

    *list = json_array();
    while ((code = cp_member_next(call, rows, &member)) == CP_OK) {
        if (json_array_append_new(*list, member_json(call, &member)) != 0) {
            code = CP_E_NO_MEMORY;
            break;
        }
    }

    if (code != CP_E_NOT_FOUND) {
        json_decref(*list);
        return code;
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_member_has_phone(cp_call_t *call, int64_t unit, cp_str_t phone_index, bool *has)
{
    int64_t count;

    CP_TRY(cp_db_row(call->db, sql_has_phone, "is>i", unit, phone_index, &count));

    *has = count != 0;
    return CP_OK;
}


cp_code_t
cp_member_add(cp_call_t *call, int64_t unit, int64_t account)
{
    int64_t members, is_member;

    CP_TRY(cp_db_row(call->db, sql_count, "ii>ii", account, unit, &members, &is_member));
    if (is_member != 0) {
        return CP_E_ALREADY_EXISTS;
    }
    CP_TRY(cp_member_room(members));

    return cp_db_exec(call->db, sql_insert, "iii", unit, account, cp_now_ms());
}


cp_code_t
cp_member_delete(cp_call_t *call, int64_t unit, int64_t account)
{
    return cp_db_exec(call->db, sql_delete, "ii", unit, account);
}


cp_code_t
cp_member_hand_over(cp_call_t *call, int64_t unit, int64_t from, int64_t to)
{
    if (from != 0) {
        CP_TRY(cp_db_exec(call->db, sql_role, "sii", CP_STR("agent"), unit, from));
    }

    return cp_db_exec(call->db, sql_role, "sii", CP_STR(ADMINISTRATOR), unit, to);
}


cp_code_t
cp_appointment_insert(cp_call_t *call, int64_t unit, int64_t from, int64_t to, cp_str_t reason)
{
    return cp_db_exec(call->db, sql_appointment, "iiiisi", unit, from, to, call->who.staff, reason, cp_now_ms());
}


/* One unit with its members; takes nothing over when it fails. */
static cp_code_t
append_unit(cp_call_t *call, json_t *list, int64_t id, json_t *unit)
{
    json_t   *members;
    cp_code_t code = unit == NULL ? CP_E_NO_MEMORY : cp_members_json(call, id, &members);

    if (code == CP_OK && (json_object_set_new(unit, "members", members) != 0 || json_array_append(list, unit) != 0)) {
        code = CP_E_NO_MEMORY;
    }
    json_decref(unit);

    return code;
}


cp_code_t
cp_units_of_uscc(cp_call_t *call, cp_str_t uscc, json_t **list)
{
    cp_rows_t *rows;
    cp_str_t   public_id, name, code, kind;
    int64_t    id, verified;
    cp_code_t  result = CP_OK;

    CP_TRY(cp_db_query(call->db, &rows, sql_of_uscc, "s>issssi", uscc));

    *list = json_array();
    while (result == CP_OK && cp_db_next(rows, &id, &public_id, &name, &code, &kind, &verified) == CP_OK) {
        result = append_unit(call, *list, id,
                             json_pack("{s:o, s:o, s:o, s:o, s:b}", "id", cp_json(public_id), "name", cp_json(name),
                                       "uscc", cp_json(code), "kind", cp_json(kind), "verified", (int) verified));
    }

    if (result != CP_OK) {
        json_decref(*list);
        return result;
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}
