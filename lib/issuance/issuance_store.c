#include "issuance/issuance_store.h"

#include <string.h>

static const char *const state_names[] = {
    [CP_LEDGER_QUEUED] = "queued",
    [CP_LEDGER_PREPARED] = "prepared",
    [CP_LEDGER_ISSUED] = "issued",
    [CP_LEDGER_FAILED] = "failed",
};

static const char sql_count[] =
    "SELECT COUNT(item), COUNT(*) - COUNT(item) FROM issuance WHERE order_id = ?";

static const char sql_insert[] =
    "INSERT INTO issuance (order_id, item, state, profile, years, subject, csr, next_try_at, created_at, updated_at) "
    "VALUES (?, 1, 'queued', ?, ?, ?, ?, ?, ?, ?)";

static const char sql_find_key[] =
    "SELECT id FROM certificate_order WHERE spki_sha256 = ? AND id <> ? "
    "AND NOT (unit_id = ? AND state IN ('cancelled', 'refunded')) "
    "UNION ALL SELECT id FROM certificate WHERE spki_sha256 = ? AND order_id <> ? LIMIT 1";

static const char sql_order[] =
    "SELECT order_id FROM issuance WHERE id = ?";

static const char sql_lock[] =
    "SELECT id, order_id, state, profile, years, subject, csr, issuer, serial, tbs, attempts, created_at "
    "FROM issuance WHERE id = ? FOR UPDATE";

static const char sql_prepared[] =
    "UPDATE issuance SET state = 'prepared', issuer = ?, serial = ?, tbs = ?, updated_at = ? "
    "WHERE id = ? AND state = 'queued'";
static const char sql_issued[] =
    "UPDATE issuance SET state = 'issued', error = NULL, updated_at = ? WHERE id = ? AND state = 'prepared'";
static const char sql_failed[] =
    "UPDATE issuance SET state = 'failed', item = NULL, error = ?, updated_at = ? "
    "WHERE id = ? AND state IN ('queued', 'prepared')";
static const char sql_attempt[] =
    "UPDATE issuance SET attempts = attempts + 1, error = ?, next_try_at = ?, updated_at = ? "
    "WHERE id = ? AND state IN ('queued', 'prepared')";

static const char sql_due[] =
    "SELECT id, next_try_at FROM issuance WHERE state = 'queued' AND next_try_at <= ? "
    "UNION ALL SELECT id, next_try_at FROM issuance WHERE state = 'prepared' AND next_try_at <= ? "
    "ORDER BY next_try_at, id LIMIT ?";
static const char sql_lease[] =
    "UPDATE issuance SET next_try_at = ? WHERE id = ? AND next_try_at = ?";


cp_code_t
cp_ledger_count(cp_db_t *db, int64_t order, int64_t *alive, int64_t *aside)
{
    return cp_db_row(db, sql_count, "i>ii", order, alive, aside);
}


cp_code_t
cp_ledger_insert(cp_db_t *db, const cp_order_t *order, cp_str_t subject, int64_t now_ms, int64_t *id)
{
    CP_TRY(cp_db_exec(db, sql_insert, "isissiii", order->id, order->profile, order->years, subject, order->csr, now_ms,
                      now_ms, now_ms));

    *id = cp_db_insert_id(db);
    return CP_OK;
}


cp_code_t
cp_ledger_find_key(cp_db_t *db, cp_str_t spki_sha256, int64_t order, int64_t unit)
{
    int64_t id;

    return cp_db_row(db, sql_find_key, "siisi>i", spki_sha256, order, unit, spki_sha256, order, &id);
}


cp_code_t
cp_ledger_order(cp_db_t *db, int64_t id, int64_t *order)
{
    return cp_db_row(db, sql_order, "i>i", id, order);
}


cp_code_t
cp_ledger_lock(cp_db_t *db, int64_t id, cp_ledger_t *l)
{
    cp_str_t state;
    size_t   i;

    CP_TRY(cp_db_row(db, sql_lock, "i>iississsssii", id, &l->id, &l->order, &state, &l->profile, &l->years,
                     &l->subject, &l->csr, &l->issuer, &l->serial, &l->tbs, &l->attempts, &l->created_ms));

    for (i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++) {
        if (cp_str_is(state, state_names[i])) {
            l->state = (cp_ledger_state_t) i;
            return CP_OK;
        }
    }

    return CP_E_INTERNAL;
}


static cp_code_t
moved(cp_db_t *db)
{
    return cp_db_affected(db) == 1 ? CP_OK : CP_E_WRONG_STATE;
}


cp_code_t
cp_ledger_prepared(cp_db_t *db, const cp_ledger_t *ledger, int64_t now_ms)
{
    CP_TRY(cp_db_exec(db, sql_prepared, "sssii", ledger->issuer, ledger->serial, ledger->tbs, now_ms, ledger->id));
    return moved(db);
}


cp_code_t
cp_ledger_issued(cp_db_t *db, int64_t id, int64_t now_ms)
{
    CP_TRY(cp_db_exec(db, sql_issued, "ii", now_ms, id));
    return moved(db);
}


cp_code_t
cp_ledger_failed(cp_db_t *db, int64_t id, cp_str_t why, int64_t now_ms)
{
    CP_TRY(cp_db_exec(db, sql_failed, "sii", why, now_ms, id));
    return moved(db);
}


cp_code_t
cp_ledger_attempt(cp_db_t *db, int64_t id, cp_str_t why, int64_t next_try_ms, int64_t now_ms)
{
    return cp_db_exec(db, sql_attempt, "siii", why, next_try_ms, now_ms, id);
}


cp_code_t
cp_ledger_due(cp_db_t *db, int64_t due_ms, int64_t lease_ms, int64_t *ids, size_t most, size_t *count)
{
    int64_t    id, next_try_ms;
    cp_rows_t *rows;

    *count = 0;
    CP_TRY(cp_db_query(db, &rows, sql_due, "iii>ii", due_ms, due_ms, (int64_t) most));

    while (cp_db_next(rows, &id, &next_try_ms) == CP_OK) {
        CP_TRY(cp_db_exec(db, sql_lease, "iii", lease_ms, id, next_try_ms));
        if (cp_db_affected(db) == 1) {
            ids[(*count)++] = id;
        }
    }

    return CP_OK;
}
