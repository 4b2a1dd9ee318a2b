/* Which store it is. */
#include "store/store.h"

#include "store/folder.h"
#include "store/s3.h"


cp_code_t
cp_file_settle(const cp_store_conf_t *conf, cp_arena_t *arena, int file, const char *name)
{
    if (conf->s3 == NULL) {
        return cp_folder_settle(conf, file, name);
    }

    CP_TRY(cp_s3_put(conf->s3, arena, file, name));

    /* The bucket has it: what is left here would be swept anyway. */
    cp_file_abandon(conf, name);

    return CP_OK;
}


cp_code_t
cp_file_read(const cp_store_conf_t *conf, cp_arena_t *arena, const char *name, int64_t offset, size_t len,
             unsigned char *out, int64_t *size)
{
    return conf->s3 == NULL ? cp_folder_read(conf, name, offset, len, out, size)
                            : cp_s3_get(conf->s3, arena, name, offset, len, out, size);
}


cp_code_t
cp_file_remove(const cp_store_conf_t *conf, cp_arena_t *arena, const char *name)
{
    return conf->s3 == NULL ? cp_folder_remove(conf, name) : cp_s3_delete(conf->s3, arena, name);
}


cp_code_t
cp_store_sweep(const cp_store_conf_t *conf, cp_sweep_t *sweep)
{
    CP_TRY(cp_folder_sweep_arriving(conf, sweep));

    return conf->s3 == NULL ? cp_folder_sweep_settled(conf, sweep) : cp_s3_sweep(conf->s3, sweep);
}
