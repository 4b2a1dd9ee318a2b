/* The addresses of sentinels, as configurations write them. */
#include "seams.h"

#include <stdio.h>
#include <string.h>

#include "redis/sentinel.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))


static void
good_ones(void **state)
{
    static const struct {
        const char         *text;
        const char         *master;
        size_t              count;
        cp_redis_address_t  expected[3];
    } rows[] = {
        { "caportal@10.0.0.6", "caportal", 1, { { "10.0.0.6", 26379 } } },
        { "a-b_c.9@redis.internal:1", "a-b_c.9", 1, { { "redis.internal", 1 } } },
        { "m@a:65535,b,c:26380", "m", 3, { { "a", 65535 }, { "b", 26379 }, { "c", 26380 } } },
        { "m@[::1]:26380,[fe80::1]", "m", 2, { { "::1", 26380 }, { "fe80::1", 26379 } } },
        { "m@a:1,a:2", "m", 2, { { "a", 1 }, { "a", 2 } } },
    };

    cp_arena_t *arena = cp_arena_new(0);
    size_t      i, j;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_redis_conf_t conf = { 0 };
        const char     *why;

        assert_true(cp_sentinels_read(arena, cp_str(rows[i].text), &conf, &why));
        assert_string_equal(conf.sentinel_master, rows[i].master);
        assert_int_equal(conf.sentinel_count, rows[i].count);
        for (j = 0; j < rows[i].count; j++) {
            assert_string_equal(conf.sentinels[j].host, rows[i].expected[j].host);
            assert_int_equal(conf.sentinels[j].port, rows[i].expected[j].port);
        }
    }

    cp_arena_free(arena);
}


static void
bad_ones(void **state)
{
    static const char *const texts[] = {
        "", "@", "m", "m@", "@a", "m m@a", "m/@a", "m@a:", "m@a:0", "m@a:65536", "m@a:x", "m@a:-1", "m@:1", "m@a,",
        "m@,a", "m@a,,b", "m@a b", "m@a@b", "m@[::1", "m@[::1]x", "m@[]:1", "m@[g::]:1", "m@::1", "m@a,a:26379",
        "m@a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q",
    };

    cp_arena_t *arena = cp_arena_new(0);
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(texts); i++) {
        cp_redis_conf_t conf = { 0 };
        const char     *why = NULL;

        if (cp_sentinels_read(arena, cp_str(texts[i]), &conf, &why)) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_non_null(why);
    }

    cp_arena_free(arena);
}


static void
sixteen_are_the_most(void **state)
{
    cp_arena_t     *arena = cp_arena_new(0);
    cp_redis_conf_t conf = { 0 };
    const char     *why;

    (void) state;

    assert_true(cp_sentinels_read(arena, CP_STR("m@a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p"), &conf, &why));
    assert_int_equal(conf.sentinel_count, CP_SENTINELS_MAX);

    cp_arena_free(arena);
}


static void
without_memory(void **state)
{
    long n;

    (void) state;

    for (n = 0; n < 4; n++) {
        cp_arena_t     *arena = cp_arena_new(0);
        cp_redis_conf_t conf = { 0 };
        const char     *why;

        cp_arena_fail_after(arena, n);
        assert_false(cp_sentinels_read(arena, CP_STR("m@a,b"), &conf, &why));
        cp_arena_free(arena);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(sixteen_are_the_most),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
