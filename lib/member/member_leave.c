/* All memberships of an account that is closed. */
#include "member/member.h"

#include "audit/audit.h"
#include "base/clock.h"

static const char sql_held[] =
    "SELECT u.public_id, m.role = 'administrator' FROM unit u JOIN unit_member m ON m.unit_id = u.id "
    "WHERE m.account_id = ? ORDER BY u.id FOR UPDATE";
static const char sql_needed[] =
    "SELECT COUNT(*) FROM unit_member m JOIN unit_member o ON o.unit_id = m.unit_id AND o.account_id <> m.account_id "
    "WHERE m.account_id = ? AND m.role = 'administrator'";
static const char sql_leave[] =
    "DELETE FROM unit_member WHERE account_id = ?";
static const char sql_lapse[] =
    "UPDATE unit_request SET state = 'lapsed', is_open = NULL, decided_at = ? WHERE account_id = ? AND is_open = 1";


cp_code_t
cp_member_leave_all(cp_call_t *call, int64_t account, bool *needed)
{
    cp_rows_t *rows;
    cp_str_t   unit;
    int64_t    administers, others;
    cp_code_t  code;

    CP_TRY(cp_db_query(call->db, &rows, sql_held, "i>si", account));
    CP_TRY(cp_db_row(call->db, sql_needed, "i>i", account, &others));
    *needed = others != 0;

    while ((code = cp_db_next(rows, &unit, &administers)) == CP_OK) {
        CP_TRY(cp_audit(call, "unit.leave", "unit", unit, json_pack("{s:b}", "administrator", administers != 0)));
    }
    if (code != CP_E_NOT_FOUND) {
        return code;
    }

    CP_TRY(cp_db_exec(call->db, sql_leave, "i", account));

    return cp_db_exec(call->db, sql_lapse, "ii", cp_now_ms(), account);
}
