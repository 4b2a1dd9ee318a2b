/* Opening, keeping and dropping a thread's connection; transactions; what an error number means. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errmsg.h>
#include <mysqld_error.h>

#include "base/thread.h"
#include "db_internal.h"

static pthread_key_t  thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;


static void
thread_end(void *data)
{
    cp_db_t *db = data;

    cp_db_drop(db);
    free(db);
    mysql_thread_end();
    cp_thread_gave();
}


static void
thread_key_create(void)
{
    pthread_key_create(&thread_key, thread_end);
}


cp_code_t
cp_db_library_init(void)
{
    return mysql_library_init(0, NULL, NULL) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


void
cp_db_drop(cp_db_t *db)
{
    size_t i;

    for (i = 0; i < CP_DB_STATEMENTS; i++) {
        if (db->statements[i].stmt != NULL) {
            mysql_stmt_close(db->statements[i].stmt);
        }
    }
    memset(db->statements, 0, sizeof(db->statements));
    db->prepared = 0;

    if (db->mysql != NULL) {
        mysql_close(db->mysql);
        db->mysql = NULL;
    }
}


cp_code_t
cp_db_failed(cp_db_t *db, unsigned number, const char *message, const char *sql)
{
    snprintf(db->message, sizeof(db->message), "%u %s", number, message);

    switch (number) {
    case ER_DUP_ENTRY:
        return CP_E_DUPLICATE;
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_CHECKREAD:
        return CP_E_RETRY;
    case ER_DISK_FULL:
    case ER_RECORD_FILE_FULL:
    case ER_OPTION_PREVENTS_STATEMENT:    /* read-only: a failover is under way */
    case ER_CON_COUNT_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_CONNECTION_KILLED:
    case ER_QUERY_INTERRUPTED:
    case ER_TOO_MANY_USER_CONNECTIONS:
        break;
    default:
        if (number < CR_MIN_ERROR || number > CR_MAX_ERROR) {
            cp_log(CP_LOG_ALERT, "database refused a statement: %u in \"%.80s\"", number, sql);
            return CP_E_INTERNAL;
        }
    }

    cp_log(CP_LOG_ERROR, "database unavailable: %u", number);
    cp_db_drop(db);

    return CP_E_DATABASE;
}


bool
cp_db_fails_now(cp_db_t *db)
{
    if (db->fail_after < 0) {
        return false;
    }
    return db->fail_after-- == 0;
}


static void
set_options(MYSQL *mysql, const cp_db_conf_t *conf)
{
    unsigned connect_s = (conf->connect_ms + 999) / 1000, io_s = (conf->io_ms + 999) / 1000;

    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &io_s);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");

    /*
     * Strict mode turns a value that does not fit into an error instead of a silently cut one; a short lock wait
     * keeps pool threads from standing behind one slow transaction.
     */
    mysql_options(mysql, MYSQL_INIT_COMMAND,
                  "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone='+00:00', "
                  "innodb_lock_wait_timeout=5");
    mysql_options(mysql, MYSQL_INIT_COMMAND, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");

    if (conf->tls_ca != NULL) {
        mysql_ssl_set(mysql, NULL, NULL, conf->tls_ca, NULL, NULL);
    }
}


cp_code_t
cp_db_connect(cp_db_t *db)
{
    const cp_db_conf_t *conf = db->conf;

    if (db->mysql != NULL) {
        return CP_OK;
    }

    db->mysql = mysql_init(NULL);
    if (db->mysql == NULL) {
        return CP_E_NO_MEMORY;
    }
    set_options(db->mysql, conf);

    if (mysql_real_connect(db->mysql, conf->host, conf->user, conf->password, conf->database, conf->port,
                           conf->socket, 0) == NULL)
    {
        snprintf(db->message, sizeof(db->message), "%s", mysql_error(db->mysql));
        cp_log(CP_LOG_ERROR, "database unreachable: %u", mysql_errno(db->mysql));
        cp_db_drop(db);
        return CP_E_DATABASE;
    }

    return CP_OK;
}


cp_db_t *
cp_db_use(const cp_db_conf_t *conf, cp_arena_t *arena, cp_code_t *code)
{
    cp_db_t *db;

    pthread_once(&thread_once, thread_key_create);

    db = pthread_getspecific(thread_key);

    /* A reload gives the thread's work a new configuration; the connection to the old one is not kept. */
    if (db != NULL && db->conf != conf) {
        cp_db_drop(db);
    }

    if (db == NULL) {
        db = calloc(1, sizeof(cp_db_t));
        if (db == NULL || pthread_setspecific(thread_key, db) != 0) {
            free(db);
            *code = CP_E_NO_MEMORY;
            return NULL;
        }
        db->fail_after = -1;
        cp_thread_took();
    }

    db->conf = conf;
    db->arena = arena;
    if (db->mysql == NULL) {
        db->in_transaction = false;
    }

    *code = cp_db_connect(db);

    return *code == CP_OK ? db : NULL;
}


cp_arena_t *
cp_db_results_into(cp_db_t *db, cp_arena_t *arena)
{
    cp_arena_t *before = db->arena;

    db->arena = arena;

    return before;
}


void
cp_db_close_thread(void)
{
    cp_db_t *db;

    pthread_once(&thread_once, thread_key_create);

    db = pthread_getspecific(thread_key);
    if (db != NULL) {
        pthread_setspecific(thread_key, NULL);
        thread_end(db);
    }
}


static cp_code_t
simple(cp_db_t *db, const char *sql, size_t len)
{
    if (cp_db_fails_now(db)) {
        cp_db_drop(db);
        return CP_E_DATABASE;
    }

    if (db->mysql == NULL) {
        return CP_E_DATABASE;
    }

    if (mysql_real_query(db->mysql, sql, len) != 0) {
        return cp_db_failed(db, mysql_errno(db->mysql), mysql_error(db->mysql), sql);
    }

    return CP_OK;
}


cp_code_t
cp_db_begin(cp_db_t *db)
{
    static const char sql[] = "START TRANSACTION";

    cp_code_t code = CP_E_DATABASE;

    /* An idle connection may have been closed by the server: nothing is under way yet, so begin once more. */
    if (db->mysql != NULL) {
        code = simple(db, sql, sizeof(sql) - 1);
    }
    if (code == CP_E_DATABASE) {
        CP_TRY(cp_db_connect(db));
        code = simple(db, sql, sizeof(sql) - 1);
    }

    db->in_transaction = code == CP_OK;

    return code;
}


cp_code_t
cp_db_commit(cp_db_t *db)
{
    cp_code_t code;

    if (!db->in_transaction || db->mysql == NULL) {
        return CP_E_DATABASE;
    }

    code = simple(db, "COMMIT", 6);
    db->in_transaction = false;

    return code;
}


void
cp_db_rollback(cp_db_t *db)
{
    if (db->in_transaction && db->mysql != NULL && mysql_real_query(db->mysql, "ROLLBACK", 8) != 0) {
        cp_db_drop(db);
    }
    db->in_transaction = false;
}


bool
cp_db_in_transaction(const cp_db_t *db)
{
    return db->in_transaction;
}


cp_code_t
cp_db_script(cp_db_t *db, cp_str_t sql)
{
    MYSQL_RES *result;

    CP_TRY(simple(db, sql.data, sql.len));

    result = mysql_store_result(db->mysql);
    if (result != NULL) {
        mysql_free_result(result);
    }

    return CP_OK;
}


const char *
cp_db_message(const cp_db_t *db)
{
    return db->message;
}


void
cp_db_fail_after(cp_db_t *db, long n)
{
    db->fail_after = n;
}
