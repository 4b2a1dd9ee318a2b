/*
 * Where files lie in the store: `tmp/<name>` while they arrive, then `<2 hex>/<2 hex>/<name>`; a name is 32 hexadecimal
 * digits.
 */
#ifndef CP_MATERIAL_FOLDER_H
#define CP_MATERIAL_FOLDER_H

#include "call/app.h"

#define CP_FILE_NAME    32u
#define CP_FILE_PATH    (CP_FILE_NAME + 8)     /* "ab/cd/" or "tmp/", the name, NUL */
#define CP_TEMPORARIES  "tmp"

/* The store's folder as a descriptor, which the caller closes; -1 with errno. Paths below are relative to it. */
int cp_store_open(const cp_app_t *app);

/* Whether that can be the name of a stored file. Pure. */
bool cp_file_name_is_valid(cp_str_t name);

/* The paths of a file, from a valid name of CP_FILE_NAME characters. Pure. */
void cp_file_temporary(const char *name, char path[CP_FILE_PATH]);
void cp_file_permanent(const char *name, char path[CP_FILE_PATH]);

/* Makes a temporary file under a new random name, mode 0600: its descriptor, which the caller closes; -1 with errno. */
int cp_file_create(int store, char name[CP_FILE_NAME + 1]);

/* Moves a temporary file to its place and makes the move durable; -1 with errno. */
int cp_file_settle(int store, const char *name);

/* What errno means to the client; logs which step failed, never a path. */
cp_code_t cp_store_failed(const char *step);

#endif
