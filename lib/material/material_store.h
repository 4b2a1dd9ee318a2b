/* The rows of materials. */
#ifndef CP_MATERIAL_STORE_H
#define CP_MATERIAL_STORE_H

#include "material/material.h"

typedef struct {
    int64_t      id;
    cp_str_t     kind;
    cp_str_t     state;          /* "uploaded", "rejected" */
    cp_str_t     type;           /* "image/jpeg" */
    cp_stored_t  stored;
    int64_t      created_ms;
    int64_t      pages;          /* these three as in cp_inspected_t; 0 of what was never inspected */
    int64_t      hints;
    int64_t      orientation;
} cp_material_t;

/* The current material of a kind; CP_E_NOT_FOUND. */
cp_code_t cp_material_find(cp_call_t *call, int64_t order, cp_str_t kind, cp_material_t *material);

/* All current ones, in the order of their upload; cp_material_next() gives CP_E_NOT_FOUND after the last. */
cp_code_t cp_material_query(cp_call_t *call, int64_t order, cp_rows_t **rows);
cp_code_t cp_material_next(cp_rows_t *rows, cp_material_t *material);

/* The same in the order of their kinds. */
cp_code_t cp_material_query_by_kind(cp_call_t *call, int64_t order, cp_rows_t **rows);

/* A new current material; the former one of its kind must have been retired. */
cp_code_t cp_material_insert(cp_call_t *call, int64_t order, cp_str_t kind, const cp_stored_t *stored);

/*
 * Ends the current material of a kind, if there is one, as "replaced" or "removed". One that no review has seen, for
 * it came after the last submission (0: none), is "discarded": its file may be swept.
 */
cp_code_t cp_material_retire(cp_call_t *call, int64_t order, cp_str_t kind, const char *state, int64_t submitted_ms);

/* A material of the order with the same bytes, current or kept as evidence: what was stored. CP_E_NOT_FOUND. */
cp_code_t cp_material_same_bytes(cp_call_t *call, int64_t order, const cp_stored_t *stored, cp_stored_t *known);

/* Bytes that the order's materials take with their copies, each file once. */
cp_code_t cp_material_bytes(cp_call_t *call, int64_t order, int64_t *bytes);

/* Adds to, and reads, the bytes stored for an account or a hall; `shard` spreads the rows of one that many write. */
cp_code_t cp_usage_add(cp_call_t *call, const char *scope, cp_str_t owner, int64_t shard, int64_t bytes);
cp_code_t cp_usage_read(cp_call_t *call, const char *scope, cp_str_t owner, int64_t *bytes);

cp_code_t cp_material_set_state(cp_call_t *call, int64_t id, const char *state);

/* Whether a row still needs the stored file: it names it, or the file that it is a copy of. */
cp_code_t cp_file_is_needed(cp_db_t *db, cp_str_t file, bool *needed);

#endif
