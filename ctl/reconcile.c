/* Money against certificates: every paid order is in exactly one place, and nothing was issued that was not paid. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "ctl.h"

/*
 * Where a paid order stands. A job that was put aside keeps its row without an item. What fits nowhere is "lost": a
 * request without a ledger row, a ledger row that says issued without a certificate, a state against the ledger.
 */
static const char places_sql[] =
    "SELECT CASE"
    "  WHEN o.state IN ('refunding', 'refunded') AND c.id IS NULL THEN 'refunded'"
    "  WHEN c.id IS NOT NULL AND i.state = 'issued' AND o.state IN ('issued', 'shipped', 'completed') THEN 'issued'"
    "  WHEN c.id IS NOT NULL THEN 'lost'"
    "  WHEN i.state IN ('queued', 'prepared') AND o.state IN ('paid', 'approved', 'issuing') THEN 'queued'"
    "  WHEN i.id IS NOT NULL THEN 'lost'"
    "  WHEN o.flow = 'pay_first' AND o.state IN ('paid', 'rejected') THEN 'in_review'"
    "  WHEN o.state IN ('paid', 'approved') AND o.csr IS NULL THEN 'ready'"
    "  WHEN o.state IN ('paid', 'approved')"
    "   AND EXISTS (SELECT 1 FROM issuance f WHERE f.order_id = o.id AND f.item IS NULL) THEN 'failed'"
    "  ELSE 'lost' END AS place, COUNT(*)"
    " FROM certificate_order o"
    " LEFT JOIN issuance i ON i.order_id = o.id AND i.item = 1"
    " LEFT JOIN certificate c ON c.issuance_id = i.id"
    " WHERE (o.amount_fen > 0 AND o.paid_fen >= o.amount_fen)"
    "  OR (o.amount_fen = 0 AND o.state IN ('approved', 'issuing', 'issued', 'shipped', 'completed'))"
    " GROUP BY place";

static const char unpaid_sql[] =
    "SELECT COUNT(*) FROM issuance i JOIN certificate_order o ON o.id = i.order_id WHERE o.paid_fen < o.amount_fen";

static const char twice_sql[] =
    "SELECT COUNT(*) FROM (SELECT order_id FROM certificate GROUP BY order_id HAVING COUNT(*) > 1) AS twice";

static const char *const places[] = { "issued", "queued", "ready", "in_review", "failed", "refunded", "lost" };


/* Counts of every place into `report`, their sum as "paid". */
static cp_code_t
count_places(ctl_t *ctl, json_t *report)
{
    cp_rows_t *rows;
    cp_str_t   place;
    cp_code_t  code;
    int64_t    count, paid = 0;
    size_t     i;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        json_object_set_new(report, places[i], json_integer(0));
    }

    CP_TRY(cp_db_query(ctl->db, &rows, places_sql, ">si"));

    while ((code = cp_db_next(rows, &place, &count)) == CP_OK) {
        json_object_set_new(report, place.data, json_integer((json_int_t) count));
        paid += count;
    }
    json_object_set_new(report, "paid", json_integer((json_int_t) paid));

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


int
ctl_reconcile(ctl_t *ctl)
{
    json_t  *report = json_object();
    int64_t  unpaid, twice, difference;

    if (cp_db_begin(ctl->db) != CP_OK || count_places(ctl, report) != CP_OK
        || cp_db_row(ctl->db, unpaid_sql, ">i", &unpaid) != CP_OK
        || cp_db_row(ctl->db, twice_sql, ">i", &twice) != CP_OK)
    {
        json_decref(report);
        return ctl_db_fault(ctl, "counting");
    }
    cp_db_rollback(ctl->db);

    difference = (int64_t) json_integer_value(json_object_get(report, "lost")) + unpaid + twice;
    json_object_set_new(report, "issued_unpaid", json_integer((json_int_t) unpaid));
    json_object_set_new(report, "issued_twice", json_integer((json_int_t) twice));
    json_object_set_new(report, "difference", json_integer((json_int_t) difference));

    json_dumpf(report, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(report);

    return difference == 0 ? CTL_OK : CTL_FAULT;
}
