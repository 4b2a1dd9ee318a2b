/*
 * A server whose memory is full (maxmemory, noeviction): what is refused leaves nothing behind, scripts included. On
 * the Redis whose socket CAPORTAL_TEST_REDIS_SOCKET names; skipped without one.
 */
#include "seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis/limit.h"

static cp_redis_conf_t conf;
static cp_arena_t     *arena;


static redisReply *
done(const cp_str_t *args, size_t count)
{
    redisReply *reply;

    assert_int_equal(cp_redis_command(&conf, args, count, &reply), CP_OK);
    return reply;
}

#define DONE(...)  freeReplyObject(DID(__VA_ARGS__))
#define DID(...)   done((cp_str_t[]) { __VA_ARGS__ }, sizeof((cp_str_t[]) { __VA_ARGS__ }) / sizeof(cp_str_t))


static int
limit_memory(const char *bytes)
{
    redisReply *reply;

    if (cp_redis(&conf, &reply, CP_STR("CONFIG"), CP_STR("SET"), CP_STR("maxmemory"), cp_str(bytes)) != CP_OK) {
        return -1;
    }
    freeReplyObject(reply);

    return 0;
}


static int
start(void **state)
{
    (void) state;

    conf = (cp_redis_conf_t) { .socket = getenv("CAPORTAL_TEST_REDIS_SOCKET"), .prefix = "full:", .timeout_ms = 2000 };
    arena = cp_arena_new(0);

    return 0;
}


static int
stop(void **state)
{
    (void) state;

    cp_arena_free(arena);
    cp_redis_close_thread();

    return 0;
}


static int
fill(void **state)
{
    (void) state;

    DONE(CP_STR("FLUSHALL"));
    DONE(CP_STR("SET"), CP_STR("full:there"), CP_STR("1"));

    return limit_memory("1");
}


static int
empty(void **state)
{
    (void) state;

    return limit_memory("0");
}


static long long
keys(void)
{
    redisReply *reply = DID(CP_STR("DBSIZE"));
    long long   n = reply->integer;

    freeReplyObject(reply);
    return n;
}


static void
a_command(void **state)
{
    redisReply *reply;

    (void) state;

    assert_int_equal(cp_redis(&conf, &reply, CP_STR("SET"), CP_STR("full:a"), CP_STR("1")), CP_E_REDIS);
    assert_null(reply);
    assert_int_equal(keys(), 1);

    reply = DID(CP_STR("GET"), CP_STR("full:there"));
    assert_string_equal(reply->str, "1");
    freeReplyObject(reply);
}


/* The first write needs memory: nothing of the script is done. */
static void
a_script_that_needs_memory(void **state)
{
    static const char script[] =
        "redis.call('SET', KEYS[1], '1') redis.call('DEL', KEYS[2]) redis.call('SET', KEYS[3], '1') return 1";

    cp_str_t    names[] = { CP_STR("full:a"), CP_STR("full:there"), CP_STR("full:b") };
    redisReply *reply;

    (void) state;

    assert_int_equal(cp_redis_script(&conf, script, names, 3, NULL, 0, &reply), CP_E_REDIS);
    assert_null(reply);
    assert_int_equal(keys(), 1);
}


/* The first write needs none: the script is done to its end, though it takes more than there is. */
static void
a_script_that_has_begun(void **state)
{
    static const char script[] =
        "redis.call('DEL', KEYS[2]) redis.call('SET', KEYS[1], '1') redis.call('SET', KEYS[3], '1') return 1";

    cp_str_t    names[] = { CP_STR("full:a"), CP_STR("full:there"), CP_STR("full:b") };
    redisReply *reply;

    (void) state;

    assert_int_equal(cp_redis_script(&conf, script, names, 3, NULL, 0, &reply), CP_OK);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    assert_int_equal(keys(), 2);
}


static void
limits_count_nothing(void **state)
{
    cp_limit_t        limits[] = { { CP_STR("full:l1"), 5, 60 }, { CP_STR("full:l2"), 5, 60 } };
    cp_limit_record_t record = { CP_STR("full:record"), CP_STR("00ff"), 60 };
    cp_limit_code_t   code = { record.key, record.mac, 5, CP_STR_NULL, CP_STR_NULL };
    unsigned          wait_s;

    (void) state;

    assert_int_equal(cp_limit_take(&conf, arena, limits, 2, &record, &wait_s), CP_E_REDIS);
    assert_int_equal(keys(), 1);

    assert_int_equal(limit_memory("0"), 0);
    assert_int_equal(cp_limit_take(&conf, arena, limits, 2, &record, &wait_s), CP_OK);
    assert_int_equal(limit_memory("1"), 0);

    /* A code that was sent can be used once, and only once. */
    assert_int_equal(cp_limit_redeem(&conf, arena, &code), CP_OK);
    assert_int_equal(cp_limit_redeem(&conf, arena, &code), CP_E_BAD_CODE);
}


static void
scripts_that_were_flushed(void **state)
{
    static const char script[] = "return redis.call('GET', KEYS[1])";

    cp_str_t    name = CP_STR("full:there");
    redisReply *reply;
    int         i;

    (void) state;

    for (i = 0; i < 3; i++) {
        DONE(CP_STR("SCRIPT"), CP_STR("FLUSH"));
        assert_int_equal(cp_redis_script(&conf, script, &name, 1, NULL, 0, &reply), CP_OK);
        assert_string_equal(reply->str, "1");
        freeReplyObject(reply);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command, fill, empty),
        cmocka_unit_test_setup_teardown(a_script_that_needs_memory, fill, empty),
        cmocka_unit_test_setup_teardown(a_script_that_has_begun, fill, empty),
        cmocka_unit_test_setup_teardown(limits_count_nothing, fill, empty),
        cmocka_unit_test_setup_teardown(scripts_that_were_flushed, fill, empty),
    };

    if (getenv("CAPORTAL_TEST_REDIS_SOCKET") == NULL) {
        puts("1..0 # SKIP CAPORTAL_TEST_REDIS_SOCKET names no server");
        return 0;
    }

    return cmocka_run_group_tests(tests, start, stop);
}
