#include "material/material_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"


cp_code_t
cp_store_failed(const char *step)
{
    cp_code_t code = errno == ENOSPC || errno == EDQUOT ? CP_E_STORE_FULL : CP_E_STORE;

    cp_log(cp_error(code)->level, "material store: %s failed: %s", step, strerrordesc_np(errno));

    return code;
}


int
cp_store_open(const cp_app_t *app)
{
    char path[4096];

    if (app->store.len == 0 || app->store.len >= sizeof(path)) {
        errno = ENOENT;
        return -1;
    }

    memcpy(path, app->store.data, app->store.len);
    path[app->store.len] = '\0';

    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}


bool
cp_file_name_is_valid(cp_str_t name)
{
    size_t i;

    if (name.len != CP_FILE_NAME) {
        return false;
    }

    for (i = 0; i < name.len; i++) {
        if (!(name.data[i] >= '0' && name.data[i] <= '9') && !(name.data[i] >= 'a' && name.data[i] <= 'f')) {
            return false;
        }
    }

    return true;
}


void
cp_file_temporary(const char *name, char path[CP_FILE_PATH])
{
    snprintf(path, CP_FILE_PATH, CP_TEMPORARIES "/%.32s", name);
}


void
cp_file_permanent(const char *name, char path[CP_FILE_PATH])
{
    snprintf(path, CP_FILE_PATH, "%.2s/%.2s/%.32s", name, name + 2, name);
}


static void
new_name(char name[CP_FILE_NAME + 1])
{
    unsigned char bytes[CP_FILE_NAME / 2];
    size_t        i;

    cp_random(bytes, sizeof(bytes));

    for (i = 0; i < sizeof(bytes); i++) {
        snprintf(name + 2 * i, 3, "%02x", bytes[i]);
    }
}


int
cp_file_create(int store, char name[CP_FILE_NAME + 1])
{
    static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    char path[CP_FILE_PATH];
    int  fd;

    new_name(name);
    cp_file_temporary(name, path);

    fd = openat(store, path, flags, 0600);
    if (fd == -1 && errno == ENOENT) {
        /* a new store */
        if (mkdirat(store, CP_TEMPORARIES, 0700) != 0 && errno != EEXIST) {
            return -1;
        }
        fd = openat(store, path, flags, 0600);
    }

    return fd;
}


/* Makes the entries of a folder durable. */
static int
sync_folder(int store, const char *path)
{
    int fd, rc, saved;

    fd = openat(store, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);
    saved = errno;
    close(fd);
    errno = saved;

    return rc;
}


int
cp_file_settle(int store, const char *name)
{
    char from[CP_FILE_PATH], to[CP_FILE_PATH], upper[CP_FILE_PATH], lower[CP_FILE_PATH];

    cp_file_temporary(name, from);
    cp_file_permanent(name, to);
    snprintf(upper, sizeof(upper), "%.2s", name);
    snprintf(lower, sizeof(lower), "%.2s/%.2s", name, name + 2);

    if ((mkdirat(store, upper, 0700) != 0 && errno != EEXIST) || (mkdirat(store, lower, 0700) != 0 && errno != EEXIST)
        || renameat(store, from, store, to) != 0)
    {
        return -1;
    }

    /* All three: another process may have made a folder a moment ago and not yet have got it to the disk. */
    return sync_folder(store, lower) != 0 || sync_folder(store, upper) != 0 || fsync(store) != 0 ? -1 : 0;
}
