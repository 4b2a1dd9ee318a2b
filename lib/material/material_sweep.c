/* Clearing the store of what nobody will ask for: uploads that broke off, files whose row was never committed. */
#include "material/material.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "material/material_folder.h"
#include "material/material_store.h"

#define MINUTE_MS     (60 * 1000)
#define TEMPORARY_MS  (10 * MINUTE_MS)    /* longer than a body may take */
#define STORED_MS     (60 * MINUTE_MS)    /* longer than any transaction that is about to name the file */
#define LEAF          2                   /* folders between the store and its files */

typedef struct {
    const cp_app_t *app;
    int64_t         now_ms;
    int64_t        *removed;
    cp_db_t        *db;
} sweep_t;


/* Whether the entry is one of our files and was last written that long ago. */
static bool
is_old(const sweep_t *sweep, int folder, const char *name, int64_t age_ms)
{
    struct stat st;

    if (!cp_file_name_is_valid(cp_str(name)) || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0
        || !S_ISREG(st.st_mode))
    {
        return false;
    }

    return sweep->now_ms - (int64_t) st.st_mtim.tv_sec * 1000 > age_ms;
}


static cp_code_t
remove_file(const sweep_t *sweep, int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0) {
        (*sweep->removed)++;
        return CP_OK;
    }

    return errno == ENOENT ? CP_OK : cp_store_failed("removing a file");
}


static cp_code_t
sweep_stored(const sweep_t *sweep, int folder, const char *name)
{
    bool needed;

    if (!is_old(sweep, folder, name, STORED_MS)) {
        return CP_OK;
    }

    CP_TRY(cp_file_is_needed(sweep->db, cp_str(name), &needed));

    return needed ? CP_OK : remove_file(sweep, folder, name);
}


static bool
is_folder_name(const char *name)
{
    return strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2;
}


static cp_code_t walk(sweep_t *sweep, int parent, const char *name, int depth);


static cp_code_t
visit(sweep_t *sweep, int folder, const char *name, int depth)
{
    if (depth == LEAF) {
        return sweep_stored(sweep, folder, name);
    }

    return is_folder_name(name) ? walk(sweep, folder, name, depth + 1) : CP_OK;
}


/* The folder's entries to visit(); one that is gone meanwhile has none. */
static cp_code_t
walk(sweep_t *sweep, int parent, const char *name, int depth)
{
    struct dirent *entry;
    cp_code_t      code = CP_OK;
    DIR           *dir;
    int            fd;

    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1) {
        return errno == ENOENT ? CP_OK : cp_store_failed("opening a folder");
    }

    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return CP_E_NO_MEMORY;
    }

    while (code == CP_OK && (entry = readdir(dir)) != NULL) {
        code = visit(sweep, fd, entry->d_name, depth);
    }
    closedir(dir);

    return code;
}


/* One of the store's 256 folders, with an arena of its own: what the queries leave behind must not add up. */
static cp_code_t
sweep_folder(sweep_t *sweep, int store, const char *name)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_code_t   code;

    if (arena == NULL) {
        return CP_E_NO_MEMORY;
    }

    sweep->db = cp_db_use(&sweep->app->db, arena, &code);
    if (sweep->db != NULL) {
        code = walk(sweep, store, name, 1);
    }

    cp_arena_free(arena);

    return code;
}


static cp_code_t
sweep_temporaries(const sweep_t *sweep, int store)
{
    struct dirent *entry;
    cp_code_t      code = CP_OK;
    DIR           *dir;
    int            fd;

    fd = openat(store, CP_TEMPORARIES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1) {
        return errno == ENOENT ? CP_OK : cp_store_failed("opening a folder");
    }

    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return CP_E_NO_MEMORY;
    }

    while (code == CP_OK && (entry = readdir(dir)) != NULL) {
        if (is_old(sweep, fd, entry->d_name, TEMPORARY_MS)) {
            code = remove_file(sweep, fd, entry->d_name);
        }
    }
    closedir(dir);

    return code;
}


cp_code_t
cp_material_sweep(const cp_app_t *app, int64_t now_ms, int64_t *removed)
{
    static const char digits[] = "0123456789abcdef";

    sweep_t   sweep = { .app = app, .now_ms = now_ms, .removed = removed };
    cp_code_t code;
    int       store, i;

    *removed = 0;

    store = cp_store_open(app);
    if (store == -1) {
        return cp_store_failed("opening the folder");
    }

    code = sweep_temporaries(&sweep, store);
    for (i = 0; i < 256 && code == CP_OK; i++) {
        char name[] = { digits[i >> 4], digits[i & 15], '\0' };

        code = sweep_folder(&sweep, store, name);
    }

    close(store);

    return code;
}
