#include "material/material_check.h"

#include <string.h>

#include "call/call.h"
#include "material/material.h"

/* The next files by name, each once. */
static const char sql_files[] =
    "SELECT file, wrapped_key, size, sha256 FROM material WHERE state <> 'discarded' AND file > ? "
    "UNION SELECT voucher_file, voucher_key, voucher_size, voucher_sha256 FROM payment WHERE voucher_file > ? "
    "UNION SELECT c.file, c.wrapped_key, c.size, c.sha256 FROM material_copy c WHERE c.file > ? "
    "AND (EXISTS (SELECT 1 FROM material m WHERE m.file = c.original AND m.state <> 'discarded') "
    "OR EXISTS (SELECT 1 FROM payment p WHERE p.voucher_file = c.original)) "
    "ORDER BY file LIMIT 100";

typedef struct {
    const cp_app_t *app;
    char            name[CP_FILE_NAME + 1];    /* of the last file */
    int64_t         files;
    int64_t         damaged;
} check_t;


static cp_code_t
next_row(cp_rows_t *rows, cp_stored_t *stored)
{
    cp_str_t digest;

    CP_TRY(cp_db_next(rows, &stored->file, &stored->wrapped_key, &stored->size, &digest));

    if (digest.len != sizeof(stored->sha256)) {
        return CP_E_INTERNAL;
    }
    memcpy(stored->sha256, digest.data, digest.len);

    return CP_OK;
}


/* In an arena of its own: files are large, and there are many. */
static cp_code_t
check_file(check_t *check, const cp_stored_t *stored)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_call_t   call = { .app = check->app, .arena = arena };
    cp_str_t    bytes;
    cp_code_t   code;

    if (arena == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = cp_stored_read(&call, stored, &bytes);
    cp_arena_free(arena);

    check->files++;
    check->damaged += code == CP_E_INTERNAL;

    return code == CP_E_INTERNAL ? CP_OK : code;
}


/* CP_E_NOT_FOUND: there are no more. */
static cp_code_t
check_page(check_t *check, cp_db_t *db)
{
    cp_rows_t  *rows;
    cp_stored_t stored = { 0 };
    cp_code_t   code;
    int64_t     before = check->files;
    cp_str_t    last = cp_str(check->name);

    CP_TRY(cp_db_query(db, &rows, sql_files, "sss>ssis", last, last, last));

    while ((code = next_row(rows, &stored)) == CP_OK) {
        CP_TRY(check_file(check, &stored));
        memset(check->name, 0, sizeof(check->name));
        memcpy(check->name, stored.file.data, stored.file.len < CP_FILE_NAME ? stored.file.len : CP_FILE_NAME);
    }

    return code == CP_E_NOT_FOUND && check->files > before ? CP_OK : code;
}


cp_code_t
cp_material_check(const cp_app_t *app, int64_t *files, int64_t *damaged)
{
    check_t     check = { .app = app };
    cp_code_t   code = CP_OK;
    cp_arena_t *arena;
    cp_db_t    *db;

    while (code == CP_OK) {
        arena = cp_arena_new(0);
        if (arena == NULL) {
            code = CP_E_NO_MEMORY;
            break;
        }

        db = cp_db_use(&app->db, arena, &code);
        if (db != NULL) {
            code = check_page(&check, db);
        }
        cp_arena_free(arena);
    }

    *files = check.files;
    *damaged = check.damaged;

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}
