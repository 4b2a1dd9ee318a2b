/*
 * The audit chain: what is authenticated, and that the verifier finds every mutation.
 *
 * The second half needs a database with the schema loaded, which it empties of audit rows: CAPORTAL_TEST_MYSQL_SOCKET and
 * CAPORTAL_TEST_MYSQL_DATABASE (user root without password) name it; it is skipped without them.
 */
#include "seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/audit_store.h"

#define ROWS      60
#define AT_ONCE   20
#define MUTANTS   100

static const cp_str_t key = { 32, (char[]) { "0123456789abcdef0123456789abcdef" } };

static const cp_audit_row_t sample = {
    .id = 7,
    .created_ms = 1767323045000,
    .actor_kind = { 5, (char[]) { "staff" } },
    .actor_id = 3,
    .address = { 9, (char[]) { "192.0.2.1" } },
    .request_id = { 2, (char[]) { "r1" } },
    .action = { 13, (char[]) { "order.approve" } },
    .object_kind = { 5, (char[]) { "order" } },
    .object_id = { 2, (char[]) { "no" } },
    .detail = { 2, (char[]) { "{}" } },
};


static void
hash_of(const cp_audit_row_t *row, unsigned char state[CP_SHA256_SIZE])
{
    cp_arena_t *arena = cp_arena_new(0);

    memset(state, 0, CP_SHA256_SIZE);
    assert_int_equal(cp_audit_chain_row(arena, key, state, row), CP_OK);

    cp_arena_free(arena);
}


static void
assert_differs(const cp_audit_row_t *row)
{
    unsigned char a[CP_SHA256_SIZE], b[CP_SHA256_SIZE];

    hash_of(&sample, a);
    hash_of(row, b);
    assert_memory_not_equal(a, b, sizeof(a));
}


static void
test_every_member_counts(void **unused)
{
    static const size_t texts[] = {
        offsetof(cp_audit_row_t, actor_kind),  offsetof(cp_audit_row_t, address),
        offsetof(cp_audit_row_t, request_id),  offsetof(cp_audit_row_t, action),
        offsetof(cp_audit_row_t, object_kind), offsetof(cp_audit_row_t, object_id),
        offsetof(cp_audit_row_t, detail),
    };

    cp_audit_row_t row;
    size_t         i;

    (void) unused;

    row = sample, row.id++, assert_differs(&row);
    row = sample, row.created_ms++, assert_differs(&row);
    row = sample, row.actor_id = 0, assert_differs(&row);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        row = sample;
        *(cp_str_t *) ((char *) &row + texts[i]) = CP_STR("other");
        assert_differs(&row);
    }
}


/* Texts cannot be shifted between members, and NULL is not the empty text. */
static void
test_no_two_rows_alike(void **unused)
{
    unsigned char  a[CP_SHA256_SIZE], b[CP_SHA256_SIZE];
    cp_audit_row_t one = sample, two = sample;

    (void) unused;

    one.action = CP_STR("ab"), one.object_kind = CP_STR("c");
    two.action = CP_STR("a"), two.object_kind = CP_STR("bc");
    hash_of(&one, a);
    hash_of(&two, b);
    assert_memory_not_equal(a, b, sizeof(a));

    one = two = sample;
    one.detail = CP_STR(""), two.detail = CP_STR_NULL;
    hash_of(&one, a);
    hash_of(&two, b);
    assert_memory_not_equal(a, b, sizeof(a));
}


static cp_db_conf_t conf = { .user = "root", .password = "", .connect_ms = 2000, .io_ms = 5000 };


static cp_db_t *
database(cp_arena_t *arena)
{
    cp_code_t code;
    cp_db_t  *db;

    conf.socket = getenv("CAPORTAL_TEST_MYSQL_SOCKET");
    conf.database = getenv("CAPORTAL_TEST_MYSQL_DATABASE");
    if (conf.socket == NULL || conf.database == NULL) {
        cp_arena_free(arena);
        skip();
    }

    db = cp_db_use(&conf, arena, &code);
    assert_non_null(db);

    return db;
}


static void
run(cp_db_t *db, const char *sql)
{
    if (cp_db_script(db, cp_str(sql)) != CP_OK) {
        fail_msg("%s: %s", sql, cp_db_message(db));
    }
}


/* A chain of three full seals, and three rows that are not sealed. */
static void
make_chain(cp_db_t *db, cp_arena_t *arena)
{
    cp_audit_row_t row = sample;
    int64_t        count;
    int            i;

    run(db, "DELETE FROM audit");
    run(db, "DELETE FROM audit_seal");

    for (i = 0; i < ROWS + 3; i++) {
        row.object_id = cp_str_printf(arena, "%d", i);
        row.detail = i % 3 == 0 ? CP_STR_NULL : CP_STR("{\"to\":\"paid\"}");
        assert_int_equal(cp_audit_insert(db, &row), CP_OK);
    }

    for (i = 0; i < ROWS / AT_ONCE; i++) {
        assert_int_equal(cp_audit_seal(db, arena, key, AT_ONCE, &count), CP_OK);
        assert_int_equal(count, AT_ONCE);
    }
}


static bool
is_whole(cp_db_t *db, cp_arena_t *arena, cp_str_t with)
{
    cp_audit_report_t report;

    assert_int_equal(cp_audit_verify(db, arena, with, &report), CP_OK);

    return report.where.data == NULL;
}


/* %ld stands for the id of a sealed row. */
static const char *const row_mutations[] = {
    "UPDATE audit SET created_at = created_at + 1 WHERE id = %ld",
    "UPDATE audit SET actor_kind = 'system' WHERE id = %ld",
    "UPDATE audit SET actor_id = 4 WHERE id = %ld",
    "UPDATE audit SET actor_id = NULL WHERE id = %ld",
    "UPDATE audit SET address = NULL WHERE id = %ld",
    "UPDATE audit SET request_id = '' WHERE id = %ld",
    "UPDATE audit SET action = 'order.reject' WHERE id = %ld",
    "UPDATE audit SET object_kind = 'orders' WHERE id = %ld",
    "UPDATE audit SET object_id = CONCAT(object_id, '0') WHERE id = %ld",
    "UPDATE audit SET detail = IF(detail IS NULL, '', NULL) WHERE id = %ld",
    "DELETE FROM audit WHERE id = %ld",
    "UPDATE audit SET seal_id = NULL WHERE id = %ld",
    "UPDATE audit SET seal_id = IF(seal_id = 1, 2, 1) WHERE id = %ld",
    "UPDATE audit SET seal_id = 9 WHERE id = %ld",
    "UPDATE audit SET id = id + 100000 WHERE id = %ld",
    "INSERT INTO audit SELECT id + 100000, created_at, actor_kind, actor_id, address, request_id, action, object_kind, "
    "object_id, detail, seal_id FROM audit WHERE id = %ld",
};

static const char *const seal_mutations[] = {
    "UPDATE audit_seal SET row_count = row_count + 1 WHERE id = 2",
    "UPDATE audit_seal SET last_row = last_row - 1 WHERE id = 2",
    "UPDATE audit_seal SET created_at = created_at + 1 WHERE id = 3",
    "UPDATE audit_seal SET hash = previous WHERE id = 1",
    "UPDATE audit_seal SET previous = hash WHERE id = 2",
    "DELETE FROM audit_seal WHERE id = 1",
    "DELETE FROM audit_seal WHERE id = 2",
    "DELETE FROM audit_seal WHERE id = 3",
    "UPDATE audit_seal SET id = 7 WHERE id = 3",
    "UPDATE audit_seal SET id = IF(id = 2, 30, 20) WHERE id IN (2, 3)",
    "DELETE FROM audit WHERE seal_id = 2",
    "UPDATE audit SET seal_id = 5 WHERE seal_id IS NULL",
};


/* Applies the mutation in a transaction that is rolled back; the verifier must find it. */
static void
assert_found(cp_db_t *db, cp_arena_t *arena, const char *sql)
{
    assert_int_equal(cp_db_begin(db), CP_OK);
    run(db, sql);
    if (is_whole(db, arena, key)) {
        fail_msg("not found: %s", sql);
    }
    cp_db_rollback(db);
}


static void
test_mutations_are_found(void **unused)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_db_t    *db = database(arena);
    int64_t     first;
    size_t      i;

    (void) unused;

    make_chain(db, arena);
    assert_true(is_whole(db, arena, key));
    assert_false(is_whole(db, arena, CP_STR("another key of the same length 32")));

    assert_int_equal(cp_db_row(db, "SELECT MIN(id) FROM audit", ">i", &first), CP_OK);

    for (i = 0; i < MUTANTS; i++) {
        size_t      n = sizeof(row_mutations) / sizeof(row_mutations[0]);
        char        sql[400];
        const char *format = row_mutations[i % n], *mark = strstr(format, "%ld");

        snprintf(sql, sizeof(sql), "%.*s%ld%s", (int) (mark - format), format, (long) first + (long) (i * 37 % ROWS),
                 mark + 3);
        assert_found(db, arena, sql);
    }

    for (i = 0; i < sizeof(seal_mutations) / sizeof(seal_mutations[0]); i++) {
        assert_found(db, arena, seal_mutations[i]);
    }

    assert_true(is_whole(db, arena, key));
    cp_db_close_thread();
    cp_arena_free(arena);
}


/* Rows that were committed late, with ids below those that are sealed, come under the next seal. */
static void
test_late_rows(void **unused)
{
    cp_arena_t       *arena = cp_arena_new(0);
    cp_db_t          *db = database(arena);
    cp_audit_report_t report;
    int64_t           count;

    (void) unused;

    make_chain(db, arena);
    run(db, "UPDATE audit SET id = 1 WHERE seal_id IS NULL ORDER BY id LIMIT 1");
    assert_int_equal(cp_audit_seal(db, arena, key, 100, &count), CP_OK);
    assert_int_equal(count, 3);
    assert_int_equal(cp_audit_seal(db, arena, key, 100, &count), CP_OK);
    assert_int_equal(count, 0);

    assert_int_equal(cp_audit_verify(db, arena, key, &report), CP_OK);
    assert_null(report.where.data);
    assert_int_equal(report.rows, ROWS + 3);
    assert_int_equal(report.seals, 4);
    assert_int_equal(report.unsealed, 0);

    cp_db_close_thread();
    cp_arena_free(arena);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_member_counts),
        cmocka_unit_test(test_no_two_rows_alike),
        cmocka_unit_test(test_mutations_are_found),
        cmocka_unit_test(test_late_rows),
    };

    if (cp_db_library_init() != CP_OK) {
        return 1;
    }

    return cmocka_run_group_tests(tests, NULL, NULL);
}
