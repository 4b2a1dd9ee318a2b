/* Prepared statements: binding what is given, copying what is taken. */
#include <stdarg.h>
#include <string.h>

#include "db_internal.h"

#define MAX_VALUES  48

#ifdef MARIADB_BASE_VERSION
typedef my_bool db_bool_t;
#else
typedef bool db_bool_t;
#endif

struct cp_rows_s {
    cp_db_t     *db;
    const char  *sql;
    const char  *types;
    size_t       columns;
    size_t       count;
    size_t       next;
    cp_str_t    *texts;     /* count * columns */
    int64_t     *numbers;
};


static cp_code_t
statement_failed(cp_db_t *db, MYSQL_STMT *stmt, const char *sql)
{
    return cp_db_failed(db, mysql_stmt_errno(stmt), mysql_stmt_error(stmt), sql);
}


static cp_code_t
prepare(cp_db_t *db, const char *sql, MYSQL_STMT **out)
{
    MYSQL_STMT *stmt;

    stmt = mysql_stmt_init(db->mysql);
    if (stmt == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (mysql_stmt_prepare(stmt, sql, strlen(sql)) != 0) {
        cp_code_t code = cp_db_failed(db, mysql_stmt_errno(stmt), mysql_stmt_error(stmt), sql);

        mysql_stmt_close(stmt);
        return code;
    }

    *out = stmt;
    return CP_OK;
}


/* The statement for this text, prepared at its first use on this connection. */
static cp_code_t
statement(cp_db_t *db, const char *sql, MYSQL_STMT **out)
{
    size_t i = ((uintptr_t) sql >> 3) % CP_DB_STATEMENTS;

    while (db->statements[i].sql != NULL && db->statements[i].sql != sql) {
        i = (i + 1) % CP_DB_STATEMENTS;
    }

    if (db->statements[i].sql == NULL) {
        if (db->prepared == CP_DB_STATEMENTS - 1) {
            cp_log(CP_LOG_ALERT, "more than %d statements on one connection", CP_DB_STATEMENTS);
            return CP_E_INTERNAL;
        }
        CP_TRY(prepare(db, sql, &db->statements[i].stmt));
        db->statements[i].sql = sql;
        db->prepared++;
    }

    *out = db->statements[i].stmt;
    return CP_OK;
}


/* Binds the given values; returns the types that are taken ("" when none). */
static cp_code_t
bind_given(MYSQL_STMT *stmt, const char *types, va_list *args, MYSQL_BIND *binds, int64_t *numbers, cp_str_t *texts)
{
    size_t n;

    for (n = 0; types[n] != '\0' && types[n] != '>'; n++) {
        memset(&binds[n], 0, sizeof(MYSQL_BIND));

        if (types[n] == 'i') {
            numbers[n] = va_arg(*args, int64_t);
            binds[n].buffer_type = MYSQL_TYPE_LONGLONG;
            binds[n].buffer = &numbers[n];
            continue;
        }

        texts[n] = va_arg(*args, cp_str_t);
        binds[n].buffer_type = texts[n].data == NULL ? MYSQL_TYPE_NULL : MYSQL_TYPE_STRING;
        binds[n].buffer = texts[n].data;
        binds[n].buffer_length = (unsigned long) texts[n].len;
    }

    if (n > MAX_VALUES || n != mysql_stmt_param_count(stmt)) {
        return CP_E_INTERNAL;
    }

    return n == 0 || mysql_stmt_bind_param(stmt, binds) == 0 ? CP_OK : CP_E_INTERNAL;
}


static cp_code_t
execute(cp_db_t *db, const char *sql, const char *types, va_list *args, MYSQL_STMT **out)
{
    MYSQL_BIND  binds[MAX_VALUES];
    int64_t     numbers[MAX_VALUES];
    cp_str_t    texts[MAX_VALUES];
    MYSQL_STMT *stmt;

    if (cp_db_fails_now(db)) {
        cp_db_drop(db);
        return CP_E_DATABASE;
    }

    if (db->mysql == NULL) {
        /* Lost inside this operation: outside a transaction it may go on with a new connection. */
        if (db->in_transaction) {
            return CP_E_DATABASE;
        }
        CP_TRY(cp_db_connect(db));
    }

    CP_TRY(statement(db, sql, &stmt));

    if (bind_given(stmt, types, args, binds, numbers, texts) != CP_OK) {
        cp_log(CP_LOG_ALERT, "wrong types \"%s\" for \"%.80s\"", types, sql);
        return CP_E_INTERNAL;
    }

    if (mysql_stmt_execute(stmt) != 0) {
        return statement_failed(db, stmt, sql);
    }

    db->affected = (int64_t) mysql_stmt_affected_rows(stmt);
    db->insert_id = (int64_t) mysql_stmt_insert_id(stmt);

    *out = stmt;
    return CP_OK;
}


cp_code_t
cp_db_exec(cp_db_t *db, const char *sql, const char *types, ...)
{
    MYSQL_STMT *stmt;
    va_list     args;
    cp_code_t   code;

    va_start(args, types);
    code = execute(db, sql, types, &args, &stmt);
    va_end(args);

    return code;
}


static cp_code_t
fetch_text(cp_db_t *db, MYSQL_STMT *stmt, unsigned column, unsigned long len, cp_str_t *out)
{
    MYSQL_BIND    bind;
    unsigned long got;
    db_bool_t     is_null = 0, error = 0;
    char         *data;

    data = cp_alloc(db->arena, len + 1);
    if (data == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (len != 0) {
        memset(&bind, 0, sizeof(bind));
        bind.buffer_type = MYSQL_TYPE_STRING;
        bind.buffer = data;
        bind.buffer_length = len;
        bind.length = &got;
        bind.is_null = &is_null;
        bind.error = &error;

        if (mysql_stmt_fetch_column(stmt, &bind, column, 0) != 0) {
            return CP_E_INTERNAL;
        }
    }
    data[len] = '\0';

    *out = cp_str_n(data, len);
    return CP_OK;
}


typedef struct {
    MYSQL_BIND    binds[MAX_VALUES];
    unsigned long lengths[MAX_VALUES];
    db_bool_t     nulls[MAX_VALUES];
    db_bool_t     errors[MAX_VALUES];
    int64_t       numbers[MAX_VALUES];
    char          first[MAX_VALUES][1];
} taking_t;


static cp_code_t
bind_taken(MYSQL_STMT *stmt, const char *types, size_t columns, taking_t *taking)
{
    size_t i;

    memset(taking->binds, 0, sizeof(taking->binds));

    for (i = 0; i < columns; i++) {
        MYSQL_BIND *bind = &taking->binds[i];

        bind->is_null = &taking->nulls[i];
        bind->length = &taking->lengths[i];
        bind->error = &taking->errors[i];

        if (types[i] == 'i') {
            bind->buffer_type = MYSQL_TYPE_LONGLONG;
            bind->buffer = &taking->numbers[i];
        } else {
            bind->buffer_type = MYSQL_TYPE_STRING;
            bind->buffer = taking->first[i];
            bind->buffer_length = 0;
        }
    }

    return mysql_stmt_bind_result(stmt, taking->binds) == 0 ? CP_OK : CP_E_INTERNAL;
}


static cp_code_t
take_row(cp_db_t *db, MYSQL_STMT *stmt, cp_rows_t *rows, size_t row, const taking_t *taking)
{
    size_t i, at = row * rows->columns;

    for (i = 0; i < rows->columns; i++, at++) {
        rows->numbers[at] = 0;
        rows->texts[at] = CP_STR_NULL;

        if (taking->nulls[i]) {
            continue;
        }
        if (rows->types[i] == 'i') {
            rows->numbers[at] = taking->numbers[i];
            continue;
        }
        CP_TRY(fetch_text(db, stmt, (unsigned) i, taking->lengths[i], &rows->texts[at]));
    }

    return CP_OK;
}


static cp_code_t
take_all(cp_db_t *db, MYSQL_STMT *stmt, cp_rows_t *rows)
{
    taking_t taking;
    size_t   row;
    int      status;

    CP_TRY(bind_taken(stmt, rows->types, rows->columns, &taking));

    if (mysql_stmt_store_result(stmt) != 0) {
        return statement_failed(db, stmt, rows->sql);
    }

    rows->count = (size_t) mysql_stmt_num_rows(stmt);
    rows->texts = cp_calloc(db->arena, rows->count * rows->columns + 1, sizeof(cp_str_t));
    rows->numbers = cp_calloc(db->arena, rows->count * rows->columns + 1, sizeof(int64_t));
    if (rows->texts == NULL || rows->numbers == NULL) {
        return CP_E_NO_MEMORY;
    }

    for (row = 0; row < rows->count; row++) {
        status = mysql_stmt_fetch(stmt);
        if (status != 0 && status != MYSQL_DATA_TRUNCATED) {
            return statement_failed(db, stmt, rows->sql);
        }
        CP_TRY(take_row(db, stmt, rows, row, &taking));
    }

    return CP_OK;
}


static cp_code_t
query(cp_db_t *db, cp_rows_t **out, const char *sql, const char *types, va_list *args)
{
    const char *taken = strchr(types, '>');
    MYSQL_STMT *stmt = NULL;
    cp_rows_t  *rows;
    cp_code_t   code;

    CP_TRY(execute(db, sql, types, args, &stmt));

    rows = cp_calloc(db->arena, 1, sizeof(cp_rows_t));
    if (rows == NULL) {
        mysql_stmt_free_result(stmt);
        return CP_E_NO_MEMORY;
    }

    rows->db = db;
    rows->sql = sql;
    rows->types = taken == NULL ? "" : taken + 1;
    rows->columns = strlen(rows->types);

    if (rows->columns > MAX_VALUES || rows->columns != mysql_stmt_field_count(stmt)) {
        cp_log(CP_LOG_ALERT, "wrong result types \"%s\" for \"%.80s\"", types, sql);
        mysql_stmt_free_result(stmt);
        return CP_E_INTERNAL;
    }

    code = take_all(db, stmt, rows);
    if (db->mysql != NULL) {
        mysql_stmt_free_result(stmt);
    }

    *out = rows;
    return code;
}


/* A read that met a dead idle connection is asked once more on a new one. */
static cp_code_t
query_again(cp_db_t *db, cp_rows_t **rows, const char *sql, const char *types, va_list *args)
{
    bool      in_transaction = db->in_transaction;
    va_list   copy;
    cp_code_t code;

    va_copy(copy, *args);
    code = query(db, rows, sql, types, args);
    if (code == CP_E_DATABASE && !in_transaction && db->fail_after < 0) {
        code = query(db, rows, sql, types, &copy);
    }
    va_end(copy);

    return code;
}


cp_code_t
cp_db_query(cp_db_t *db, cp_rows_t **rows, const char *sql, const char *types, ...)
{
    va_list   args;
    cp_code_t code;

    va_start(args, types);
    code = query_again(db, rows, sql, types, &args);
    va_end(args);

    return code;
}


static cp_code_t
next_row(cp_rows_t *rows, va_list *args)
{
    size_t i, at;

    if (rows->next == rows->count) {
        return CP_E_NOT_FOUND;
    }

    at = rows->next++ * rows->columns;
    for (i = 0; i < rows->columns; i++, at++) {
        if (rows->types[i] == 'i') {
            *va_arg(*args, int64_t *) = rows->numbers[at];
        } else {
            *va_arg(*args, cp_str_t *) = rows->texts[at];
        }
    }

    return CP_OK;
}


size_t
cp_db_count(const cp_rows_t *rows)
{
    return rows->count;
}


cp_code_t
cp_db_next(cp_rows_t *rows, ...)
{
    va_list   args;
    cp_code_t code;

    va_start(args, rows);
    code = next_row(rows, &args);
    va_end(args);

    return code;
}


/* Moves past the given values: what follows them are the pointers that take the row. */
static void
skip_given(const char *types, va_list *args)
{
    for (; *types != '\0' && *types != '>'; types++) {
        if (*types == 'i') {
            (void) va_arg(*args, int64_t);
        } else {
            (void) va_arg(*args, cp_str_t);
        }
    }
}


cp_code_t
cp_db_row(cp_db_t *db, const char *sql, const char *types, ...)
{
    cp_rows_t *rows;
    va_list    args, taken;
    cp_code_t  code;

    va_start(args, types);
    va_copy(taken, args);

    code = query_again(db, &rows, sql, types, &args);
    if (code == CP_OK) {
        skip_given(types, &taken);
        code = next_row(rows, &taken);
    }

    va_end(taken);
    va_end(args);

    return code;
}


int64_t
cp_db_affected(const cp_db_t *db)
{
    return db->affected;
}


int64_t
cp_db_insert_id(const cp_db_t *db)
{
    return db->insert_id;
}
