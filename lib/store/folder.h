/* The store as a folder: `tmp/<name>` while a file arrives, then `<2 hex>/<name>`. See store.h for each. */
#ifndef CP_STORE_FOLDER_H
#define CP_STORE_FOLDER_H

#include "store/store.h"

#define CP_FOLDER_ARRIVING  "tmp"

/* The folder, which the caller closes; -1 with errno. */
int cp_folder_open(const cp_store_conf_t *conf);

cp_code_t cp_folder_settle(const cp_store_conf_t *conf, int file, const char *name);
cp_code_t cp_folder_read(const cp_store_conf_t *conf, const char *name, int64_t offset, size_t len, unsigned char *out,
                         int64_t *size);
cp_code_t cp_folder_remove(const cp_store_conf_t *conf, const char *name);

/* The two halves of a sweep. */
cp_code_t cp_folder_sweep_arriving(const cp_store_conf_t *conf, cp_sweep_t *sweep);
cp_code_t cp_folder_sweep_settled(const cp_store_conf_t *conf, cp_sweep_t *sweep);

#endif
