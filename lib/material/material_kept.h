/*
 * What an order keeps: its current materials and, as evidence, those that a review has seen. One statement reads them
 * all; what an upload asks about them is worked out here.
 */
#ifndef CP_MATERIAL_KEPT_H
#define CP_MATERIAL_KEPT_H

#include "material/material_store.h"

typedef struct {
    cp_kept_t *rows;           /* in no order; in the arena */
    size_t     count;
} cp_kept_list_t;

/* Reads the list; the order should be held if something is to be changed by it. */
cp_code_t cp_kept_read(cp_call_t *call, int64_t order, cp_kept_list_t *list);

/* The current material of a kind; NULL: there is none. Pure. */
const cp_kept_t *cp_kept_current(const cp_kept_list_t *list, cp_str_t kind);

/* One with the same bytes (size, type, SHA-256); NULL: there is none. Pure. */
const cp_kept_t *cp_kept_same_bytes(const cp_kept_list_t *list, const cp_stored_t *stored);

/* Bytes that they take with their copies, each file once. Pure. */
int64_t cp_kept_bytes(const cp_kept_list_t *list);

/*
 * Bytes that nobody needs any more once `row` is retired: none when it stays as evidence, for it came before the last
 * submission (0: none), or when another of the list stands on the same file. `row` NULL: none. Pure.
 */
int64_t cp_kept_freed(const cp_kept_list_t *list, const cp_kept_t *row, int64_t submitted_ms);

#endif
