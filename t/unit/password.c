/* Passwords: hashing, the bound on hashing at the same time, and how hard they are to guess. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "account/password.h"
#include "account/password_strength.h"
#include "common_passwords.h"
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


static cp_password_verdict_t
judge(const char *text)
{
    static const cp_str_t context[] = {
        { 11, (char *) (uintptr_t) "13947100208" }, { 0, NULL },
        { 24, (char *) (uintptr_t) "Wang.Jianguo@example.com" },
        { 12, (char *) (uintptr_t) "wang.jianguo" }, { 18, (char *) (uintptr_t) "青城建筑工程" },
    };

    cp_arena_t           *arena = cp_arena_new(0);
    cp_password_verdict_t verdict;

    assert_int_equal(cp_password_strength(arena, cp_str(text), context, COUNT(context), &verdict), CP_OK);
    cp_arena_free(arena);

    return verdict;
}


static void
strength(void **state)
{
    static const struct { const char *text; cp_strength_t strength; bool common; } rows[] = {
        { "password", CP_STRENGTH_WEAK, true },            { "PassWord", CP_STRENGTH_WEAK, true },
        { "12345678", CP_STRENGTH_WEAK, true },            { "aaaaaaaa", CP_STRENGTH_WEAK, true },
        { "~~~~~~~~~~", CP_STRENGTH_WEAK, true },          { "hgfedcba", CP_STRENGTH_WEAK, true },
        { "P@ssw0rd", CP_STRENGTH_WEAK, true },            { "qwertyuiop", CP_STRENGTH_WEAK, true },
        { "１２３４５６７８", CP_STRENGTH_WEAK, true },    { "13947100208", CP_STRENGTH_WEAK, true },
        { "wang.jianguo", CP_STRENGTH_WEAK, true },        { "WangJianguo@1", CP_STRENGTH_WEAK, false },
        { "wang.jianguo@example.com", CP_STRENGTH_WEAK, true }, { "青城建筑工程1", CP_STRENGTH_WEAK, true },
        { "caportal", CP_STRENGTH_WEAK, true },            { "Caportal2024", CP_STRENGTH_WEAK, true },
        { "数字证书数字证书", CP_STRENGTH_WEAK, true },    { "内蒙古内蒙古内蒙", CP_STRENGTH_WEAK, false },
        { "5201314520", CP_STRENGTH_WEAK, false },         { "19900101", CP_STRENGTH_WEAK, true },
        { "another one", CP_STRENGTH_WEAK, false },        { "woaini5201314", CP_STRENGTH_WEAK, true },
        { "i!eqh524", CP_STRENGTH_FAIR, false },           { "Qd7-ziyu-88", CP_STRENGTH_STRONG, false },
        { "correct horse battery staple", CP_STRENGTH_STRONG, false },
        { "敕勒川阴山下天似穹庐", CP_STRENGTH_STRONG, false },
        { "Tie-mu-zhen 1206", CP_STRENGTH_STRONG, false },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_password_verdict_t verdict = judge(rows[i].text);

        if (verdict.strength != rows[i].strength || verdict.common != rows[i].common) {
            fail_msg("%s: %s%s", rows[i].text, cp_strength_word(verdict.strength), verdict.common ? ", common" : "");
        }
    }
}


static void
is_refused(const char *text)
{
    if (judge(text).strength != CP_STRENGTH_WEAK) {
        fail_msg("%s is let through", text);
    }
}


static void
common(void **state)
{
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(common_passwords); i++) {
        is_refused(common_passwords[i]);
    }
}


/* The 3,546 of the list of a well-known cracker, those that are long enough to be passwords here. */
static void
top_3000(void **state)
{
    char   line[128];
    FILE  *file = fopen("/usr/share/john/password.lst", "r");
    size_t lines = 0, refused = 0;

    (void) state;

    if (file == NULL) {
        skip();
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, "#!comment", 9) == 0) {
            continue;
        }
        lines++;
        if (strlen(line) >= CP_PASSWORD_MIN) {
            is_refused(line);
            refused++;
        }
    }
    fclose(file);

    assert_true(lines > 3000 && refused > 600);
}


/* Whatever is sent, judging costs less than hashing. */
static void
bounded(void **state)
{
    static const char *const parts[] = {
        "a", "ab", "p4ssw0rd", "1122", "!il1", "@4a", "o0iI1l!$5s3e4a@", "love", "19901990", "qaz", "我", "我i", "１",
        "0okm9ijn", "zaq1", "1!2@3#4$", "4$5%", "abcdefgh", "3e3E", "woaini", "5$s",
    };

    struct timespec from, to;
    char            text[512 + 1];
    size_t          i, n;

    (void) state;

    for (i = 0; i < COUNT(parts); i++) {
        size_t length = strlen(parts[i]);

        for (n = 0; n + length <= 512; n += length) {
            memcpy(text + n, parts[i], length);
        }
        text[n] = '\0';

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        judge(text);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        if ((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 > 50) {
            fail_msg("%s… takes too long", parts[i]);
        }
    }
}


static void
what_is_looked_at(void **state)
{
    char text[129];

    (void) state;

    memset(text, 'a', 128);
    text[128] = '\0';
    assert_int_equal(judge(text).strength, CP_STRENGTH_WEAK);
    memcpy(text + 40, "k7#Qx!m2Wz9p", 12);
    assert_int_equal(judge(text).strength, CP_STRENGTH_STRONG);
}


static void
without_memory(void **state)
{
    cp_password_verdict_t verdict;
    cp_arena_t           *arena;
    cp_code_t             code = CP_E_NO_MEMORY;
    cp_str_t              context = CP_STR("13947100208");
    long                  n;

    (void) state;

    for (n = 0; n < 10 && code != CP_OK; n++) {
        arena = cp_arena_new(0);
        cp_arena_fail_after(arena, n);
        code = cp_password_strength(arena, CP_STR("i!eqh524"), &context, 1, &verdict);
        assert_true(code == CP_OK || code == CP_E_NO_MEMORY);
        cp_arena_free(arena);
    }
    assert_int_equal(n, 5);
}


static void *
judge_many(void *result)
{
    size_t i;

    pthread_barrier_wait(&barrier);
    for (i = 0; i < 200; i++) {
        *(unsigned *) result += judge(i % 2 == 0 ? "woaini5201314" : "Qd7-ziyu-88").strength == CP_STRENGTH_STRONG;
    }

    return NULL;
}


static void
on_threads(void **state)
{
    pthread_t threads[4];
    unsigned  strong[4] = { 0 };
    size_t    i;

    (void) state;

    pthread_barrier_init(&barrier, NULL, 4);
    for (i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, judge_many, &strong[i]), 0);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(strong[i], 100);
    }
    pthread_barrier_destroy(&barrier);
}


static void *
hash_twice(void *data)
{
    cp_arena_t *arena = cp_arena_new(0);
    int        *priorities = data;
    cp_str_t    hash;

    priorities[0] = getpriority(PRIO_PROCESS, 0);
    assert_int_equal(cp_password_hash(arena, CP_STR("correct horse"), &hash), CP_OK);
    priorities[1] = getpriority(PRIO_PROCESS, 0);
    assert_int_equal(cp_password_verify(arena, CP_STR("correct horse"), hash), CP_OK);
    priorities[2] = getpriority(PRIO_PROCESS, 0);
    cp_arena_free(arena);

    return NULL;
}


/* A thread that hashes goes behind, once; the others of the process stay where they are. */
static void
priority(void **state)
{
    pthread_t thread;
    int       before = getpriority(PRIO_PROCESS, 0), priorities[3];

    (void) state;

    assert_int_equal(pthread_create(&thread, NULL, hash_twice, priorities), 0);
    pthread_join(thread, NULL);

    assert_true(priorities[1] > priorities[0] || priorities[1] == 19);
    assert_int_equal(priorities[2], priorities[1]);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priority),
        cmocka_unit_test(hashing),
        cmocka_unit_test(slots),
        cmocka_unit_test(strength),
        cmocka_unit_test(common),
        cmocka_unit_test(top_3000),
        cmocka_unit_test(bounded),
        cmocka_unit_test(what_is_looked_at),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(on_threads),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
