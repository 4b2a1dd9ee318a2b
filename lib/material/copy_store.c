/* The rows of inspections and copies. */
#include "material/material_copy.h"

#include <string.h>

#include "base/clock.h"

static const char sql_find[] =
    "SELECT i.width, i.height, i.orientation, i.hints, i.pages, "
    "(SELECT COALESCE(SUM(c.size), 0) FROM material_copy c WHERE c.original = i.file) FROM inspection i "
    "WHERE i.file = ?";

static const char sql_insert[] =
    "INSERT INTO inspection (file, width, height, orientation, hints, pages, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)";

static const char sql_insert_copy[] =
    "INSERT INTO material_copy (original, page, type, size, width, height, sha256, file, wrapped_key) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

static const char sql_find_copy[] =
    "SELECT type, size, width, height, sha256, file, wrapped_key FROM material_copy WHERE original = ? AND page = ?";

static const char sql_size[] =
    "SELECT COALESCE(SUM(size), 0) FROM material_copy WHERE original = ?";


cp_code_t
cp_inspected_find(cp_call_t *call, cp_str_t file, cp_inspected_t *inspected)
{
    memset(inspected, 0, sizeof(*inspected));

    return cp_db_row(call->db, sql_find, "s>iiiiii", file, &inspected->width, &inspected->height,
                     &inspected->orientation, &inspected->hints, &inspected->pages, &inspected->size);
}


cp_code_t
cp_inspected_insert(cp_call_t *call, cp_str_t file, const cp_inspected_t *inspected)
{
    size_t i;

    CP_TRY(cp_db_exec(call->db, sql_insert, "siiiiii", file, inspected->width, inspected->height,
                      inspected->orientation, inspected->hints, inspected->pages, cp_now_ms()));

    for (i = 0; i < inspected->count; i++) {
        const cp_copy_t   *copy = &inspected->copies[i];
        const cp_stored_t *stored = &copy->stored;

        CP_TRY(cp_db_exec(call->db, sql_insert_copy, "sisiiisss", file, (int64_t) copy->page,
                          cp_str(cp_type_mime(stored->type)), stored->size, (int64_t) copy->width,
                          (int64_t) copy->height, cp_str_n(stored->sha256, sizeof(stored->sha256)), stored->file,
                          stored->wrapped_key));
    }

    return CP_OK;
}


cp_code_t
cp_copy_find(cp_call_t *call, cp_str_t file, unsigned page, cp_copy_t *copy)
{
    cp_str_t type, digest;
    int64_t  width, height;

    CP_TRY(cp_db_row(call->db, sql_find_copy, "si>siiisss", file, (int64_t) page, &type, &copy->stored.size, &width,
                     &height, &digest, &copy->stored.file, &copy->stored.wrapped_key));
    if (digest.len != sizeof(copy->stored.sha256)) {
        return CP_E_INTERNAL;
    }

    copy->page = page;
    copy->width = (unsigned) width;
    copy->height = (unsigned) height;
    copy->stored.type = cp_type_of_mime(type);
    memcpy(copy->stored.sha256, digest.data, digest.len);

    return CP_OK;
}


cp_code_t
cp_copies_size(cp_call_t *call, cp_str_t file, int64_t *size)
{
    return cp_db_row(call->db, sql_size, "s>i", file, size);
}
