#include "certificate/certificate_store.h"

/* Indexes and order of the tables are named, for each list walks one index and stops at its limit. */
#define LINES(index)                                                                                                   \
    "SELECT c.id, c.serial, c.issuer, c.state, c.not_before, c.not_after, c.revoked_at, c.reason, "                    \
    "o.no, o.project, o.product, u.public_id, u.name FROM certificate c FORCE INDEX (" index ") "                      \
    "STRAIGHT_JOIN certificate_order o ON o.id = c.order_id STRAIGHT_JOIN unit u ON u.id = c.unit_id "

/* A unit's certificates are for its administrator, and each for the member who applied for it. */
#define TO_MEMBER                                                                                                      \
    "JOIN unit_member m ON m.unit_id = c.unit_id AND m.account_id = ? "                                                \
    "AND (m.account_id = c.account_id OR m.role = 'administrator') "

static const char sql_lines[] =
    LINES("certificate_account")
    "STRAIGHT_JOIN unit_member m FORCE INDEX (PRIMARY) ON m.unit_id = c.unit_id AND m.account_id = c.account_id "
    "WHERE c.account_id = ? AND c.id < ? ORDER BY c.id DESC LIMIT ?";

static const char sql_lines_of_unit[] =
    LINES("certificate_unit") "WHERE c.unit_id = ? AND c.id < ? ORDER BY c.id DESC LIMIT ?";

static const char sql_download[] =
    "SELECT c.der, i.certificate FROM certificate c JOIN issuer i ON i.name = c.issuer " TO_MEMBER
    "WHERE c.serial = ?";

#define SHOWN  "SELECT " CP_CERTIFICATE_COLUMNS " " CP_CERTIFICATE_FROM

static const char sql_by_sha256[] = SHOWN "WHERE c.sha256 = ?";
static const char sql_by_id[] = SHOWN "WHERE c.id = ?";

static const char sql_by_serial[] =
    "SELECT COUNT(*), MAX(der) FROM certificate WHERE serial = ?";
static const char sql_issuers[] =
    "SELECT certificate FROM issuer";

static const char sql_held[] =
    "SELECT COUNT(*) FROM certificate WHERE account_id = ? AND state = 'valid' AND not_before <= ? AND not_after >= ?";

static const char sql_is_seen[] =
    "SELECT c.id FROM certificate c " TO_MEMBER "WHERE c.serial = ?";

static const char sql_state[] =
    "SELECT state FROM certificate WHERE id = ? LOCK IN SHARE MODE";

static const char sql_lock[] =
    "SELECT c.id, c.order_id, c.issuer, c.state, c.account_id, "
    "(SELECT a.public_id FROM account a WHERE a.id = c.account_id) FROM certificate c WHERE c.serial = ? FOR UPDATE";
static const char sql_revoke[] =
    "UPDATE certificate SET state = 'revoked', revoked_at = ?, reason = ? WHERE id = ?";

static const char sql_crl[] =
    "SELECT der FROM crl WHERE issuer = ? ORDER BY number DESC LIMIT 1";
static const char sql_issuer[] =
    "SELECT certificate FROM issuer WHERE name = ?";


cp_code_t
cp_certificate_lines(cp_call_t *call, int64_t account, const cp_page_t *page, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_lines, "iii>isssiiiisssss", account,
                       page->after == 0 ? INT64_MAX : page->after, page->limit + 1);
}


cp_code_t
cp_certificate_lines_of_unit(cp_call_t *call, int64_t unit, const cp_page_t *page, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_lines_of_unit, "iii>isssiiiisssss", unit,
                       page->after == 0 ? INT64_MAX : page->after, page->limit + 1);
}


cp_code_t
cp_certificate_next_line(cp_rows_t *rows, cp_certificate_line_t *l)
{
    return cp_db_next(rows, &l->id, &l->serial, &l->issuer, &l->state, &l->not_before_ms, &l->not_after_ms,
                      &l->revoked_ms, &l->reason, &l->order, &l->project, &l->product, &l->unit, &l->unit_name);
}


cp_code_t
cp_certificate_download(cp_call_t *call, int64_t account, cp_str_t serial, cp_str_t *der, cp_str_t *issuer)
{
    return cp_db_row(call->db, sql_download, "is>ss", account, serial, der, issuer);
}


void
cp_certificate_take(const cp_certificate_raw_t *raw, cp_certificate_t *certificate)
{
    certificate->account_active = raw->active != 0;
    certificate->member = raw->member != 0;
}


cp_code_t
cp_certificate_by_sha256(cp_call_t *call, cp_str_t sha256, cp_certificate_t *certificate)
{
    cp_certificate_raw_t raw;

    CP_TRY(cp_db_row(call->db, sql_by_sha256, "s>" CP_CERTIFICATE_TYPES, sha256,
                     CP_CERTIFICATE_TAKE(certificate, &raw)));
    cp_certificate_take(&raw, certificate);

    return CP_OK;
}


cp_code_t
cp_certificate_by_id(cp_call_t *call, int64_t id, cp_certificate_t *certificate)
{
    cp_certificate_raw_t raw;

    CP_TRY(cp_db_row(call->db, sql_by_id, "i>" CP_CERTIFICATE_TYPES, id, CP_CERTIFICATE_TAKE(certificate, &raw)));
    cp_certificate_take(&raw, certificate);

    return CP_OK;
}


cp_code_t
cp_certificate_by_serial(cp_call_t *call, cp_str_t serial, cp_str_t *der)
{
    int64_t count;

    CP_TRY(cp_db_row(call->db, sql_by_serial, "s>is", serial, &count, der));

    return count == 1 ? CP_OK : CP_E_CERT_UNBOUND;
}


cp_code_t
cp_issuers(cp_call_t *call, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_issuers, ">s");
}


cp_code_t
cp_issuers_next(cp_rows_t *rows, cp_str_t *der)
{
    return cp_db_next(rows, der);
}


cp_code_t
cp_certificate_is_seen(cp_call_t *call, int64_t account, cp_str_t serial)
{
    int64_t id;

    return cp_db_row(call->db, sql_is_seen, "is>i", account, serial, &id);
}


cp_code_t
cp_certificate_hold(cp_call_t *call, int64_t id, cp_str_t *state)
{
    return cp_db_row(call->db, sql_state, "i>s", id, state);
}


cp_code_t
cp_certificate_lock(cp_call_t *call, cp_str_t serial, cp_revocable_t *revocable)
{
    return cp_db_row(call->db, sql_lock, "s>iissis", serial, &revocable->id, &revocable->order, &revocable->issuer,
                     &revocable->state, &revocable->account, &revocable->account_id);
}


cp_code_t
cp_certificate_revoke(cp_call_t *call, int64_t id, int64_t reason, int64_t now_ms)
{
    return cp_db_exec(call->db, sql_revoke, "iii", now_ms, reason, id);
}


cp_code_t
cp_crl_newest(cp_call_t *call, cp_str_t issuer, cp_str_t *der)
{
    return cp_db_row(call->db, sql_crl, "s>s", issuer, der);
}


cp_code_t
cp_issuer_certificate(cp_call_t *call, cp_str_t issuer, cp_str_t *der)
{
    return cp_db_row(call->db, sql_issuer, "s>s", issuer, der);
}


cp_code_t
cp_certificate_is_held(cp_call_t *call, int64_t account, int64_t now_ms, bool *held)
{
    int64_t count;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_held, "iii>i", account, now_ms, now_ms, &count));
    *held = count != 0;

    return CP_OK;
}
