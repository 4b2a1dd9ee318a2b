/* All SQL on audit rows and their seals. */
#ifndef CP_AUDIT_STORE_H
#define CP_AUDIT_STORE_H

#include "audit/audit_rules.h"
#include "call/page.h"

/*
 * A statement that writes a row: what it begins with, the marks of the values (behind VALUES, or behind SELECT where
 * the row is written if something is so), their types, and the values themselves.
 */
#define CP_AUDIT_INSERT                                                                                                \
    "INSERT INTO audit (created_at, actor_kind, actor_id, address, request_id, action, object_kind, object_id, detail) "
#define CP_AUDIT_MARKS  "?, ?, NULLIF(?, 0), ?, ?, ?, ?, ?, ?"
#define CP_AUDIT_TYPES  "isissssss"
#define CP_AUDIT_GIVE(row)                                                                                             \
    (row)->created_ms, (row)->actor_kind, (row)->actor_id, (row)->address, (row)->request_id, (row)->action,           \
    (row)->object_kind, (row)->object_id, (row)->detail

cp_code_t cp_audit_insert(cp_db_t *db, const cp_audit_row_t *row);

/* Rows that are not sealed, in the order of their ids; and those of a seal. */
cp_code_t cp_audit_unsealed_rows(cp_db_t *db, int64_t most, cp_rows_t **rows);
cp_code_t cp_audit_sealed_rows(cp_db_t *db, int64_t seal, cp_rows_t **rows);
cp_code_t cp_audit_next_row(cp_rows_t *rows, cp_audit_row_t *row);

/* Puts the rows up to `last_row` that are not sealed under the seal; *count says how many. */
cp_code_t cp_audit_mark_sealed(cp_db_t *db, int64_t seal, int64_t last_row, int64_t *count);

/* The last seal, locked; all zero when there is none. `hash` has CP_SHA256_SIZE bytes. */
cp_code_t cp_audit_last_seal(cp_db_t *db, int64_t *id, unsigned char hash[CP_SHA256_SIZE]);

/* Seals after `after`, in order, at most `most`. */
cp_code_t cp_audit_seals(cp_db_t *db, int64_t after, int64_t most, cp_rows_t **rows);
cp_code_t cp_audit_next_seal(cp_rows_t *rows, cp_audit_seal_t *seal, cp_str_t *previous, cp_str_t *hash);

cp_code_t cp_audit_insert_seal(cp_db_t *db, const cp_audit_seal_t *seal, cp_str_t previous, cp_str_t hash);

cp_code_t cp_audit_count_unsealed(cp_db_t *db, int64_t *count);

/* A row under a seal which is not there; CP_E_NOT_FOUND when none is. One statement: the signer may be sealing. */
cp_code_t cp_audit_find_stray(cp_db_t *db, int64_t *row);

/* A page of rows for the auditor, newest first, with the public ids of who acted. */
typedef struct {
    cp_audit_row_t  row;
    cp_str_t        actor;
    int64_t         seal;        /* 0: not sealed yet */
} cp_audit_line_t;

cp_code_t cp_audit_page(cp_db_t *db, const cp_page_t *page, cp_rows_t **rows);
cp_code_t cp_audit_next_line(cp_rows_t *rows, cp_audit_line_t *line);

#endif
