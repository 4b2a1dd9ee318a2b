/* Units and who acts for them. */
#include "audit/audit.h"
#include "base/clock.h"
#include "base/random.h"
#include "identity/identity_store.h"
#include "member/member_store.h"

#define PUBLIC_ID_BYTES  15

static const char sql_by_id[] =
    "SELECT id, public_id, kind, name, uscc, legal_name_sealed, legal_id_sealed, verified FROM unit WHERE id = ?";

static const char sql_of_caller[] =
    "SELECT u.id, u.public_id, u.kind, u.name, u.uscc, u.legal_name_sealed, u.legal_id_sealed, u.verified "
    "FROM unit u JOIN unit_member m ON m.unit_id = u.id WHERE u.public_id = ? AND m.account_id = ?";

static const char sql_list[] =
    "SELECT u.public_id, u.name, u.uscc, u.kind, u.verified, m.role FROM unit_member m JOIN unit u "
    "ON u.id = m.unit_id WHERE m.account_id = ? ORDER BY m.created_at, u.id";

static const char sql_lock[] =
    "SELECT id, public_id, kind, name, uscc, legal_name_sealed, legal_id_sealed, verified FROM unit "
    "WHERE uscc = ? AND name = ? FOR UPDATE";

static const char sql_insert[] =
    "INSERT INTO unit (public_id, kind, name, uscc, legal_name_sealed, legal_id_sealed, verified, "
    "check_digit_overridden, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static const char sql_update[] =
    "UPDATE unit SET legal_name_sealed = ?, legal_id_sealed = ?, kind = ?, verified = ?, updated_at = ? WHERE id = ?";

static const char sql_other_members[] =
    "SELECT COUNT(*) FROM unit_member WHERE unit_id = ? AND account_id <> ?";

static const char sql_administrators[] =
    "SELECT COUNT(*) FROM unit_member WHERE administered = ?";

static const char sql_administer[] =
    "UPDATE unit_member SET role = 'administrator' WHERE unit_id = ? AND account_id = ?";


static cp_code_t
complete(cp_call_t *call, cp_unit_t *unit, cp_str_t legal_name, cp_str_t legal_id, int64_t verified)
{
    unit->verified = verified != 0;

    CP_TRY(cp_column_open(call->app->keys, call->arena, "unit.legal_name", legal_name, &unit->legal_name));

    return cp_column_open(call->app->keys, call->arena, "unit.legal_id", legal_id, &unit->legal_id_number);
}


cp_code_t
cp_unit_of_caller(cp_call_t *call, cp_str_t public_id, cp_unit_t *unit)
{
    cp_str_t legal_name, legal_id;
    int64_t  verified;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_of_caller, "si>issssssi", public_id, call->who.account, &unit->id,
                     &unit->public_id, &unit->kind, &unit->name, &unit->uscc, &legal_name, &legal_id, &verified));

    return complete(call, unit, legal_name, legal_id, verified);
}


cp_code_t
cp_unit_by_id(cp_call_t *call, int64_t id, cp_unit_t *unit)
{
    cp_str_t legal_name, legal_id;
    int64_t  verified;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_by_id, "i>issssssi", id, &unit->id, &unit->public_id, &unit->kind, &unit->name,
                     &unit->uscc, &legal_name, &legal_id, &verified));

    return complete(call, unit, legal_name, legal_id, verified);
}


cp_code_t
cp_units_json(cp_call_t *call, json_t **units)
{
    cp_rows_t *rows;
    cp_str_t   public_id, name, uscc, kind, role;
    int64_t    verified;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_query(call->db, &rows, sql_list, "i>ssssis", call->who.account));

    *units = json_array();
    while (cp_db_next(rows, &public_id, &name, &uscc, &kind, &verified, &role) == CP_OK) {
        if (json_array_append_new(*units, json_pack("{s:o, s:o, s:o, s:o, s:b, s:o}", "id", cp_json(public_id),
                                                    "name", cp_json(name), "uscc", cp_json(uscc), "kind",
                                                    cp_json(kind), "verified", (int) verified, "role",
                                                    cp_json(role))) != 0)
        {
            json_decref(*units);
            return CP_E_NO_MEMORY;
        }
    }

    return *units == NULL ? CP_E_NO_MEMORY : CP_OK;
}


static cp_code_t
insert(cp_call_t *call, cp_unit_t *unit, cp_str_t legal_name, cp_str_t legal_id, bool overridden)
{
    int64_t   now = cp_now_ms();
    cp_code_t code;

    unit->public_id = cp_random_id(call->arena, PUBLIC_ID_BYTES);
    if (unit->public_id.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = cp_db_exec(call->db, sql_insert, "ssssssiiii", unit->public_id, unit->kind, unit->name, unit->uscc,
                      legal_name, legal_id, (int64_t) unit->verified, (int64_t) overridden, now, now);
    if (code != CP_OK) {
        /* Somebody else's request made it meanwhile: the operation finds the row at its next try. */
        return code == CP_E_DUPLICATE ? CP_E_RETRY : code;
    }

    unit->id = cp_db_insert_id(call->db);

    return cp_audit(call, "unit.create", "unit", unit->public_id,
                    json_pack("{s:b, s:b}", "verified", unit->verified, "check_digit_overridden", overridden));
}


static bool
is_same_legal_person(const cp_unit_t *a, const cp_unit_t *b)
{
    return cp_str_eq(a->legal_name, b->legal_name) && cp_str_eq(a->legal_id_number, b->legal_id_number);
}


/* What nobody has confirmed may change only what nobody else relies on. */
static cp_code_t
check_change(cp_call_t *call, const cp_unit_t *unit, const cp_unit_t *known)
{
    int64_t others;

    if (unit->verified || is_same_legal_person(unit, known)) {
        return CP_OK;
    }

    CP_TRY(cp_db_row(call->db, sql_other_members, "ii>i", known->id, call->who.account, &others));

    return known->verified || others != 0 ? CP_E_ALREADY_EXISTS : CP_OK;
}


/* A verified unit stays verified and keeps its kind: the materials of its orders go by it. */
static cp_code_t
update(cp_call_t *call, cp_unit_t *unit, const cp_unit_t *known, cp_str_t legal_name, cp_str_t legal_id)
{
    CP_TRY(check_change(call, unit, known));

    unit->id = known->id;
    unit->public_id = known->public_id;
    if (known->verified) {
        unit->kind = known->kind;
        unit->verified = true;
    }

    return cp_db_exec(call->db, sql_update, "sssiii", legal_name, legal_id, unit->kind, (int64_t) unit->verified,
                      cp_now_ms(), unit->id);
}


/* The unit's row is locked: two requests of one account cannot both find no membership, nor two an office vacant. */
static cp_code_t
join(cp_call_t *call, const cp_unit_t *unit, bool proved)
{
    cp_code_t code;
    int64_t   administrators;

    code = cp_member_add(call, unit->id, call->who.account);
    if (code == CP_OK) {
        code = cp_audit(call, "unit.join", "unit", unit->public_id, json_pack("{s:s}", "by", "proof"));
    }
    if (code != CP_OK && code != CP_E_ALREADY_EXISTS) {
        return code;
    }

    CP_TRY(cp_db_row(call->db, sql_administrators, "i>i", unit->id, &administrators));
    if (!proved || administrators != 0) {
        return CP_OK;
    }

    CP_TRY(cp_db_exec(call->db, sql_administer, "ii", unit->id, call->who.account));

    return cp_audit(call, "unit.administrator", "unit", unit->public_id,
                    json_pack("{s:n, s:o}", "from", "to", cp_json(call->who.account_id)));
}


cp_code_t
cp_unit_keep(cp_call_t *call, cp_unit_t *unit, bool overridden, bool *disproved)
{
    bool      proved = unit->verified;
    cp_unit_t known;
    cp_str_t  legal_name, legal_id;
    int64_t   verified;
    cp_code_t code;

    code = cp_db_row(call->db, sql_lock, "ss>issssssi", unit->uscc, unit->name, &known.id, &known.public_id,
                     &known.kind, &known.name, &known.uscc, &legal_name, &legal_id, &verified);
    if (code == CP_OK) {
        code = complete(call, &known, legal_name, legal_id, verified);
    } else if (code == CP_E_NOT_FOUND) {
        known.id = 0;
        code = CP_OK;
    }
    CP_TRY(code);

    CP_TRY(cp_column_seal(call->app->keys, call->arena, "unit.legal_name", unit->legal_name, &legal_name));
    CP_TRY(cp_column_seal(call->app->keys, call->arena, "unit.legal_id", unit->legal_id_number, &legal_id));

    CP_TRY(known.id == 0 ? insert(call, unit, legal_name, legal_id, overridden)
                         : update(call, unit, &known, legal_name, legal_id));

    *disproved = known.id != 0 && proved && !known.verified && !is_same_legal_person(unit, &known);

    return join(call, unit, proved);
}
