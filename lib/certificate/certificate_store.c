#include "certificate/certificate_store.h"

#define LINES                                                                                                          \
    "SELECT c.id, c.serial, c.issuer, c.state, c.not_before, c.not_after, c.revoked_at, c.reason, "                    \
    "o.no, o.project, o.product, u.public_id, u.name "                                                                 \
    "FROM certificate c JOIN certificate_order o ON o.id = c.order_id JOIN unit u ON u.id = c.unit_id "

/* A unit's certificates are for its administrator, and each for the member who applied for it. */
#define TO_MEMBER                                                                                                      \
    "JOIN unit_member m ON m.unit_id = c.unit_id AND m.account_id = ? "                                                \
    "AND (m.account_id = c.account_id OR m.role = 'administrator') "

static const char sql_lines[] =
    LINES "JOIN unit_member m ON m.unit_id = c.unit_id AND m.account_id = c.account_id "
    "WHERE c.account_id = ? AND c.id < ? ORDER BY c.id DESC LIMIT ?";

static const char sql_lines_of_unit[] =
    LINES "WHERE c.unit_id = ? AND c.id < ? ORDER BY c.id DESC LIMIT ?";

static const char sql_download[] =
    "SELECT c.der, i.certificate FROM certificate c JOIN issuer i ON i.name = c.issuer " TO_MEMBER
    "WHERE c.serial = ?";

static const char sql_by_sha256[] =
    "SELECT c.id, c.account_id, a.public_id, c.serial, c.state, a.state = 'active' "
    "FROM certificate c JOIN account a ON a.id = c.account_id WHERE c.sha256 = ?";

static const char sql_lock[] =
    "SELECT id, order_id, issuer, state FROM certificate WHERE serial = ? FOR UPDATE";
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


cp_code_t
cp_certificate_by_sha256(cp_call_t *call, cp_str_t sha256, cp_certificate_t *certificate, bool *active)
{
    int64_t is_active;

    CP_TRY(cp_db_row(call->db, sql_by_sha256, "s>iisssi", sha256, &certificate->id, &certificate->account,
                     &certificate->account_id, &certificate->serial, &certificate->state, &is_active));

    *active = is_active != 0;
    return CP_OK;
}


cp_code_t
cp_certificate_lock(cp_call_t *call, cp_str_t serial, cp_revocable_t *revocable)
{
    return cp_db_row(call->db, sql_lock, "s>iiss", serial, &revocable->id, &revocable->order, &revocable->issuer,
                     &revocable->state);
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
