#include "material/material_kept.h"

#include <string.h>


cp_code_t
cp_kept_read(cp_call_t *call, int64_t order, cp_kept_list_t *list)
{
    cp_rows_t *rows;

    CP_TRY(cp_material_query_kept(call, order, &rows));

    *list = (cp_kept_list_t) { cp_calloc(call->arena, cp_db_count(rows) + 1, sizeof(cp_kept_t)), 0 };
    if (list->rows == NULL) {
        return CP_E_NO_MEMORY;
    }

    for ( ; list->count < cp_db_count(rows); list->count++) {
        CP_TRY(cp_material_next_kept(rows, &list->rows[list->count]));
    }

    return CP_OK;
}


const cp_kept_t *
cp_kept_current(const cp_kept_list_t *list, cp_str_t kind)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        if (list->rows[i].current && cp_str_eq(list->rows[i].material.kind, kind)) {
            return &list->rows[i];
        }
    }

    return NULL;
}


const cp_kept_t *
cp_kept_same_bytes(const cp_kept_list_t *list, const cp_stored_t *stored)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        const cp_stored_t *known = &list->rows[i].material.stored;

        if (known->size == stored->size && known->type == stored->type
            && memcmp(known->sha256, stored->sha256, sizeof(known->sha256)) == 0)
        {
            return &list->rows[i];
        }
    }

    return NULL;
}


/* Whether another row before the end stands on the same file. */
static bool
is_shared(const cp_kept_list_t *list, const cp_kept_t *row, size_t end)
{
    size_t i;

    for (i = 0; i < end; i++) {
        if (&list->rows[i] != row && cp_str_eq(list->rows[i].material.stored.file, row->material.stored.file)) {
            return true;
        }
    }

    return false;
}


int64_t
cp_kept_bytes(const cp_kept_list_t *list)
{
    int64_t bytes = 0;
    size_t  i;

    for (i = 0; i < list->count; i++) {
        if (!is_shared(list, &list->rows[i], i)) {
            bytes += list->rows[i].material.stored.size + list->rows[i].copies;
        }
    }

    return bytes;
}


int64_t
cp_kept_freed(const cp_kept_list_t *list, const cp_kept_t *row, int64_t submitted_ms)
{
    if (row == NULL || row->material.created_ms <= submitted_ms || is_shared(list, row, list->count)) {
        return 0;
    }

    return row->material.stored.size + row->copies;
}
