/* Bytes that are in memory into the store, sealed as uploads are. */
#include "material/material.h"

#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "material/material_format.h"


static cp_code_t
write_sealed(int file, const unsigned char key[CP_KEY_SIZE], cp_str_t bytes)
{
    unsigned char chunk[CP_CHUNK_SIZE + CP_TAG_SIZE];
    uint64_t      number = 0;
    size_t        at = 0, n;

    CP_TRY(cp_file_append(file, cp_file_head, sizeof(cp_file_head)));

    while (at < bytes.len) {
        n = bytes.len - at < CP_CHUNK_SIZE ? bytes.len - at : CP_CHUNK_SIZE;
        CP_TRY(cp_chunk_seal(key, number++, at + n == bytes.len, cp_str_n(bytes.data + at, n), chunk));
        CP_TRY(cp_file_append(file, chunk, n + CP_TAG_SIZE));
        at += n;
    }

    return CP_OK;
}


cp_code_t
cp_stored_write(cp_call_t *call, cp_str_t bytes, unsigned type, cp_stored_t *stored)
{
    const cp_store_conf_t *store = &call->app->store;

    unsigned char key[CP_KEY_SIZE];
    char          name[CP_FILE_NAME + 1];
    cp_code_t     code;
    int           file = cp_file_create(store, name);

    if (file == -1) {
        return cp_store_failed("creating a file");
    }

    stored->type = type;
    stored->size = (int64_t) bytes.len;
    cp_random(key, sizeof(key));

    code = cp_sha256(bytes, stored->sha256);
    if (code == CP_OK) {
        code = cp_key_wrap(call->app->keys, call->arena, key, &stored->wrapped_key);
    }
    if (code == CP_OK) {
        stored->file = cp_str_dup(call->arena, cp_str(name));
        code = stored->file.data == NULL ? CP_E_NO_MEMORY : write_sealed(file, key, bytes);
    }
    if (code == CP_OK) {
        code = cp_file_settle(store, call->arena, file, name);
    }

    explicit_bzero(key, sizeof(key));
    close(file);
    if (code != CP_OK) {
        cp_file_abandon(store, name);
    }

    return code;
}
