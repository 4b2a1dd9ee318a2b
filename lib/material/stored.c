/* Reading and removing what the store holds. */
#include "material/material.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "material/material_folder.h"
#include "material/material_format.h"


/* Evidence is lost or was tampered with: a person must look. */
static cp_code_t
damaged(const cp_stored_t *stored, const char *how)
{
    cp_log(CP_LOG_ALERT, "stored file %.*s %s", (int) stored->file.len, stored->file.data, how);

    return CP_E_INTERNAL;
}


static cp_code_t
open_file(const cp_app_t *app, const cp_stored_t *stored, int *file)
{
    char path[CP_FILE_PATH];
    int  store;

    if (!cp_file_name_is_valid(stored->file)) {
        cp_log(CP_LOG_ALERT, "a row names a stored file with an impossible name");
        return CP_E_INTERNAL;
    }

    store = cp_store_open(app);
    if (store == -1) {
        return cp_store_failed("opening the folder");
    }

    cp_file_permanent(stored->file.data, path);
    *file = openat(store, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (*file == -1) {
        cp_code_t code = errno == ENOENT ? damaged(stored, "is missing") : cp_store_failed("opening a file");

        close(store);
        return code;
    }

    close(store);
    return CP_OK;
}


/* Exactly `len` bytes. */
static cp_code_t
read_all(int file, const cp_stored_t *stored, unsigned char *data, size_t len)
{
    ssize_t n;

    while (len > 0) {
        n = read(file, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return cp_store_failed("reading");
        }
        if (n == 0) {
            return damaged(stored, "is too short");
        }
        data += n;
        len -= (size_t) n;
    }

    return CP_OK;
}


static cp_code_t
check_head(int file, const cp_stored_t *stored)
{
    unsigned char head[CP_FILE_HEAD];
    struct stat   st;

    if (fstat(file, &st) != 0) {
        return cp_store_failed("reading");
    }

    if (stored->size <= 0 || !S_ISREG(st.st_mode) || st.st_size != cp_file_size(stored->size)) {
        return damaged(stored, "has the wrong size");
    }

    CP_TRY(read_all(file, stored, head, sizeof(head)));

    return memcmp(head, cp_file_head, sizeof(head)) == 0 ? CP_OK : damaged(stored, "has the wrong head");
}


static cp_code_t
read_chunks(int file, const cp_stored_t *stored, const unsigned char key[CP_KEY_SIZE], unsigned char *sealed,
            unsigned char *out)
{
    int64_t count = cp_file_chunks(stored->size), i, left = stored->size;

    for (i = 0; i < count; i++) {
        bool   last = i == count - 1;
        size_t n = last ? (size_t) left : CP_CHUNK_SIZE;

        CP_TRY(read_all(file, stored, sealed, n + CP_TAG_SIZE));

        if (cp_chunk_open(key, (uint64_t) i, last, cp_str_n(sealed, n + CP_TAG_SIZE), out) != CP_OK) {
            return damaged(stored, "was changed");
        }

        out += n;
        left -= (int64_t) n;
    }

    return CP_OK;
}


static cp_code_t
read_open_file(cp_call_t *call, int file, const cp_stored_t *stored, cp_str_t *bytes)
{
    unsigned char  key[CP_KEY_SIZE], digest[CP_SHA256_SIZE];
    unsigned char *sealed, *out;
    cp_code_t      code;

    CP_TRY(check_head(file, stored));

    sealed = cp_alloc(call->arena, CP_CHUNK_SIZE + CP_TAG_SIZE);
    out = cp_alloc(call->arena, (size_t) stored->size + 1);
    if (sealed == NULL || out == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = cp_key_unwrap(call->app->keys, call->arena, stored->wrapped_key, key);
    if (code != CP_OK) {
        return code == CP_E_INTERNAL ? damaged(stored, "has a key that does not open") : code;
    }

    code = read_chunks(file, stored, key, sealed, out);
    explicit_bzero(key, sizeof(key));
    CP_TRY(code);

    out[stored->size] = '\0';

    CP_TRY(cp_sha256(cp_str_n(out, (size_t) stored->size), digest));
    if (memcmp(digest, stored->sha256, sizeof(digest)) != 0) {
        return damaged(stored, "has the wrong digest");
    }

    *bytes = cp_str_n(out, (size_t) stored->size);
    return CP_OK;
}


cp_code_t
cp_stored_read(cp_call_t *call, const cp_stored_t *stored, cp_str_t *bytes)
{
    cp_code_t code;
    int       file = -1;

    *bytes = CP_STR_NULL;

    CP_TRY(open_file(call->app, stored, &file));

    code = read_open_file(call, file, stored, bytes);
    close(file);

    return code;
}


void
cp_stored_remove(const cp_app_t *app, cp_str_t file)
{
    char path[CP_FILE_PATH];
    int  store;

    if (!cp_file_name_is_valid(file)) {
        return;
    }

    store = cp_store_open(app);
    if (store == -1) {
        cp_store_failed("opening the folder");
        return;
    }

    cp_file_permanent(file.data, path);
    if (unlinkat(store, path, 0) != 0 && errno != ENOENT) {
        cp_store_failed("removing a file");
    }

    close(store);
}
