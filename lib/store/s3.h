/*
 * The store as a bucket of an S3-compatible server: PUT, ranged GET, DELETE and ListObjectsV2, path style, signed with
 * Signature Version 4 over each body's digest. See store.h for what each means.
 */
#ifndef CP_S3_H
#define CP_S3_H

#include "store/store.h"

cp_code_t cp_s3_put(const cp_s3_conf_t *conf, cp_arena_t *arena, int file, const char *name);
cp_code_t cp_s3_get(const cp_s3_conf_t *conf, cp_arena_t *arena, const char *name, int64_t offset, size_t len,
                    unsigned char *out, int64_t *size);
cp_code_t cp_s3_delete(const cp_s3_conf_t *conf, cp_arena_t *arena, const char *name);
cp_code_t cp_s3_sweep(const cp_s3_conf_t *conf, cp_sweep_t *sweep);

/*
 * Reads the next object out of an answer to ListObjectsV2: moves *at behind it; its name without `prefix` and its time.
 * False after the last. Objects whose names are none of ours are passed over. Pure.
 */
bool cp_s3_listed(cp_str_t xml, size_t *at, const char *prefix, cp_str_t *name, int64_t *modified_ms);

/* The token of the next page; {0, NULL} on the last. Pure. */
cp_str_t cp_s3_next_page(cp_str_t xml);

#endif
