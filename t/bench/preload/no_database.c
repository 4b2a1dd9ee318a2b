/*
 * No database: loaded before the client library (LD_PRELOAD) it takes its place for a benchmark that asks what
 * everything else costs. Any statement succeeds at once; one that reads an account finds an active one, whose id and
 * public id are made of the blind index that it is asked by; all others find nothing.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mysql.h>

#define ACCOUNT  "SELECT a.id, a.public_id,"
#define COLUMNS  11

enum { ID, PUBLIC_ID, STATE = 4 };

typedef struct {
    bool        account;     /* the statement reads one */
    unsigned    params;
    MYSQL_BIND *given;
    MYSQL_BIND *bound;
    char        public_id[21];
    int64_t     id;
} statement_t;

static statement_t *
of(MYSQL_STMT *stmt)
{
    return (statement_t *) (void *) stmt;
}


MYSQL *
mysql_init(MYSQL *mysql)
{
    return mysql == NULL ? calloc(1, sizeof(MYSQL)) : mysql;
}


MYSQL *
mysql_real_connect(MYSQL *mysql, const char *host, const char *user, const char *password, const char *database,
                   unsigned port, const char *socket, unsigned long flags)
{
    (void) host;
    (void) user;
    (void) password;
    (void) database;
    (void) port;
    (void) socket;
    (void) flags;

    return mysql;
}


int
mysql_options(MYSQL *mysql, enum mysql_option option, const void *value)
{
    (void) mysql;
    (void) option;
    (void) value;

    return 0;
}


int
mysql_real_query(MYSQL *mysql, const char *sql, unsigned long len)
{
    (void) mysql;
    (void) sql;
    (void) len;

    return 0;
}


void
mysql_close(MYSQL *mysql)
{
    free(mysql);
}


MYSQL_STMT *
mysql_stmt_init(MYSQL *mysql)
{
    (void) mysql;

    return calloc(1, sizeof(statement_t));
}


int
mysql_stmt_prepare(MYSQL_STMT *stmt, const char *sql, unsigned long len)
{
    unsigned long i;

    of(stmt)->account = strncmp(sql, ACCOUNT, strlen(ACCOUNT)) == 0;
    for (i = 0; i < len; i++) {
        of(stmt)->params += sql[i] == '?';
    }

    return 0;
}


unsigned long
mysql_stmt_param_count(MYSQL_STMT *stmt)
{
    return of(stmt)->params;
}


unsigned int
mysql_stmt_field_count(MYSQL_STMT *stmt)
{
    return of(stmt)->account ? COLUMNS : 0;
}


my_bool
mysql_stmt_bind_param(MYSQL_STMT *stmt, MYSQL_BIND *binds)
{
    of(stmt)->given = binds;

    return 0;
}


int
mysql_stmt_execute(MYSQL_STMT *stmt)
{
    statement_t         *s = of(stmt);
    const unsigned char *index = s->account ? s->given[0].buffer : NULL;
    int                  i;

    for (i = 0; index != NULL && i < 10; i++) {
        static const char digits[] = "0123456789abcdef";

        s->public_id[2 * i] = digits[index[i] >> 4];
        s->public_id[2 * i + 1] = digits[index[i] & 15];
    }
    if (index != NULL) {
        s->id = ((int64_t) index[0] << 24) + (index[1] << 16) + (index[2] << 8) + index[3] + 1;
    }

    return 0;
}


my_ulonglong
mysql_stmt_affected_rows(MYSQL_STMT *stmt)
{
    (void) stmt;

    return 1;
}


my_ulonglong
mysql_stmt_insert_id(MYSQL_STMT *stmt)
{
    (void) stmt;

    return 1;
}


my_bool
mysql_stmt_bind_result(MYSQL_STMT *stmt, MYSQL_BIND *binds)
{
    of(stmt)->bound = binds;

    return 0;
}


int
mysql_stmt_store_result(MYSQL_STMT *stmt)
{
    (void) stmt;

    return 0;
}


my_ulonglong
mysql_stmt_num_rows(MYSQL_STMT *stmt)
{
    return of(stmt)->account ? 1 : 0;
}


int
mysql_stmt_fetch(MYSQL_STMT *stmt)
{
    statement_t *s = of(stmt);
    int          i;

    for (i = 0; i < COLUMNS; i++) {
        *s->bound[i].is_null = i != ID && i != PUBLIC_ID && i != STATE;
    }
    *(int64_t *) s->bound[ID].buffer = s->id;
    *s->bound[PUBLIC_ID].length = sizeof(s->public_id) - 1;
    *s->bound[STATE].length = strlen("active");

    return MYSQL_DATA_TRUNCATED;
}


int
mysql_stmt_fetch_column(MYSQL_STMT *stmt, MYSQL_BIND *bind, unsigned column, unsigned long offset)
{
    const char *text = column == PUBLIC_ID ? of(stmt)->public_id : "active";

    memcpy(bind->buffer, text + offset, bind->buffer_length);
    *bind->is_null = 0;

    return 0;
}


my_bool
mysql_stmt_free_result(MYSQL_STMT *stmt)
{
    (void) stmt;

    return 0;
}


my_bool
mysql_stmt_close(MYSQL_STMT *stmt)
{
    free(of(stmt));

    return 0;
}
