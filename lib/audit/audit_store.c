#include "audit/audit_store.h"

#include <string.h>

#define ROW        "id, created_at, actor_kind, actor_id, address, request_id, action, object_kind, object_id, detail"
#define ROW_TYPES  "iisissssss"

static const char sql_insert[] = CP_AUDIT_INSERT "VALUES (" CP_AUDIT_MARKS ")";

static const char sql_unsealed[] =
    "SELECT " ROW " FROM audit FORCE INDEX (audit_seal) WHERE seal_id IS NULL ORDER BY id LIMIT ?";
static const char sql_sealed[] =
    "SELECT " ROW " FROM audit WHERE seal_id = ? ORDER BY id";
static const char sql_mark[] =
    "UPDATE audit SET seal_id = ? WHERE seal_id IS NULL AND id <= ?";
static const char sql_count_unsealed[] =
    "SELECT COUNT(*) FROM audit WHERE seal_id IS NULL";
static const char sql_stray[] =
    "SELECT id FROM audit WHERE seal_id > (SELECT COALESCE(MAX(id), 0) FROM audit_seal) OR seal_id < 1 "
    "ORDER BY id LIMIT 1";

static const char sql_last_seal[] =
    "SELECT id, hash FROM audit_seal ORDER BY id DESC LIMIT 1 FOR UPDATE";
static const char sql_seals[] =
    "SELECT id, row_count, last_row, created_at, previous, hash FROM audit_seal WHERE id > ? ORDER BY id LIMIT ?";
static const char sql_insert_seal[] =
    "INSERT INTO audit_seal (id, row_count, last_row, previous, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)";

static const char sql_page[] =
    "SELECT a.id, a.created_at, a.actor_kind, a.actor_id, a.address, a.request_id, a.action, a.object_kind, "
    "a.object_id, a.detail, COALESCE(s.public_id, c.public_id), a.seal_id FROM audit a "
    "LEFT JOIN staff s ON a.actor_kind = 'staff' AND s.id = a.actor_id "
    "LEFT JOIN account c ON a.actor_kind = 'applicant' AND c.id = a.actor_id "
    "WHERE a.id < ? ORDER BY a.id DESC LIMIT ?";


cp_code_t
cp_audit_insert(cp_db_t *db, const cp_audit_row_t *row)
{
    return cp_db_exec(db, sql_insert, CP_AUDIT_TYPES, CP_AUDIT_GIVE(row));
}


cp_code_t
cp_audit_unsealed_rows(cp_db_t *db, int64_t most, cp_rows_t **rows)
{
    return cp_db_query(db, rows, sql_unsealed, "i>" ROW_TYPES, most);
}


cp_code_t
cp_audit_sealed_rows(cp_db_t *db, int64_t seal, cp_rows_t **rows)
{
    return cp_db_query(db, rows, sql_sealed, "i>" ROW_TYPES, seal);
}


cp_code_t
cp_audit_next_row(cp_rows_t *rows, cp_audit_row_t *r)
{
    return cp_db_next(rows, &r->id, &r->created_ms, &r->actor_kind, &r->actor_id, &r->address, &r->request_id,
                      &r->action, &r->object_kind, &r->object_id, &r->detail);
}


cp_code_t
cp_audit_mark_sealed(cp_db_t *db, int64_t seal, int64_t last_row, int64_t *count)
{
    CP_TRY(cp_db_exec(db, sql_mark, "ii", seal, last_row));
    *count = cp_db_affected(db);

    return CP_OK;
}


cp_code_t
cp_audit_last_seal(cp_db_t *db, int64_t *id, unsigned char hash[CP_SHA256_SIZE])
{
    cp_str_t  bytes;
    cp_code_t code;

    *id = 0;
    memset(hash, 0, CP_SHA256_SIZE);

    code = cp_db_row(db, sql_last_seal, ">is", id, &bytes);
    if (code == CP_E_NOT_FOUND) {
        return CP_OK;
    }
    CP_TRY(code);

    if (bytes.len != CP_SHA256_SIZE) {
        return CP_E_INTERNAL;
    }
    memcpy(hash, bytes.data, CP_SHA256_SIZE);

    return CP_OK;
}


cp_code_t
cp_audit_seals(cp_db_t *db, int64_t after, int64_t most, cp_rows_t **rows)
{
    return cp_db_query(db, rows, sql_seals, "ii>iiiiss", after, most);
}


cp_code_t
cp_audit_next_seal(cp_rows_t *rows, cp_audit_seal_t *seal, cp_str_t *previous, cp_str_t *hash)
{
    return cp_db_next(rows, &seal->id, &seal->row_count, &seal->last_row, &seal->created_ms, previous, hash);
}


cp_code_t
cp_audit_insert_seal(cp_db_t *db, const cp_audit_seal_t *seal, cp_str_t previous, cp_str_t hash)
{
    return cp_db_exec(db, sql_insert_seal, "iiissi", seal->id, seal->row_count, seal->last_row, previous, hash,
                      seal->created_ms);
}


cp_code_t
cp_audit_count_unsealed(cp_db_t *db, int64_t *count)
{
    return cp_db_row(db, sql_count_unsealed, ">i", count);
}


cp_code_t
cp_audit_find_stray(cp_db_t *db, int64_t *row)
{
    return cp_db_row(db, sql_stray, ">i", row);
}


cp_code_t
cp_audit_page(cp_db_t *db, const cp_page_t *page, cp_rows_t **rows)
{
    return cp_db_query(db, rows, sql_page, "ii>" ROW_TYPES "si", page->after == 0 ? INT64_MAX : page->after,
                       page->limit + 1);
}


cp_code_t
cp_audit_next_line(cp_rows_t *rows, cp_audit_line_t *l)
{
    return cp_db_next(rows, &l->row.id, &l->row.created_ms, &l->row.actor_kind, &l->row.actor_id, &l->row.address,
                      &l->row.request_id, &l->row.action, &l->row.object_kind, &l->row.object_id, &l->row.detail,
                      &l->actor, &l->seal);
}
