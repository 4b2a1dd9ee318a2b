#include "material/material_kept.h"

#include <string.h>


/* Room for one more, doubled when it is used up. */
static cp_code_t
grow(cp_call_t *call, cp_kept_list_t *list, size_t *room)
{
    cp_kept_t *larger;

    if (list->count < *room) {
        return CP_OK;
    }

    *room = *room == 0 ? 16 : 2 * *room;
    larger = cp_calloc(call->arena, *room, sizeof(cp_kept_t));
    if (larger == NULL) {
        return CP_E_NO_MEMORY;
    }
    if (list->count > 0) {
        memcpy(larger, list->rows, list->count * sizeof(cp_kept_t));
    }
    list->rows = larger;

    return CP_OK;
}


cp_code_t
cp_kept_read(cp_call_t *call, int64_t order, cp_kept_list_t *list)
{
    cp_rows_t *rows;
    cp_code_t  code;
    size_t     room = 0;

    *list = (cp_kept_list_t) { NULL, 0 };
    CP_TRY(cp_material_query_kept(call, order, &rows));

    do {
        CP_TRY(grow(call, list, &room));
        code = cp_material_next_kept(rows, &list->rows[list->count]);
        list->count += code == CP_OK;
    } while (code == CP_OK);

    return code == CP_E_NOT_FOUND ? CP_OK : code;
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
