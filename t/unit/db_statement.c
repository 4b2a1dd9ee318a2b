/* Statements against a real server: what is bound arrives, what is taken is whole, what fails says why. */
#include "seams.h"

#include <pthread.h>

#include "database.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define TEXT(literal)  { sizeof(literal) - 1, (char *) (uintptr_t) (literal) }

static cp_arena_t *arena;
static cp_db_t    *db;

static const char sql_clear[] = "DELETE FROM t";
static const char sql_insert[] = "INSERT INTO t (id, number, name, bytes) VALUES (?, ?, ?, ?)";
static const char sql_find[] = "SELECT number, name, bytes FROM t WHERE id = ?";
static const char sql_count[] = "SELECT COUNT(*) FROM t";
static const char sql_all[] = "SELECT id, name FROM t ORDER BY id";


static int
start(void **state)
{
    cp_code_t code;

    (void) state;

    if (database_start(false) != 0) {
        return -1;
    }

    arena = cp_arena_new(0);
    db = cp_db_use(&database, arena, &code);

    return db != NULL
           && cp_db_script(db, CP_STR("CREATE TABLE t (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, number BIGINT "
                                      "NULL, name VARCHAR(20) NULL, bytes MEDIUMBLOB NULL, UNIQUE KEY t_name "
                                      "(name)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin")) == CP_OK
           ? 0 : -1;
}


static int
stop(void **state)
{
    (void) state;
    cp_arena_free(arena);

    return database_stop();
}


static int
open_case(void **state)
{
    cp_code_t code;

    (void) state;

    cp_arena_free(arena);
    arena = cp_arena_new(0);
    db = cp_db_use(&database, arena, &code);

    return db != NULL && cp_db_exec(db, sql_clear, "") == CP_OK ? 0 : -1;
}


static int64_t
count(void)
{
    int64_t n = -1;

    assert_int_equal(cp_db_row(db, sql_count, ">i", &n), CP_OK);

    return n;
}


static void
values(void **state)
{
    static char large[65537];

    static const struct { int64_t number; cp_str_t name, bytes; } rows[] = {
        { 0, TEXT(""), TEXT("") },
        { -1, TEXT("name"), TEXT("\0\1\2") },
        { INT64_MAX, TEXT("内蒙古"), TEXT("\xff\xfe\x80 no text") },
        { INT64_MIN, TEXT("\xf0\xa0\x80\x80"), TEXT("\0") },
        { 1, TEXT("x' OR '1'='1"), TEXT("'; DROP TABLE t; --") },
        { 2, TEXT("\\'\"%_?"), { sizeof(large), large } },
        { 3, { 0, NULL }, { 0, NULL } },
    };
    cp_str_t name, bytes;
    int64_t  number;
    size_t   i;

    (void) state;

    for (i = 0; i < sizeof(large); i++) {
        large[i] = (char) (i * 7);
    }

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) i + 1, rows[i].number, rows[i].name,
                                    rows[i].bytes), CP_OK);
        assert_int_equal(cp_db_affected(db), 1);

        assert_int_equal(cp_db_row(db, sql_find, "i>iss", (int64_t) i + 1, &number, &name, &bytes), CP_OK);
        assert_int_equal(number, rows[i].number);
        assert_true(cp_str_eq(name, rows[i].name));
        assert_true(cp_str_eq(bytes, rows[i].bytes));
        assert_int_equal(name.data == NULL, rows[i].name.data == NULL);
        assert_int_equal(bytes.data == NULL, rows[i].bytes.data == NULL);
        if (bytes.data != NULL) {
            assert_int_equal(bytes.data[bytes.len], '\0');
        }
    }

    assert_int_equal(count(), COUNT(rows));
}


/* SQL NULL reads as 0 and as an absent string; without a row nothing is touched. */
static void
nothing(void **state)
{
    cp_str_t name = CP_STR("before"), bytes = CP_STR("before");
    int64_t  number = 7;

    (void) state;

    assert_int_equal(cp_db_row(db, sql_find, "i>iss", (int64_t) 99, &number, &name, &bytes), CP_E_NOT_FOUND);
    assert_int_equal(number, 7);
    assert_true(cp_str_is(name, "before"));

    assert_int_equal(cp_db_exec(db, "INSERT INTO t (id) VALUES (1)", ""), CP_OK);
    assert_int_equal(cp_db_row(db, sql_find, "i>iss", (int64_t) 1, &number, &name, &bytes), CP_OK);
    assert_int_equal(number, 0);
    assert_null(name.data);
    assert_null(bytes.data);
}


static void
rows_and_ids(void **state)
{
    static const char sql[] = "INSERT INTO t (name) VALUES (?)";
    static const char update[] = "UPDATE t SET number = ? WHERE id >= ?";

    cp_rows_t *rows;
    cp_str_t   name;
    int64_t    id, first, inner;
    int        n = 0;

    (void) state;

    assert_int_equal(cp_db_exec(db, sql, "s", CP_STR("a")), CP_OK);
    first = cp_db_insert_id(db);
    assert_int_equal(cp_db_exec(db, sql, "s", CP_STR("b")), CP_OK);
    assert_int_equal(cp_db_exec(db, sql, "s", CP_STR("c")), CP_OK);
    assert_int_equal(cp_db_insert_id(db), first + 2);

    assert_int_equal(cp_db_exec(db, update, "ii", (int64_t) 5, first + 1), CP_OK);
    assert_int_equal(cp_db_affected(db), 2);
    assert_int_equal(cp_db_exec(db, update, "ii", (int64_t) 5, first), CP_OK);
    assert_int_equal(cp_db_affected(db), 1);

    /* another statement, and the same again, while the rows are taken */
    assert_int_equal(cp_db_query(db, &rows, sql_all, ">is"), CP_OK);
    while (cp_db_next(rows, &id, &name) == CP_OK) {
        assert_int_equal(id, first + n);
        assert_int_equal(name.data[0], 'a' + n);
        assert_int_equal(count(), 3);
        assert_int_equal(cp_db_row(db, sql_all, ">is", &inner, &name), CP_OK);
        assert_int_equal(inner, first);
        n++;
    }
    assert_int_equal(n, 3);
    assert_int_equal(cp_db_next(rows, &id, &name), CP_E_NOT_FOUND);
}


static void
refused(void **state)
{
    static const char twenty_one[] = "123456789012345678901";

    int64_t number;

    (void) state;

    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 1, CP_STR("n"), CP_STR_NULL), CP_OK);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 1, CP_STR("m"), CP_STR_NULL),
                     CP_E_DUPLICATE);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 2, (int64_t) 1, CP_STR("n"), CP_STR_NULL),
                     CP_E_DUPLICATE);

    /* a value that does not fit is refused, never cut */
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 3, (int64_t) 1, cp_str(twenty_one), CP_STR_NULL),
                     CP_E_INTERNAL);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 3, (int64_t) 1, CP_STR("\xff"), CP_STR_NULL),
                     CP_E_INTERNAL);

    /* our own mistakes */
    assert_int_equal(cp_db_exec(db, "NOT SQL", ""), CP_E_INTERNAL);
    assert_int_equal(cp_db_exec(db, sql_find, ""), CP_E_INTERNAL);
    assert_int_equal(cp_db_exec(db, sql_clear, "i", (int64_t) 1), CP_E_INTERNAL);
    assert_int_equal(cp_db_row(db, sql_find, "i>i", (int64_t) 1, &number), CP_E_INTERNAL);
    assert_int_equal(cp_db_exec(db, "SELECT nothing FROM t", ""), CP_E_INTERNAL);

    assert_int_equal(count(), 1);
}


static void
transactions(void **state)
{
    (void) state;

    assert_false(cp_db_in_transaction(db));
    assert_int_equal(cp_db_begin(db), CP_OK);
    assert_true(cp_db_in_transaction(db));
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 1, CP_STR("a"), CP_STR_NULL), CP_OK);
    cp_db_rollback(db);
    assert_false(cp_db_in_transaction(db));
    assert_int_equal(count(), 0);

    assert_int_equal(cp_db_begin(db), CP_OK);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 1, CP_STR("a"), CP_STR_NULL), CP_OK);
    assert_int_equal(cp_db_commit(db), CP_OK);
    cp_db_rollback(db);
    assert_int_equal(count(), 1);
    assert_int_equal(cp_db_commit(db), CP_E_DATABASE);
}


/* A statement that a test lets fail ends the transaction; the next use finds a working connection. */
static void
failing(void **state)
{
    cp_code_t code;

    (void) state;

    assert_int_equal(cp_db_begin(db), CP_OK);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 1, CP_STR("a"), CP_STR_NULL), CP_OK);
    cp_db_fail_after(db, 0);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 2, (int64_t) 1, CP_STR("b"), CP_STR_NULL),
                     CP_E_DATABASE);
    assert_int_equal(cp_db_commit(db), CP_E_DATABASE);
    cp_db_rollback(db);

    db = cp_db_use(&database, arena, &code);
    assert_non_null(db);
    assert_int_equal(count(), 0);

    cp_db_fail_after(db, 1);
    assert_int_equal(count(), 0);
    assert_int_equal(cp_db_exec(db, sql_clear, ""), CP_E_DATABASE);
    assert_int_equal(cp_db_exec(db, sql_clear, ""), CP_OK);
}


static int64_t
connection_id(void)
{
    int64_t id = 0;

    assert_int_equal(cp_db_row(db, "SELECT CONNECTION_ID()", ">i", &id), CP_OK);

    return id;
}


static void *
kill_connection(void *id)
{
    cp_arena_t *own = cp_arena_new(0);
    cp_code_t   code;
    cp_db_t    *other = cp_db_use(&database, own, &code);
    char        sql[40];

    snprintf(sql, sizeof(sql), "KILL %lld", (long long) *(int64_t *) id);
    if (other != NULL) {
        cp_db_script(other, cp_str(sql));
    }
    cp_arena_free(own);

    return NULL;
}


static void
lose_connection(void)
{
    int64_t   id = connection_id();
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, kill_connection, &id), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}


/* The server drops idle connections: a read and a new transaction go on, a transaction under way does not. */
static void
lost_connection(void **state)
{
    int64_t before = connection_id();

    (void) state;

    lose_connection();
    assert_int_equal(count(), 0);
    assert_int_not_equal(connection_id(), before);

    lose_connection();
    assert_int_equal(cp_db_begin(db), CP_OK);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 1, CP_STR("a"), CP_STR_NULL), CP_OK);

    lose_connection();
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 2, (int64_t) 1, CP_STR("b"), CP_STR_NULL),
                     CP_E_DATABASE);

    /* what follows in the same operation must not go on alone on a new connection */
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 3, (int64_t) 1, CP_STR("c"), CP_STR_NULL),
                     CP_E_DATABASE);
    assert_int_not_equal(cp_db_commit(db), CP_OK);
    cp_db_rollback(db);
    assert_int_equal(count(), 0);
}


typedef struct {
    pthread_barrier_t barrier;
    cp_code_t         codes[2];
} contest_t;

static const char sql_touch[] = "UPDATE t SET number = number + 1 WHERE id = ?";


/* Takes row 2, then row 1, while the other takes them the other way round. */
static void *
contend(void *data)
{
    contest_t  *contest = data;
    cp_arena_t *own = cp_arena_new(0);
    cp_code_t   code;
    cp_db_t    *other = cp_db_use(&database, own, &code);

    code = other == NULL ? CP_E_DATABASE : cp_db_begin(other);
    code = code == CP_OK ? cp_db_exec(other, sql_touch, "i", (int64_t) 2) : code;
    pthread_barrier_wait(&contest->barrier);

    contest->codes[1] = code == CP_OK ? cp_db_exec(other, sql_touch, "i", (int64_t) 1) : code;
    if (contest->codes[1] == CP_OK) {
        contest->codes[1] = cp_db_commit(other);
    }
    cp_db_rollback(other);
    cp_arena_free(own);

    return NULL;
}


static void
deadlock(void **state)
{
    contest_t contest;
    pthread_t thread;

    (void) state;

    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 0, CP_STR("a"), CP_STR_NULL), CP_OK);
    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 2, (int64_t) 0, CP_STR("b"), CP_STR_NULL), CP_OK);

    assert_int_equal(pthread_barrier_init(&contest.barrier, NULL, 2), 0);
    assert_int_equal(cp_db_begin(db), CP_OK);
    assert_int_equal(cp_db_exec(db, sql_touch, "i", (int64_t) 1), CP_OK);
    assert_int_equal(pthread_create(&thread, NULL, contend, &contest), 0);
    pthread_barrier_wait(&contest.barrier);

    contest.codes[0] = cp_db_exec(db, sql_touch, "i", (int64_t) 2);
    if (contest.codes[0] == CP_OK) {
        contest.codes[0] = cp_db_commit(db);
    }
    cp_db_rollback(db);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&contest.barrier);

    /* one of them has to begin anew, the other is done */
    assert_true((contest.codes[0] == CP_OK && contest.codes[1] == CP_E_RETRY)
                || (contest.codes[0] == CP_E_RETRY && contest.codes[1] == CP_OK));
}


/* Memory that is out in the middle of a row leaves a connection that can go on. */
static void
out_of_memory(void **state)
{
    cp_str_t  name;
    int64_t   id;
    cp_code_t code = CP_E_NO_MEMORY;
    long      n;

    (void) state;

    assert_int_equal(cp_db_exec(db, sql_insert, "iiss", (int64_t) 1, (int64_t) 0, CP_STR("a"), CP_STR_NULL), CP_OK);
    for (n = 0; n < 20 && code != CP_OK; n++) {
        cp_arena_fail_after(arena, n);
        code = cp_db_row(db, sql_all, ">is", &id, &name);
        cp_arena_fail_after(arena, -1);
        assert_true(code == CP_OK || code == CP_E_NO_MEMORY);
        assert_int_equal(count(), 1);
    }
    assert_in_range(n, 3, 19);
    assert_true(cp_str_is(name, "a"));
}


static void
no_server(void **state)
{
    static const cp_db_conf_t nowhere = { .socket = "/nonexistent/socket", .user = "root", .connect_ms = 1000 };

    cp_code_t code;

    (void) state;

    assert_null(cp_db_use(&nowhere, arena, &code));
    assert_int_equal(code, CP_E_DATABASE);

    db = cp_db_use(&database, arena, &code);
    assert_non_null(db);
    assert_int_equal(count(), 0);
}


#define CASE(test)  cmocka_unit_test_setup(test, open_case)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(values),       CASE(nothing), CASE(rows_and_ids),    CASE(refused),  CASE(transactions),
        CASE(failing),      CASE(lost_connection),                CASE(deadlock), CASE(out_of_memory),
        CASE(no_server),
    };

    return database_is_there() ? cmocka_run_group_tests(tests, start, stop) : 0;
}
