/* The rows of inspections and copies. */
#include "material/material_copy.h"

#include <string.h>

#include "base/clock.h"

static const char sql_insert[] =
    "INSERT INTO inspection (file, width, height, orientation, hints, pages, copies_size, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

#define COPY_INSERT                                                                                                    \
    "INSERT INTO material_copy (original, page, type, size, width, height, sha256, file, wrapped_key) VALUES "
#define COPY_ROW    "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define COPY_TYPES  "sisiiisss"
#define COPY_GIVE(file, copy)                                                                                          \
    (file), (int64_t) (copy)->page, cp_str(cp_type_mime((copy)->stored.type)), (copy)->stored.size,                    \
    (int64_t) (copy)->width, (int64_t) (copy)->height,                                                                 \
    cp_str_n((copy)->stored.sha256, sizeof((copy)->stored.sha256)), (copy)->stored.file, (copy)->stored.wrapped_key

static const char sql_insert_copy[] = COPY_INSERT COPY_ROW;

/* The page and the thumbnail of a picture, which most files are. */
static const char sql_insert_two[] = COPY_INSERT COPY_ROW ", " COPY_ROW;

static const char sql_find_copy[] =
    "SELECT type, size, width, height, sha256, file, wrapped_key FROM material_copy WHERE original = ? AND page = ?";


cp_code_t
cp_inspected_insert(cp_call_t *call, cp_str_t file, const cp_inspected_t *inspected)
{
    size_t i;

    CP_TRY(cp_db_exec(call->db, sql_insert, "siiiiiii", file, inspected->width, inspected->height,
                      inspected->orientation, inspected->hints, inspected->pages, inspected->size, cp_now_ms()));

    for (i = 0; i + 1 < inspected->count; i += 2) {
        CP_TRY(cp_db_exec(call->db, sql_insert_two, COPY_TYPES COPY_TYPES, COPY_GIVE(file, &inspected->copies[i]),
                          COPY_GIVE(file, &inspected->copies[i + 1])));
    }
    if (i < inspected->count) {
        CP_TRY(cp_db_exec(call->db, sql_insert_copy, COPY_TYPES, COPY_GIVE(file, &inspected->copies[i])));
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
