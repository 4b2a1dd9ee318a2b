/* Passwords: hashing, the bound on hashing at the same time, and what is guessed first. */
#include <pthread.h>
#include <string.h>

#include "account/password.h"
#include "seams.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))
#define THREADS      8


static void
hashing(void **state)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_str_t    hash, again;

    (void) state;

    assert_int_equal(cp_password_hash(arena, CP_STR("correct horse"), &hash), CP_OK);
    assert_true(cp_str_starts(hash, "$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_int_equal(cp_password_hash(arena, CP_STR("correct horse"), &again), CP_OK);
    assert_false(cp_str_eq(hash, again));

    assert_int_equal(cp_password_verify(arena, CP_STR("correct horse"), hash), CP_OK);
    assert_int_equal(cp_password_verify(arena, CP_STR("correct horsE"), hash), CP_E_BAD_CREDENTIALS);
    assert_int_equal(cp_password_verify(arena, CP_STR("correct horse "), hash), CP_E_BAD_CREDENTIALS);
    assert_int_equal(cp_password_verify(arena, CP_STR("correct horse"), CP_STR("rubbish")), CP_E_BAD_CREDENTIALS);
    assert_int_equal(cp_password_verify(arena, CP_STR("correct horse"), CP_STR_NULL), CP_E_BAD_CREDENTIALS);

    cp_arena_free(arena);
}


static pthread_barrier_t barrier;


static void *
verify_once(void *result)
{
    cp_arena_t *arena = cp_arena_new(0);

    pthread_barrier_wait(&barrier);
    *(cp_code_t *) result = cp_password_verify(arena, CP_STR("x"), CP_STR_NULL);
    cp_arena_free(arena);

    return NULL;
}


/* More at once than there are slots are refused, and afterwards every slot is free again. */
static void
slots(void **state)
{
    pthread_t  threads[THREADS];
    cp_code_t  results[THREADS];
    unsigned   done = 0, busy = 0, i;

    (void) state;

    pthread_barrier_init(&barrier, NULL, THREADS);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, verify_once, &results[i]), 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        done += results[i] == CP_E_BAD_CREDENTIALS;
        busy += results[i] == CP_E_BUSY;
    }
    pthread_barrier_destroy(&barrier);

    assert_int_equal(done + busy, THREADS);
    assert_true(done >= CP_PASSWORD_SLOTS && busy > 0);

    pthread_barrier_init(&barrier, NULL, 1);
    for (i = 0; i < CP_PASSWORD_SLOTS + 1; i++) {
        verify_once(&results[0]);
        assert_int_equal(results[0], CP_E_BAD_CREDENTIALS);
    }
    pthread_barrier_destroy(&barrier);
}


static void
common(void **state)
{
    static const struct { const char *text; cp_field_code_t expected; } rows[] = {
        { "password", CP_F_COMMON },   { "PassWord", CP_F_COMMON },   { "12345678", CP_F_COMMON },
        { "aaaaaaaa", CP_F_COMMON },   { "~~~~~~~~~~", CP_F_COMMON }, { "hgfedcba", CP_F_COMMON },
        { "23456789", CP_F_COMMON },   { "ca123456789", CP_F_COMMON }, { "1QAZ2wsx", CP_F_COMMON },
        { "woaini1314", CP_F_COMMON }, { "zxcvbnm123", CP_F_COMMON }, { "!@#$%^&*", CP_F_COMMON },
        { "password-of-mine", CP_F_END }, { "13579135", CP_F_END },   { "内蒙古内蒙古内蒙", CP_F_END },
        { "correct horse battery staple", CP_F_END },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_password_check(NULL, cp_str(rows[i].text)) != rows[i].expected) {
            fail_msg("%s", rows[i].text);
        }
    }
}


/* The list is searched by halves. */
static void
list_order(void **state)
{
    size_t i;

    (void) state;

    for (i = 0; i < cp_common_password_count; i++) {
        const char *text = cp_common_passwords[i];

        assert_true(strlen(text) >= CP_PASSWORD_MIN);
        assert_int_equal(strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), strlen(text));
        assert_true(i == 0 || strcmp(cp_common_passwords[i - 1], text) < 0);
        assert_int_equal(cp_password_check(NULL, cp_str(text)), CP_F_COMMON);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashing),
        cmocka_unit_test(slots),
        cmocka_unit_test(common),
        cmocka_unit_test(list_order),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
