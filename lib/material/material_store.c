#include "material/material_store.h"

#include <string.h>

#include "base/clock.h"

#define COLUMNS                                                                                                        \
    "m.id, m.kind, m.state, m.type, m.size, m.sha256, m.file, m.wrapped_key, m.created_at, COALESCE(i.pages, 0), "     \
    "COALESCE(i.hints, 0), COALESCE(i.orientation, 0)"
#define COLUMN_TYPES  "isssisssiiii"
#define FROM          " FROM material m LEFT JOIN inspection i ON i.file = m.file "

static const char sql_find[] =
    "SELECT " COLUMNS FROM "WHERE m.order_id = ? AND m.kind = ? AND m.is_current = 1";

static const char sql_current[] =
    "SELECT " COLUMNS FROM "WHERE m.order_id = ? AND m.is_current = 1 ORDER BY m.id";

static const char sql_by_kind[] =
    "SELECT " COLUMNS FROM "WHERE m.order_id = ? AND m.is_current = 1 ORDER BY m.kind";

static const char sql_insert[] =
    "INSERT INTO material (order_id, kind, state, is_current, type, size, sha256, file, wrapped_key, created_at) "
    "VALUES (?, ?, 'uploaded', 1, ?, ?, ?, ?, ?, ?)";

static const char sql_retire[] =
    "UPDATE material SET is_current = NULL, state = IF(created_at > ?, 'discarded', ?) "
    "WHERE order_id = ? AND kind = ? AND is_current = 1";

static const char sql_state[] =
    "UPDATE material SET state = ? WHERE id = ?";

static const char sql_kept[] =
    "SELECT " COLUMNS ", COALESCE(m.is_current, 0), COALESCE(i.copies_size, 0)" FROM
    "WHERE m.order_id = ? AND m.state <> 'discarded'";

static const char sql_usage_add[] =
    "INSERT INTO material_usage (scope, owner, shard, bytes) VALUES ('account', ?, 0, ?), ('hall', ?, ?, ?) "
    "ON DUPLICATE KEY UPDATE bytes = bytes + VALUES(bytes)";

static const char sql_usage_read[] =
    "SELECT (SELECT COALESCE(SUM(bytes), 0) FROM material_usage WHERE scope = 'account' AND owner = ?), "
    "(SELECT COALESCE(SUM(bytes), 0) FROM material_usage WHERE scope = 'hall' AND owner = ?)";

static const char sql_needed[] =
    "SELECT (SELECT COUNT(*) FROM material WHERE file = ? AND state <> 'discarded') "
    "+ (SELECT COUNT(*) FROM payment WHERE voucher_file = ?) "
    "+ (SELECT COUNT(*) FROM material_copy c JOIN material m ON m.file = c.original WHERE c.file = ? "
    "AND m.state <> 'discarded') "
    "+ (SELECT COUNT(*) FROM material_copy c JOIN payment p ON p.voucher_file = c.original WHERE c.file = ?)";


#define TAKE(m, digest)                                                                                                \
    &(m)->id, &(m)->kind, &(m)->state, &(m)->type, &(m)->stored.size, (digest), &(m)->stored.file,                     \
    &(m)->stored.wrapped_key, &(m)->created_ms, &(m)->pages, &(m)->hints, &(m)->orientation


/* What a row's columns do not hold as they are. */
static cp_code_t
take(cp_material_t *m, cp_str_t digest)
{
    if (digest.len != sizeof(m->stored.sha256)) {
        return CP_E_INTERNAL;
    }

    memcpy(m->stored.sha256, digest.data, digest.len);
    m->stored.type = cp_type_of_mime(m->type);

    return CP_OK;
}


cp_code_t
cp_material_next(cp_rows_t *rows, cp_material_t *m)
{
    cp_str_t digest;

    CP_TRY(cp_db_next(rows, TAKE(m, &digest)));

    return take(m, digest);
}


cp_code_t
cp_material_find(cp_call_t *call, int64_t order, cp_str_t kind, cp_material_t *material)
{
    cp_rows_t *rows;

    if (!cp_str_is_text(kind)) {
        return CP_E_NOT_FOUND;
    }

    CP_TRY(cp_db_query(call->db, &rows, sql_find, "is>" COLUMN_TYPES, order, kind));

    return cp_material_next(rows, material);
}


cp_code_t
cp_material_query(cp_call_t *call, int64_t order, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_current, "i>" COLUMN_TYPES, order);
}


cp_code_t
cp_material_query_by_kind(cp_call_t *call, int64_t order, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_by_kind, "i>" COLUMN_TYPES, order);
}


cp_code_t
cp_material_insert(cp_call_t *call, int64_t order, cp_str_t kind, const cp_stored_t *stored)
{
    return cp_db_exec(call->db, sql_insert, "ississsi", order, kind, cp_str(cp_type_mime(stored->type)), stored->size,
                      cp_str_n(stored->sha256, sizeof(stored->sha256)), stored->file, stored->wrapped_key,
                      cp_now_ms());
}


cp_code_t
cp_material_retire(cp_call_t *call, int64_t order, cp_str_t kind, const char *state, int64_t submitted_ms)
{
    return cp_db_exec(call->db, sql_retire, "isis", submitted_ms, cp_str(state), order, kind);
}


cp_code_t
cp_material_query_kept(cp_call_t *call, int64_t order, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_kept, "i>" COLUMN_TYPES "ii", order);
}


cp_code_t
cp_material_next_kept(cp_rows_t *rows, cp_kept_t *kept)
{
    cp_str_t digest;
    int64_t  current;

    CP_TRY(cp_db_next(rows, TAKE(&kept->material, &digest), &current, &kept->copies));
    kept->current = current != 0;

    return take(&kept->material, digest);
}


cp_code_t
cp_usage_add(cp_call_t *call, const cp_usage_key_t *key, int64_t bytes)
{
    return cp_db_exec(call->db, sql_usage_add, "sisii", key->account, bytes, key->hall, key->shard, bytes);
}


cp_code_t
cp_usage_read(cp_call_t *call, const cp_usage_key_t *key, int64_t *account, int64_t *hall)
{
    return cp_db_row(call->db, sql_usage_read, "ss>ii", key->account, key->hall, account, hall);
}


cp_code_t
cp_material_set_state(cp_call_t *call, int64_t id, const char *state)
{
    return cp_db_exec(call->db, sql_state, "si", cp_str(state), id);
}


cp_code_t
cp_file_is_needed(cp_db_t *db, cp_str_t file, bool *needed)
{
    int64_t rows;

    CP_TRY(cp_db_row(db, sql_needed, "ssss>i", file, file, file, file, &rows));
    *needed = rows != 0;

    return CP_OK;
}
