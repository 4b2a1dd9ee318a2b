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

/* One that its order keeps: current, or evidence of a review. */
typedef struct {
    cp_material_t  material;
    bool           current;
    int64_t        copies;     /* bytes of its file's copies */
} cp_kept_t;

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

/* The order's materials whose files are needed, current or evidence, in no order. */
cp_code_t cp_material_query_kept(cp_call_t *call, int64_t order, cp_rows_t **rows);
cp_code_t cp_material_next_kept(cp_rows_t *rows, cp_kept_t *kept);

/* Who the store's bytes are counted for: an account (its row's number) and, spread over rows, a hall. */
typedef struct {
    cp_str_t  account;
    cp_str_t  hall;
    int64_t   shard;
} cp_usage_key_t;

/* Adds to both; reads both, the hall's over all shards. */
cp_code_t cp_usage_add(cp_call_t *call, const cp_usage_key_t *key, int64_t bytes);
cp_code_t cp_usage_read(cp_call_t *call, const cp_usage_key_t *key, int64_t *account, int64_t *hall);

cp_code_t cp_material_set_state(cp_call_t *call, int64_t id, const char *state);

/* Whether a row still needs the stored file: it names it, or the file that it is a copy of. */
cp_code_t cp_file_is_needed(cp_db_t *db, cp_str_t file, bool *needed);

#endif
