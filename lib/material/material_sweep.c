/* Clearing the store of what nobody will ask for: uploads that broke off, files whose row was never committed. */
#include "material/material.h"

#include "material/material_store.h"

#define MINUTE_MS     (60 * 1000)
#define TEMPORARY_MS  (10 * MINUTE_MS)    /* longer than a body may take */
#define STORED_MS     (60 * MINUTE_MS)    /* longer than any transaction that is about to name the file */


/* With an arena of its own: what the queries leave behind must not add up. */
static cp_code_t
is_needed(void *data, cp_str_t name, bool *needed)
{
    const cp_app_t *app = data;
    cp_arena_t     *arena = cp_arena_new(0);
    cp_db_t        *db;
    cp_code_t       code = CP_OK;

    if (arena == NULL) {
        return CP_E_NO_MEMORY;
    }

    db = cp_db_use(&app->db, arena, &code);
    if (db != NULL) {
        code = cp_file_is_needed(db, name, needed);
    }
    cp_arena_free(arena);

    return code;
}


cp_code_t
cp_material_sweep(const cp_app_t *app, int64_t now_ms, int64_t *removed)
{
    cp_sweep_t sweep = { now_ms, TEMPORARY_MS, STORED_MS, is_needed, (void *) (uintptr_t) app, 0 };
    cp_code_t  code = cp_store_sweep(&app->store, &sweep);

    *removed = sweep.removed;

    return code;
}
