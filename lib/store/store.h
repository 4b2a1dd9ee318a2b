/*
 * Where sealed files lie: a folder, or a bucket of an S3-compatible server. A file arrives in the folder either way, is
 * settled once and never changes. A name is 32 hexadecimal digits, made here. Blocking; safe on any thread.
 */
#ifndef CP_STORE_H
#define CP_STORE_H

#include "base/error.h"
#include "base/str.h"

#define CP_FILE_NAME  32u

/* A bucket, addressed path-style: endpoint/bucket/prefix name. */
typedef struct {
    const char *endpoint;      /* "https://host:port" */
    const char *bucket;
    const char *region;        /* "us-east-1" where the server does not care */
    const char *prefix;        /* of the objects' names: "" or "materials/" */
    const char *ca;            /* file of the authority that signed the server's certificate; NULL: the system's */
    cp_str_t    key_id;
    cp_str_t    key_secret;
    unsigned    timeout_ms;    /* of one exchange */
} cp_s3_conf_t;

typedef struct {
    cp_str_t            folder;    /* of the files; with a bucket only of those that still arrive */
    const cp_s3_conf_t *s3;        /* NULL: the folder is the store */
} cp_store_conf_t;

/* Whether that can be the name of a stored file. Pure. */
bool cp_file_name_is_valid(cp_str_t name);

/* Makes a file of mode 0600 under a new name: its descriptor, which the caller closes; -1 with errno. */
int cp_file_create(const cp_store_conf_t *conf, char name[CP_FILE_NAME + 1]);

/* Appends all of it to a file that was made so. CP_E_STORE, CP_E_STORE_FULL. */
cp_code_t cp_file_append(int file, const void *data, size_t len);

/* Removes one that was not settled. */
void cp_file_abandon(const cp_store_conf_t *conf, const char *name);

/*
 * Makes it permanent: when this is CP_OK the file outlives a crash of this machine. `file` is its descriptor. CP_E_STORE,
 * CP_E_STORE_FULL.
 */
cp_code_t cp_file_settle(const cp_store_conf_t *conf, cp_arena_t *arena, int file, const char *name);

/*
 * `len` bytes from `offset` on into `out`; *size is what the whole file has. CP_E_NOT_FOUND: there is no such file;
 * CP_E_INTERNAL: it ends before; CP_E_STORE.
 */
cp_code_t cp_file_read(const cp_store_conf_t *conf, cp_arena_t *arena, const char *name, int64_t offset, size_t len,
                       unsigned char *out, int64_t *size);

/* Removes a settled file; a missing one is fine. */
cp_code_t cp_file_remove(const cp_store_conf_t *conf, cp_arena_t *arena, const char *name);

/* Says whether a settled file is still needed. */
typedef cp_code_t (*cp_file_needed_fn)(void *data, cp_str_t name, bool *needed);

/*
 * Removes files that are older than temporary_ms and were never settled, and settled ones older than settled_ms that
 * `needed` does not need. *removed counts them, also on an error.
 */
typedef struct {
    int64_t            now_ms;
    int64_t            temporary_ms;
    int64_t            settled_ms;
    cp_file_needed_fn  needed;
    void              *data;
    int64_t            removed;
} cp_sweep_t;

cp_code_t cp_store_sweep(const cp_store_conf_t *conf, cp_sweep_t *sweep);

/* What errno means to the client; logs which step failed, never a path. */
cp_code_t cp_store_failed(const char *step);

#endif
