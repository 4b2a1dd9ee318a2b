/* Reading and removing what the store holds. */
#include "material/material.h"

#include <string.h>

#include "material/material_format.h"


/* Evidence is lost or was tampered with: a person must look. */
static cp_code_t
damaged(const cp_stored_t *stored, const char *how)
{
    cp_log(CP_LOG_ALERT, "stored file %.*s %s", (int) stored->file.len, stored->file.data, how);

    return CP_E_INTERNAL;
}


/* Reads a part of the sealed file. A file that is missing or too short is evidence lost. */
static cp_code_t
read_sealed(cp_call_t *call, const cp_stored_t *stored, int64_t offset, size_t len, unsigned char *out)
{
    char      name[CP_FILE_NAME + 1];
    int64_t   size;
    cp_code_t code;

    memcpy(name, stored->file.data, CP_FILE_NAME);
    name[CP_FILE_NAME] = '\0';

    code = cp_file_read(&call->app->store, call->arena, name, offset, len, out, &size);
    if (code == CP_E_NOT_FOUND) {
        return damaged(stored, "is missing");
    }
    if (code == CP_E_INTERNAL) {
        return damaged(stored, "is too short");
    }
    CP_TRY(code);

    return size == cp_file_size(stored->size) ? CP_OK : damaged(stored, "has the wrong size");
}


static cp_code_t
open_chunks(const cp_stored_t *stored, const unsigned char key[CP_KEY_SIZE], int64_t first, int64_t count,
            const unsigned char *sealed, unsigned char *out)
{
    int64_t last = cp_file_chunks(stored->size) - 1, i;

    for (i = first; i < first + count; i++) {
        size_t n = i == last ? (size_t) (stored->size - i * CP_CHUNK_SIZE) : CP_CHUNK_SIZE;

        if (cp_chunk_open(key, (uint64_t) i, i == last, cp_str_n(sealed, n + CP_TAG_SIZE), out) != CP_OK) {
            return damaged(stored, "was changed");
        }

        sealed += n + CP_TAG_SIZE;
        out += n;
    }

    return CP_OK;
}


static cp_code_t
check(const cp_stored_t *stored)
{
    if (!cp_file_name_is_valid(stored->file)) {
        cp_log(CP_LOG_ALERT, "a row names a stored file with an impossible name");
        return CP_E_INTERNAL;
    }

    return stored->size > 0 ? CP_OK : damaged(stored, "has the wrong size");
}


/* Chunks `first` to first + count - 1, plain, into `out`. */
static cp_code_t
read_chunks(cp_call_t *call, const cp_stored_t *stored, int64_t first, int64_t count, unsigned char *out)
{
    unsigned char  key[CP_KEY_SIZE], head[CP_FILE_HEAD];
    unsigned char *sealed;
    int64_t        from, to;
    cp_code_t      code;

    from = CP_FILE_HEAD + first * (CP_CHUNK_SIZE + CP_TAG_SIZE);
    to = CP_FILE_HEAD + (first + count) * (CP_CHUNK_SIZE + CP_TAG_SIZE);
    if (to > cp_file_size(stored->size)) {
        to = cp_file_size(stored->size);
    }

    sealed = cp_alloc(call->arena, (size_t) (to - from));
    if (sealed == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(read_sealed(call, stored, 0, sizeof(head), head));
    if (memcmp(head, cp_file_head, sizeof(head)) != 0) {
        return damaged(stored, "has the wrong head");
    }
    CP_TRY(read_sealed(call, stored, from, (size_t) (to - from), sealed));

    code = cp_key_unwrap(call->app->keys, call->arena, stored->wrapped_key, key);
    if (code != CP_OK) {
        return code == CP_E_INTERNAL ? damaged(stored, "has a key that does not open") : code;
    }

    code = open_chunks(stored, key, first, count, sealed, out);
    explicit_bzero(key, sizeof(key));

    return code;
}


cp_code_t
cp_stored_read(cp_call_t *call, const cp_stored_t *stored, cp_str_t *bytes)
{
    unsigned char  digest[CP_SHA256_SIZE];
    unsigned char *out;

    *bytes = CP_STR_NULL;
    CP_TRY(check(stored));

    out = cp_alloc(call->arena, (size_t) stored->size + 1);
    if (out == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(read_chunks(call, stored, 0, cp_file_chunks(stored->size), out));
    out[stored->size] = '\0';

    CP_TRY(cp_sha256(cp_str_n(out, (size_t) stored->size), digest));
    if (memcmp(digest, stored->sha256, sizeof(digest)) != 0) {
        return damaged(stored, "has the wrong digest");
    }

    *bytes = cp_str_n(out, (size_t) stored->size);
    return CP_OK;
}


cp_code_t
cp_stored_read_range(cp_call_t *call, const cp_stored_t *stored, int64_t offset, size_t len, cp_str_t *bytes)
{
    int64_t        first = offset / CP_CHUNK_SIZE, count = (offset + (int64_t) len - 1) / CP_CHUNK_SIZE - first + 1;
    unsigned char *out;

    *bytes = CP_STR_NULL;
    CP_TRY(check(stored));

    if (offset < 0 || len == 0 || (int64_t) len > stored->size || offset > stored->size - (int64_t) len) {
        return CP_E_INTERNAL;
    }

    out = cp_alloc(call->arena, (size_t) count * CP_CHUNK_SIZE);
    if (out == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(read_chunks(call, stored, first, count, out));

    *bytes = cp_str_n(out + (offset - first * CP_CHUNK_SIZE), len);
    return CP_OK;
}


void
cp_stored_remove(cp_call_t *call, cp_str_t file)
{
    char name[CP_FILE_NAME + 1];

    if (cp_file_name_is_valid(file)) {
        memcpy(name, file.data, CP_FILE_NAME);
        name[CP_FILE_NAME] = '\0';
        (void) cp_file_remove(&call->app->store, call->arena, name);
    }
}
