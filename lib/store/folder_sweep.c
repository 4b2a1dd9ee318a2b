/* Clearing a folder of what nobody will ask for. */
#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAF  1    /* folders between the store and its settled files */

typedef cp_code_t (*entry_fn)(cp_sweep_t *sweep, int folder, const char *name, int depth);


/* Whether the entry is one of our files and was last written that long ago. */
static bool
is_old(const cp_sweep_t *sweep, int folder, const char *name, int64_t age_ms)
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
remove_entry(cp_sweep_t *sweep, int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0) {
        sweep->removed++;
        return CP_OK;
    }

    return errno == ENOENT ? CP_OK : cp_store_failed("removing a file");
}


/* The folder's entries to `visit`; one that is gone meanwhile has none. */
static cp_code_t
walk(cp_sweep_t *sweep, int parent, const char *name, int depth, entry_fn visit)
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


static cp_code_t
visit_arriving(cp_sweep_t *sweep, int folder, const char *name, int depth)
{
    (void) depth;

    return is_old(sweep, folder, name, sweep->temporary_ms) ? remove_entry(sweep, folder, name) : CP_OK;
}


static bool
is_folder_name(const char *name)
{
    return strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2;
}


static cp_code_t
visit_settled(cp_sweep_t *sweep, int folder, const char *name, int depth)
{
    bool needed;

    if (depth < LEAF) {
        return is_folder_name(name) ? walk(sweep, folder, name, depth + 1, visit_settled) : CP_OK;
    }
    if (!is_old(sweep, folder, name, sweep->settled_ms)) {
        return CP_OK;
    }

    CP_TRY(sweep->needed(sweep->data, cp_str(name), &needed));

    return needed ? CP_OK : remove_entry(sweep, folder, name);
}


static cp_code_t
sweep_below(const cp_store_conf_t *conf, cp_sweep_t *sweep, const char *name, entry_fn visit)
{
    cp_code_t code;
    int       store = cp_folder_open(conf);

    if (store == -1) {
        return cp_store_failed("opening the folder");
    }

    code = walk(sweep, store, name, 0, visit);
    close(store);

    return code;
}


cp_code_t
cp_folder_sweep_arriving(const cp_store_conf_t *conf, cp_sweep_t *sweep)
{
    return sweep_below(conf, sweep, CP_FOLDER_ARRIVING, visit_arriving);
}


cp_code_t
cp_folder_sweep_settled(const cp_store_conf_t *conf, cp_sweep_t *sweep)
{
    return sweep_below(conf, sweep, ".", visit_settled);
}
