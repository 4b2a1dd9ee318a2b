#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

#define FILE_PATH  (CP_FILE_NAME + 8)    /* "ab/" or "tmp/", the name, NUL */


cp_code_t
cp_store_failed(const char *step)
{
    cp_code_t code = errno == ENOSPC || errno == EDQUOT ? CP_E_STORE_FULL : CP_E_STORE;

    cp_log(cp_error(code)->level, "material store: %s failed: %s", step, strerrordesc_np(errno));

    return code;
}


int
cp_folder_open(const cp_store_conf_t *conf)
{
    char path[4096];

    if (conf->folder.len == 0 || conf->folder.len >= sizeof(path)) {
        errno = ENOENT;
        return -1;
    }

    memcpy(path, conf->folder.data, conf->folder.len);
    path[conf->folder.len] = '\0';

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


static void
arriving_path(const char *name, char path[FILE_PATH])
{
    snprintf(path, FILE_PATH, CP_FOLDER_ARRIVING "/%.32s", name);
}


static void
settled_path(const char *name, char path[FILE_PATH])
{
    snprintf(path, FILE_PATH, "%.2s/%.32s", name, name);
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


static int
create_at(int store, char name[CP_FILE_NAME + 1])
{
    static const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    char path[FILE_PATH];
    int  fd;

    new_name(name);
    arriving_path(name, path);

    fd = openat(store, path, flags, 0600);
    if (fd == -1 && errno == ENOENT) {
        /* a new store */
        if (mkdirat(store, CP_FOLDER_ARRIVING, 0700) != 0 && errno != EEXIST) {
            return -1;
        }
        fd = openat(store, path, flags, 0600);
    }

    return fd;
}


int
cp_file_create(const cp_store_conf_t *conf, char name[CP_FILE_NAME + 1])
{
    int store, fd, saved;

    store = cp_folder_open(conf);
    if (store == -1) {
        return -1;
    }

    fd = create_at(store, name);
    saved = errno;
    close(store);
    errno = saved;

    return fd;
}


cp_code_t
cp_file_append(int file, const void *data, size_t len)
{
    const char *p = data;
    ssize_t     n;

    while (len > 0) {
        n = write(file, p, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return cp_store_failed("writing");
        }
        p += n;
        len -= (size_t) n;
    }

    return CP_OK;
}


static cp_code_t
unlink_path(const cp_store_conf_t *conf, const char *path)
{
    cp_code_t code = CP_OK;
    int       store = cp_folder_open(conf);

    if (store == -1) {
        return cp_store_failed("opening the folder");
    }

    if (unlinkat(store, path, 0) != 0 && errno != ENOENT) {
        code = cp_store_failed("removing a file");
    }
    close(store);

    return code;
}


void
cp_file_abandon(const cp_store_conf_t *conf, const char *name)
{
    char path[FILE_PATH];

    arriving_path(name, path);
    (void) unlink_path(conf, path);
}


cp_code_t
cp_folder_remove(const cp_store_conf_t *conf, const char *name)
{
    char path[FILE_PATH];

    settled_path(name, path);

    return unlink_path(conf, path);
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


/* The file, its name in the folder, and the folder's in the store, unless that was done before. */
static int
sync_settled(int store, int file, const char *folder, bool made)
{
    static atomic_bool durable[256];    /* folders whose own entry this process got to the disk */

    atomic_bool *known = &durable[strtoul(folder, NULL, 16) & 0xff];

    if (fdatasync(file) != 0 || sync_folder(store, folder) != 0) {
        return -1;
    }

    /* Hours may pass until somebody looks at it: its pages are better used for the next ones that arrive. */
    (void) posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);

    /* Another process may have made the folder a moment ago and not yet have got it there. */
    if (made || !atomic_load(known)) {
        if (fsync(store) != 0) {
            return -1;
        }
        atomic_store(known, true);
    }

    return 0;
}


/* Renames it into its folder, which is made where it is the first there. */
static int
rename_into(int store, const char *name, const char *folder, const char *to, bool *made)
{
    char from[FILE_PATH];

    arriving_path(name, from);
    *made = false;

    if (renameat(store, from, store, to) == 0) {
        return 0;
    }
    if (errno != ENOENT) {
        return -1;
    }

    *made = mkdirat(store, folder, 0700) == 0;

    return *made || errno == EEXIST ? renameat(store, from, store, to) : -1;
}


/*
 * The move comes first: then one commit of the file system's journal takes the file and its name together. Nobody knows
 * the name before all is durable.
 */
static int
move(int store, int file, const char *name)
{
    char to[FILE_PATH], folder[FILE_PATH];
    bool made;
    int  saved;

    settled_path(name, to);
    snprintf(folder, sizeof(folder), "%.2s", name);

    if (rename_into(store, name, folder, to, &made) != 0) {
        return -1;
    }

    if (sync_settled(store, file, folder, made) != 0) {
        saved = errno;
        unlinkat(store, to, 0);
        errno = saved;
        return -1;
    }

    return 0;
}


cp_code_t
cp_folder_settle(const cp_store_conf_t *conf, int file, const char *name)
{
    cp_code_t code;
    int       store = cp_folder_open(conf);

    if (store == -1) {
        return cp_store_failed("opening the folder");
    }

    code = move(store, file, name) == 0 ? CP_OK : cp_store_failed("moving a file into place");
    close(store);

    return code;
}


static cp_code_t
read_at(int file, int64_t offset, size_t len, unsigned char *out, int64_t *size)
{
    struct stat st;
    ssize_t     n;

    if (fstat(file, &st) != 0) {
        return cp_store_failed("reading");
    }
    if (!S_ISREG(st.st_mode)) {
        return CP_E_INTERNAL;
    }
    *size = st.st_size;

    while (len > 0) {
        n = pread(file, out, len, offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? cp_store_failed("reading") : CP_E_INTERNAL;
        }
        out += n;
        offset += n;
        len -= (size_t) n;
    }

    return CP_OK;
}


cp_code_t
cp_folder_read(const cp_store_conf_t *conf, const char *name, int64_t offset, size_t len, unsigned char *out,
               int64_t *size)
{
    char      path[FILE_PATH];
    int       store, file, saved;
    cp_code_t code;

    store = cp_folder_open(conf);
    if (store == -1) {
        return cp_store_failed("opening the folder");
    }

    settled_path(name, path);
    file = openat(store, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    saved = errno;
    close(store);
    errno = saved;
    if (file == -1) {
        return errno == ENOENT ? CP_E_NOT_FOUND : cp_store_failed("opening a file");
    }

    code = read_at(file, offset, len, out, size);
    close(file);

    return code;
}
