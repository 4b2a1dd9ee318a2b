/*
 * One database connection a thread, with prepared statements kept by the address of their text.
 *
 * Statements are string literals with `?` marks and a type string: every value is bound, none is ever formatted into
 * SQL. Type letters, for values given and taken:
 *   i  int64_t      taken: int64_t *, SQL NULL reads as 0
 *   s  cp_str_t     text or bytes; {0, NULL} is SQL NULL. Taken: cp_str_t *, copied into the arena of cp_db_use()
 * Given and taken values stand in one string, separated by `>`: "is>iss".
 *
 * Results: CP_E_DATABASE the server is away (the connection is dropped and made anew at the next use), CP_E_RETRY a
 * deadlock or lock time-out (the transaction is rolled back: run the operation again), CP_E_DUPLICATE a unique key
 * refused the row, CP_E_INTERNAL our mistake (logged with the statement, never with values).
 */
#ifndef CP_DB_H
#define CP_DB_H

#include "base/error.h"
#include "base/str.h"

typedef struct {
    const char *host;           /* NULL with a socket */
    const char *socket;         /* NULL with a host */
    unsigned    port;
    const char *user;
    const char *password;
    const char *database;
    const char *tls_ca;         /* PEM file; NULL: no TLS */
    unsigned    connect_ms;     /* rounded up to whole seconds by the client library */
    unsigned    io_ms;
} cp_db_conf_t;

typedef struct cp_db_s   cp_db_t;
typedef struct cp_rows_s cp_rows_t;

/* Once a process, before any thread uses a connection. */
cp_code_t cp_db_library_init(void);

/*
 * This thread's connection to `conf` (compared by address), made when there is none; NULL with CP_E_DATABASE in *code
 * when the server cannot be reached. It is closed when the thread ends. Results go into `arena` until the next call.
 */
cp_db_t *cp_db_use(const cp_db_conf_t *conf, cp_arena_t *arena, cp_code_t *code);

/* Puts results into another arena from now on; the one before. For walks over more rows than memory should hold. */
cp_arena_t *cp_db_results_into(cp_db_t *db, cp_arena_t *arena);

/* Closes this thread's connection, if any: a program does so before it ends. */
void cp_db_close_thread(void);

/* Runs a statement without result. */
cp_code_t cp_db_exec(cp_db_t *db, const char *sql, const char *types, ...);

/* Rows that the last statement changed (for UPDATE: changed, not matched), and the last AUTO_INCREMENT value. */
int64_t cp_db_affected(const cp_db_t *db);
int64_t cp_db_insert_id(const cp_db_t *db);

/* Runs a query and takes its first row, the rest is dropped: CP_E_NOT_FOUND without a row. */
cp_code_t cp_db_row(cp_db_t *db, const char *sql, const char *types, ...);

/* Runs a query whose rows cp_db_next() takes one by one. All rows are buffered; other statements may run meanwhile. */
cp_code_t cp_db_query(cp_db_t *db, cp_rows_t **rows, const char *sql, const char *types, ...);

/* How many rows a query found, taken or not. Pure. */
size_t cp_db_count(const cp_rows_t *rows);

/* Takes the next row into the pointers; CP_E_NOT_FOUND after the last. The same types as given to cp_db_query(). */
cp_code_t cp_db_next(cp_rows_t *rows, ...);

/* Transactions, READ COMMITTED. cp_db_rollback() does nothing outside one. */
cp_code_t cp_db_begin(cp_db_t *db);
cp_code_t cp_db_commit(cp_db_t *db);
void      cp_db_rollback(cp_db_t *db);
bool      cp_db_in_transaction(const cp_db_t *db);

/* Runs one statement that cannot be prepared or comes from a migration file. */
cp_code_t cp_db_script(cp_db_t *db, cp_str_t sql);

/* The server's last message, for operators' tools; valid until the next call. */
const char *cp_db_message(const cp_db_t *db);

/* For tests: the statement after the next `n` fails with CP_E_DATABASE, once; a negative `n` never fails. */
void cp_db_fail_after(cp_db_t *db, long n);

#endif
