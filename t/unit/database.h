/*
 * A database of the test's own on the server whose socket CAPORTAL_TEST_MYSQL_SOCKET names (as user
 * CAPORTAL_TEST_MYSQL_USER, root by default), with the schema loaded, dropped at the end. Include it after seams.h.
 */
#ifndef T_DATABASE_H
#define T_DATABASE_H

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/script.h"

#define SCHEMA  "deploy/schema/[0-9]*.sql"

static cp_db_conf_t database;
static char         database_name[40];


/* False, with a message, when no server is named: the test's main returns 0. */
static inline bool
database_is_there(void)
{
    database.socket = getenv("CAPORTAL_TEST_MYSQL_SOCKET");
    database.user = getenv("CAPORTAL_TEST_MYSQL_USER");
    database.connect_ms = 3000;
    database.io_ms = 10000;
    if (database.user == NULL) {
        database.user = "root";
    }

    if (database.socket == NULL || access(database.socket, R_OK) != 0) {
        puts("1..0 # SKIP CAPORTAL_TEST_MYSQL_SOCKET names no server");
        return false;
    }

    return true;
}


static inline int
database_script(cp_db_t *db, const char *path)
{
    static char text[256 * 1024];

    FILE    *file = fopen(path, "r");
    cp_str_t rest, statement;
    size_t   n;

    if (file == NULL) {
        return -1;
    }
    n = fread(text, 1, sizeof(text), file);
    fclose(file);

    rest = cp_str_n(text, n);
    while (cp_script_next(&rest, &statement) == CP_SCRIPT_STATEMENT) {
        if (cp_db_script(db, statement) != CP_OK) {
            fprintf(stderr, "# %s\n", cp_db_message(db));
            return -1;
        }
    }

    return 0;
}


/* All files of the schema, in their order. */
static inline int
database_schema(cp_db_t *db)
{
    glob_t files;
    int    rc = glob(SCHEMA, 0, NULL, &files);
    size_t i;

    for (i = 0; rc == 0 && i < files.gl_pathc; i++) {
        rc = database_script(db, files.gl_pathv[i]);
    }
    globfree(&files);

    return rc == 0 ? 0 : -1;
}


/* Makes the database; `schema` says whether its tables are loaded. */
static inline int
database_start(bool schema)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_code_t   code;
    cp_db_t    *db = cp_db_library_init() != CP_OK ? NULL : cp_db_use(&database, arena, &code);
    char        sql[128];
    int         rc = -1;

    snprintf(database_name, sizeof(database_name), "caportal_unit_%ld", (long) getpid());
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s CHARACTER SET utf8mb4", database_name);

    if (db != NULL && cp_db_script(db, cp_str(sql)) == CP_OK) {
        cp_db_close_thread();
        database.database = database_name;
        db = cp_db_use(&database, arena, &code);
        rc = db != NULL && (!schema || database_schema(db) == 0) ? 0 : -1;
    }

    cp_arena_free(arena);
    return rc;
}


static inline int
database_stop(void)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_code_t   code;
    cp_db_t    *db = cp_db_use(&database, arena, &code);
    char        sql[128];
    int         rc = -1;

    snprintf(sql, sizeof(sql), "DROP DATABASE %s", database_name);
    if (db != NULL) {
        rc = cp_db_script(db, cp_str(sql)) == CP_OK ? 0 : -1;
    }

    cp_db_close_thread();
    cp_arena_free(arena);
    return rc;
}

#endif
