#include "staff/staff_store.h"

#include "base/clock.h"

static const char sql_by_certificate[] =
    "SELECT s.id, s.public_id, s.roles, s.state, s.updated_at, c.state FROM staff s "
    "LEFT JOIN certificate c ON c.sha256 = s.certificate_sha256 WHERE s.certificate_sha256 = ?";

static const char sql_find_duty[] =
    "SELECT s.person_index, d.duty FROM staff s LEFT JOIN order_duty d ON d.order_id = ? AND d.staff_id = s.id "
    "WHERE s.id = ?";

static const char sql_insert_duty[] =
    "INSERT INTO order_duty (order_id, staff_id, duty, created_at) VALUES (?, ?, ?, ?)";

static const char sql_person[] =
    "SELECT person_index FROM staff WHERE id = ?";

static const char sql_name[] =
    "SELECT name_sealed FROM staff WHERE id = ?";


cp_code_t
cp_staff_by_certificate(cp_call_t *call, cp_str_t sha256, cp_staff_member_t *member)
{
    CP_TRY(cp_call_db(call));

    return cp_db_row(call->db, sql_by_certificate, "s>isisis", sha256, &member->id, &member->public_id, &member->roles,
                     &member->state, &member->changed_ms, &member->certificate_state);
}


cp_code_t
cp_staff_find_duty(cp_call_t *call, int64_t order, cp_staff_duty_t *duty)
{
    cp_code_t code;

    code = cp_db_row(call->db, sql_find_duty, "ii>ss", order, call->who.staff, &duty->person_index, &duty->duty);

    return code == CP_E_NOT_FOUND ? CP_E_FORBIDDEN : code;
}


/* The order is locked, so nobody else writes its duties: a duplicate means that the same member acts twice at once. */
cp_code_t
cp_staff_insert_duty(cp_call_t *call, int64_t order, const char *duty)
{
    cp_code_t code;

    code = cp_db_exec(call->db, sql_insert_duty, "iisi", order, call->who.staff, cp_str(duty), cp_now_ms());

    return code == CP_E_DUPLICATE ? CP_E_RETRY : code;
}


cp_code_t
cp_staff_person_index(cp_call_t *call, cp_str_t *index)
{
    CP_TRY(cp_call_db(call));

    return cp_db_row(call->db, sql_person, "i>s", call->who.staff, index);
}


cp_code_t
cp_staff_name(cp_call_t *call, cp_str_t *name)
{
    cp_str_t sealed;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_name, "i>s", call->who.staff, &sealed));

    return cp_column_open(call->app->keys, call->arena, "staff.name", sealed, name);
}
