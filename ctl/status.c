/* What the database holds, for an operator's first look. */
#include <stdio.h>

#include <jansson.h>

#include "base/clock.h"
#include "ctl.h"

static const char migrations_sql[] =
    "SELECT name, finished_at FROM schema_migration ORDER BY number";

/* Each row is a group, a name in it and a count. */
static const char counts_sql[] =
    "SELECT 'orders', state, COUNT(*) FROM certificate_order GROUP BY state"
    " UNION ALL SELECT 'issuance', state, COUNT(*) FROM issuance GROUP BY state"
    " UNION ALL SELECT 'certificates', state, COUNT(*) FROM certificate GROUP BY state"
    " UNION ALL SELECT 'staff', state, COUNT(*) FROM staff GROUP BY state"
    " UNION ALL SELECT 'audit', IF(seal_id IS NULL, 'unsealed', 'sealed'), COUNT(*) FROM audit"
    "  GROUP BY seal_id IS NULL"
    " UNION ALL SELECT 'sms_codes_of_a_day', IF(redeemed_at IS NULL, 'not_returned', 'returned'), COUNT(*)"
    "  FROM sms_code WHERE created_at > (UNIX_TIMESTAMP() - 86400) * 1000 GROUP BY redeemed_at IS NULL"
    " UNION ALL SELECT 'sms_segments_that_return_little', segment, COUNT(*) FROM sms_code"
    "  WHERE created_at BETWEEN (UNIX_TIMESTAMP() - 3600) * 1000 AND (UNIX_TIMESTAMP() - 120) * 1000"
    "  GROUP BY segment HAVING COUNT(*) >= 20 AND COUNT(redeemed_at) * 5 < COUNT(*)";


static cp_code_t
add_migrations(ctl_t *ctl, json_t *report)
{
    json_t    *list = json_array();
    cp_rows_t *rows;
    cp_str_t   name, at;
    cp_code_t  code;
    int64_t    finished;

    json_object_set_new(report, "migrations", list);

    CP_TRY(cp_db_query(ctl->db, &rows, migrations_sql, ">si"));

    while ((code = cp_db_next(rows, &name, &finished)) == CP_OK) {
        at = cp_time_text(ctl->arena, finished);
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", name.data, "applied_at",
                                              finished == 0 ? json_null() : json_stringn(at.data, at.len)));
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


static cp_code_t
add_counts(ctl_t *ctl, json_t *report)
{
    cp_rows_t *rows;
    cp_str_t   group, name;
    cp_code_t  code;
    int64_t    count;
    json_t    *object;

    CP_TRY(cp_db_query(ctl->db, &rows, counts_sql, ">ssi"));

    while ((code = cp_db_next(rows, &group, &name, &count)) == CP_OK) {
        object = json_object_get(report, group.data);
        if (object == NULL) {
            object = json_object();
            json_object_set_new(report, group.data, object);
        }
        json_object_set_new(object, name.data, json_integer((json_int_t) count));
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


int
ctl_status(ctl_t *ctl)
{
    json_t *report = json_object();
    int     status = CTL_OK;

    if (add_migrations(ctl, report) != CP_OK || add_counts(ctl, report) != CP_OK) {
        status = ctl_db_fault(ctl, "reading");
    } else {
        json_dumpf(report, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    }
    json_decref(report);

    return status;
}
