/* Bytes that are in memory into the store, sealed as uploads are. */
#include "material/material.h"

#include <unistd.h>

#include "material/sealer.h"


/* Seals the bytes into a new file, under a key of their own, which is wrapped for the row that names them. */
static cp_code_t
seal(cp_call_t *call, int file, cp_str_t bytes, cp_stored_t *stored)
{
    cp_sealer_t sealer;
    cp_code_t   code;

    cp_sealer_begin(&sealer, file);

    code = cp_key_wrap(call->app->keys, call->arena, sealer.key, &stored->wrapped_key);
    if (code == CP_OK) {
        code = cp_sealer_take(&sealer, bytes.data, bytes.len);
    }
    if (code == CP_OK) {
        code = cp_sealer_finish(&sealer);
    }
    cp_sealer_clear(&sealer);

    return code;
}


static cp_code_t
describe(cp_call_t *call, cp_str_t bytes, unsigned type, const char *name, cp_stored_t *stored)
{
    stored->type = type;
    stored->size = (int64_t) bytes.len;
    stored->file = cp_str_dup(call->arena, cp_str(name));

    return stored->file.data == NULL ? CP_E_NO_MEMORY : cp_sha256(bytes, stored->sha256);
}


cp_code_t
cp_stored_write(cp_call_t *call, cp_str_t bytes, unsigned type, cp_stored_t *stored)
{
    const cp_store_conf_t *store = &call->app->store;

    char      name[CP_FILE_NAME + 1];
    cp_code_t code;
    int       file = cp_file_create(store, name);

    if (file == -1) {
        return cp_store_failed("creating a file");
    }

    code = describe(call, bytes, type, name, stored);
    if (code == CP_OK) {
        code = seal(call, file, bytes, stored);
    }
    if (code == CP_OK) {
        code = cp_file_settle(store, call->arena, file, name);
    }

    close(file);
    if (code != CP_OK) {
        cp_file_abandon(store, name);
    }

    return code;
}
