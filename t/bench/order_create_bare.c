/*
 * order_create_bare SOCKET DATABASE THREADS SECONDS
 *
 * The statements of POST /api/orders in a bare loop, one connection a thread. The values are those of the newest order
 * that was created over HTTP; key, number and times are new ones. Prints "ORDERS SECONDS CPU-SECONDS".
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <mysql.h>

#define THREADS_MAX  64
#define VALUES_MAX   18

enum { CLAIM, PERSON, UNIT, HOLD, ORDER, EVENT, AUDIT, MATERIALS, STORE, STATEMENTS };

static const char *const sql[STATEMENTS] = {
    [CLAIM] = "INSERT INTO idempotency (scope, idem_key, operation, request_sha256, status, answer, created_at) "
              "VALUES (?, ?, ?, ?, 0, NULL, ?)",
    [PERSON] = "SELECT p.id, p.name_sealed, p.id_number_sealed, p.id_number_index FROM account a "
               "JOIN person p ON p.id = a.person_id WHERE a.id = ?",
    [UNIT] = "SELECT u.id, u.public_id, u.kind, u.name, u.uscc, u.legal_name_sealed, u.legal_id_sealed, u.verified "
             "FROM unit u JOIN unit_member m ON m.unit_id = u.id WHERE u.public_id = ? AND m.account_id = ?",
    [HOLD] = "SELECT id FROM certificate_order WHERE hold_key = ?",
    [ORDER] = "INSERT INTO certificate_order (no, hall, project, product, service, account_id, unit_id, person_id, "
              "agent_index, state, version, flow, amount_fen, profile, years, sale, created_at, updated_at) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [EVENT] = "INSERT INTO order_event (order_id, event, from_state, to_state, actor_kind, actor_id, public_reason, "
              "created_at) VALUES (?, ?, ?, ?, ?, NULLIF(?, 0), ?, ?)",
    [AUDIT] = "INSERT INTO audit (created_at, actor_kind, actor_id, address, request_id, action, object_kind, "
              "object_id, detail) VALUES (?, ?, NULLIF(?, 0), ?, ?, ?, ?, ?, ?)",
    [MATERIALS] = "SELECT id, kind, state, type, size, sha256, file, wrapped_key, created_at FROM material "
                  "WHERE order_id = ? AND is_current = 1 ORDER BY id",
    [STORE] = "UPDATE idempotency SET status = ?, answer = ? WHERE scope = ? AND idem_key = ?",
};

/* The columns of ORDER but its number and times, what the others take, and an answer's text. */
static const char template_sql[] =
    "SELECT o.hall, o.project, o.product, o.service, o.account_id, o.unit_id, o.person_id, o.agent_index, o.flow, "
    "o.amount_fen, o.profile, o.years, o.sale, u.public_id, CONCAT(o.hall, '/', o.project, '/', u.uscc), "
    "i.scope, i.operation, i.request_sha256, i.answer "
    "FROM (SELECT * FROM certificate_order ORDER BY id DESC LIMIT 1) o JOIN unit u ON u.id = o.unit_id "
    "JOIN (SELECT * FROM idempotency WHERE operation = 'createOrder' LIMIT 1) i";

enum {
    HALL, PROJECT, PRODUCT, SERVICE, ACCOUNT, UNIT_ID, PERSON_ID, AGENT_INDEX, FLOW, AMOUNT, PROFILE, YEARS, SALE,
    PUBLIC_ID, HOLD_KEY, SCOPE, OPERATION, REQUEST_SHA256, ANSWER, TEMPLATE_COLUMNS
};

typedef struct {
    const char     *text;     /* NULL: SQL NULL, or a number */
    unsigned long   len;
    long long       number;
    bool            is_number;
} value_t;

typedef struct {
    MYSQL          *mysql;
    MYSQL_STMT     *statements[STATEMENTS];
    pthread_t       thread;
    unsigned        index;
    unsigned        count;
} worker_t;

static const char  *socket_path, *database;
static value_t      template[TEMPLATE_COLUMNS];
static atomic_bool  stopping;
static long long    first_number;


static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "order_create_bare: %s: %s\n", what, why);
    exit(1);
}


static value_t
text(const char *s)
{
    return (value_t) { s, s == NULL ? 0 : strlen(s), 0, false };
}


static value_t
number(long long n)
{
    return (value_t) { NULL, 0, n, true };
}


static long long
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (long long) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static MYSQL *
open_connection(void)
{
    MYSQL *mysql = mysql_init(NULL);

    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(mysql, MYSQL_INIT_COMMAND, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    if (mysql_real_connect(mysql, NULL, "root", NULL, database, 0, socket_path, 0) == NULL) {
        fail(socket_path, mysql_error(mysql));
    }

    return mysql;
}


/* Numbers come as text and are converted by the server, as little as that costs. */
static void
read_template(void)
{
    MYSQL         *mysql = open_connection();
    MYSQL_RES     *result;
    MYSQL_ROW      row;
    unsigned long *lengths;
    int            i;

    if (mysql_query(mysql, template_sql) != 0) {
        fail("template", mysql_error(mysql));
    }
    result = mysql_store_result(mysql);
    row = result == NULL ? NULL : mysql_fetch_row(result);
    if (row == NULL) {
        fail("template", "no order was created yet");
    }

    lengths = mysql_fetch_lengths(result);
    for (i = 0; i < TEMPLATE_COLUMNS; i++) {
        bool is_number = i == ACCOUNT || i == UNIT_ID || i == PERSON_ID || i == AMOUNT || i == YEARS;
        char *copy = malloc(lengths[i] + 1);

        if (copy == NULL) {
            fail("template", "no memory");
        }
        memcpy(copy, row[i], lengths[i]);
        copy[lengths[i]] = '\0';
        template[i] = is_number ? number(strtoll(copy, NULL, 10)) : (value_t) { copy, lengths[i], 0, false };
    }

    mysql_free_result(result);
    mysql_close(mysql);
}


static void
query(worker_t *worker, const char *words)
{
    if (mysql_query(worker->mysql, words) != 0) {
        fail(words, mysql_error(worker->mysql));
    }
}


static void
execute(worker_t *worker, int which, value_t *values, size_t count)
{
    MYSQL_BIND  bind[VALUES_MAX];
    MYSQL_STMT *statement = worker->statements[which];
    size_t      i;

    memset(bind, 0, sizeof(bind));
    for (i = 0; i < count; i++) {
        value_t *v = &values[i];

        bind[i].buffer_type = v->is_number        ? MYSQL_TYPE_LONGLONG
                              : v->text != NULL ? MYSQL_TYPE_STRING
                                                : MYSQL_TYPE_NULL;
        bind[i].buffer = v->is_number ? (void *) &v->number : (void *) (uintptr_t) v->text;
        bind[i].buffer_length = v->len;
        bind[i].length = &v->len;
    }

    if (mysql_stmt_bind_param(statement, bind) != 0 || mysql_stmt_execute(statement) != 0
        || (mysql_stmt_field_count(statement) != 0 && mysql_stmt_store_result(statement) != 0))
    {
        fail(sql[which], mysql_stmt_error(statement));
    }
    mysql_stmt_free_result(statement);
}

#define EXECUTE(worker, which, ...)                                                                                    \
    execute(worker, which, (value_t[]) { __VA_ARGS__ }, sizeof((value_t[]) { __VA_ARGS__ }) / sizeof(value_t))


static void
create(worker_t *worker)
{
    char      key[33], no[24];
    value_t   now = number(now_ms()), order;
    long long unique = first_number + worker->count;

    snprintf(key, sizeof(key), "%016llx%08x%08x", (unsigned long long) first_number, worker->index, worker->count);
    snprintf(no, sizeof(no), "9%013lld%04u%04u", unique % 10000000000000LL, worker->index, worker->count % 10000);

    query(worker, "START TRANSACTION");
    EXECUTE(worker, CLAIM, template[SCOPE], text(key), template[OPERATION], template[REQUEST_SHA256], now);
    EXECUTE(worker, PERSON, template[ACCOUNT]);
    EXECUTE(worker, UNIT, template[PUBLIC_ID], template[ACCOUNT]);
    EXECUTE(worker, HOLD, template[HOLD_KEY]);
    EXECUTE(worker, ORDER, text(no), template[HALL], template[PROJECT], template[PRODUCT], template[SERVICE],
            template[ACCOUNT], template[UNIT_ID], template[PERSON_ID], template[AGENT_INDEX], text("draft"), number(1),
            template[FLOW], template[AMOUNT], template[PROFILE], template[YEARS], template[SALE], now, now);
    order = number((long long) mysql_stmt_insert_id(worker->statements[ORDER]));
    EXECUTE(worker, EVENT, order, text("create"), text(NULL), text("draft"), text("applicant"), template[ACCOUNT],
            text(NULL), now);
    EXECUTE(worker, AUDIT, now, text("applicant"), template[ACCOUNT], text("127.0.0.1"), text(key),
            text("order.create"), text("order"), text(no), text("{\"from\":null,\"to\":\"draft\",\"version\":1}"));
    EXECUTE(worker, MATERIALS, order);
    EXECUTE(worker, STORE, number(201), template[ANSWER], template[SCOPE], text(key));
    query(worker, "COMMIT");
}


static void *
work(void *data)
{
    worker_t *worker = data;

    for (worker->count = 0; !atomic_load(&stopping); worker->count++) {
        create(worker);
    }
    mysql_thread_end();

    return NULL;
}


static void
prepare(worker_t *worker, unsigned index)
{
    int i;

    worker->index = index;
    worker->mysql = open_connection();
    for (i = 0; i < STATEMENTS; i++) {
        worker->statements[i] = mysql_stmt_init(worker->mysql);
        if (mysql_stmt_prepare(worker->statements[i], sql[i], strlen(sql[i])) != 0) {
            fail(sql[i], mysql_stmt_error(worker->statements[i]));
        }
    }
}


static double
cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);

    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}


int
main(int argc, char **argv)
{
    static worker_t workers[THREADS_MAX];

    unsigned  threads = argc == 5 ? (unsigned) strtol(argv[3], NULL, 10) : 0, i, count = 0;
    long long begin;

    if (threads == 0 || threads > THREADS_MAX) {
        fprintf(stderr, "Usage: order_create_bare SOCKET DATABASE THREADS SECONDS\n");
        return 2;
    }
    socket_path = argv[1];
    database = argv[2];
    mysql_library_init(0, NULL, NULL);

    read_template();
    for (i = 0; i < threads; i++) {
        prepare(&workers[i], i);
    }

    begin = first_number = now_ms();
    for (i = 0; i < threads; i++) {
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            fail("thread", "cannot be started");
        }
    }
    sleep((unsigned) strtol(argv[4], NULL, 10));
    atomic_store(&stopping, true);
    for (i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        count += workers[i].count;
    }

    printf("%u %.3f %.6f\n", count, (double) (now_ms() - begin) / 1000, cpu_seconds());
    return 0;
}
