/* What connection.c and statement.c share. */
#ifndef CP_DB_INTERNAL_H
#define CP_DB_INTERNAL_H

#include <mysql.h>

#include "db.h"

#define CP_DB_STATEMENTS  512    /* open addressing: more than the statements of all features together */

typedef struct {
    const char *sql;             /* the key: its address */
    MYSQL_STMT *stmt;
} cp_db_statement_t;

struct cp_db_s {
    const cp_db_conf_t *conf;
    MYSQL              *mysql;    /* NULL: not connected */
    cp_arena_t         *arena;
    bool                in_transaction;
    int64_t             affected;
    int64_t             insert_id;
    long                fail_after;
    unsigned            prepared;
    cp_db_statement_t   statements[CP_DB_STATEMENTS];
    char                message[256];
};

/* Connects when there is no connection. */
cp_code_t cp_db_connect(cp_db_t *db);

/*
 * Drops the connection and its statements. A transaction that was open stays marked until cp_db_rollback() or the next
 * cp_db_use(): what follows in the same operation must not go on alone, each statement by itself, on a new connection.
 */
void cp_db_drop(cp_db_t *db);

/* What a client or server error number means to us; drops the connection when it is lost, logs what is our mistake. */
cp_code_t cp_db_failed(cp_db_t *db, unsigned number, const char *message, const char *sql);

/* Counts down the planned failure of a test. */
bool cp_db_fails_now(cp_db_t *db);

#endif
