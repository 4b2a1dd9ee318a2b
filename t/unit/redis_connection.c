/* The thread's connection against a server that hangs, closes, refuses and comes back when the test says so. */
#include "seams.h"

#include <sched.h>
#include <time.h>

#include "redis_fake.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_MS    300
#define THREADS       8

static fake_t          fake;
static cp_redis_conf_t conf;


static int
start(void **state)
{
    (void) state;

    fake_start(&fake);
    conf = (cp_redis_conf_t) { .host = "127.0.0.1", .port = fake.port, .prefix = "x:", .timeout_ms = TIMEOUT_MS };
    fake_says(&fake, "GET", "$1\r\n1");

    return 0;
}


static cp_code_t
get(void)
{
    redisReply *reply;
    cp_code_t   code = cp_redis(&conf, &reply, CP_STR("GET"), CP_STR("a"));

    if (code == CP_OK) {
        freeReplyObject(reply);
    } else {
        assert_null(reply);
    }

    return code;
}


/* Nobody asks for a while after one who waited. */
static bool
is_back(void)
{
    struct timespec pause = { .tv_nsec = 1000000 };
    cp_code_t       code = CP_E_REDIS;
    int             i;

    for (i = 0; i < 2 * TIMEOUT_MS && code != CP_OK; i++) {
        code = get();
        nanosleep(&pause, NULL);
    }

    return code == CP_OK;
}


/* To the state of before: nothing is remembered of this connection, and the server answers. */
static int
fresh(void **state)
{
    (void) state;

    fake_feels(&fake, FAKE_ANSWERS);
    cp_redis_close_thread();
    if (!is_back()) {
        return -1;
    }
    fake_heard(&fake);

    return 0;
}


static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);

    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}


static void
is_kept(void **state)
{
    unsigned before = fake_connections(&fake);
    int      i;

    (void) state;

    for (i = 0; i < 5; i++) {
        assert_int_equal(get(), CP_OK);
    }
    assert_int_equal(fake_connections(&fake), before);
    assert_string_equal(fake_heard(&fake), "GET GET GET GET GET ");
}


static void
closed_while_idle(void **state)
{
    unsigned lines = test_logged[CP_LOG_ERROR];

    (void) state;

    fake_closes_all(&fake);
    assert_int_equal(get(), CP_OK);
    assert_string_equal(fake_heard(&fake), "GET ");
    assert_int_equal(test_logged[CP_LOG_ERROR], lines);
}


/* It may have been executed: it is not tried again. */
static void
closed_instead_of_an_answer(void **state)
{
    unsigned lines = test_logged[CP_LOG_ERROR];

    (void) state;

    fake_feels(&fake, FAKE_HANGS_UP);
    assert_int_equal(get(), CP_E_REDIS);
    assert_string_equal(fake_heard(&fake), "GET ");
    assert_int_equal(get(), CP_E_REDIS);
    assert_int_equal(get(), CP_E_REDIS);
    assert_int_equal(test_logged[CP_LOG_ERROR], lines + 1);

    fake_feels(&fake, FAKE_ANSWERS);
    assert_int_equal(get(), CP_OK);
}


/* An answer to nothing must not become the answer to the next command. */
static void
an_unexpected_answer(void **state)
{
    static const char more[] = "$5\r\nwrong\r\n";

    int fd, i;

    (void) state;

    pthread_mutex_lock(&fake.lock);
    fd = fake.fds[(fake.connections - 1) % 256];
    pthread_mutex_unlock(&fake.lock);

    assert_int_equal(send(fd, more, sizeof(more) - 1, 0), sizeof(more) - 1);
    for (i = 0; i < 5; i++) {
        redisReply *reply;

        assert_int_equal(cp_redis(&conf, &reply, CP_STR("GET"), CP_STR("a")), CP_OK);
        assert_string_equal(reply->str, "1");
        freeReplyObject(reply);
    }
}


static void *
asks(void *data)
{
    double begin = now();

    *(int *) data = (int) get();
    cp_redis_close_thread();

    return now() - begin < 0.8 * TIMEOUT_MS / 1000 ? data : NULL;
}


/* Waits until so many commands hang in the server. */
static void
wait_for_commands(unsigned count)
{
    struct timespec pause = { .tv_nsec = 1000000 };
    bool            there = false;
    int             i;

    for (i = 0; i < 5000 && !there; i++) {
        there = fake_commands(&fake) >= count;
        nanosleep(&pause, NULL);
    }
    assert_true(there);
}


static void
only_the_first_waits(void **state)
{
    unsigned  lines = test_logged[CP_LOG_ERROR], notices = test_logged[CP_LOG_NOTICE], commands, i;
    pthread_t probe, thread[THREADS];
    int       result, results[THREADS];
    void     *quick;
    double    begin = now(), took;

    (void) state;

    fake_feels(&fake, FAKE_HANGS);
    assert_int_equal(get(), CP_E_REDIS);
    took = now() - begin;
    assert_true(took >= 0.9 * TIMEOUT_MS / 1000);

    /* Nobody waits for as long … */
    for (i = 0; i < 20; i++) {
        assert_int_equal(get(), CP_E_REDIS);
    }
    assert_true(now() - begin < 1.5 * took);

    while (now() - begin < 2 * took + 0.05) {
        sched_yield();
    }

    /* … then one finds out whether it is back … */
    commands = fake_commands(&fake);
    pthread_create(&probe, NULL, asks, &result);
    wait_for_commands(commands + 1);

    /* … and meanwhile nobody else waits. */
    for (i = 0; i < THREADS; i++) {
        pthread_create(&thread[i], NULL, asks, &results[i]);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(thread[i], &quick);
        assert_non_null(quick);
        assert_int_equal(results[i], CP_E_REDIS);
    }

    pthread_join(probe, &quick);
    assert_null(quick);
    assert_int_equal(result, CP_E_REDIS);
    assert_int_equal(test_logged[CP_LOG_ERROR], lines + 1);

    fake_feels(&fake, FAKE_ANSWERS);
    assert_true(is_back());
    assert_int_equal(test_logged[CP_LOG_NOTICE], notices + 1);
    assert_int_equal(test_logged[CP_LOG_ERROR], lines + 1);
}


static pthread_barrier_t both;


/* Has a connection of before the other thread found the server gone, and uses it afterwards. */
static void *
asks_twice(void *data)
{
    *(int *) data = (int) get();
    pthread_barrier_wait(&both);
    pthread_barrier_wait(&both);
    *((int *) data + 1) = (int) get();
    cp_redis_close_thread();

    return NULL;
}


static void
connections_of_before_are_given_up(void **state)
{
    pthread_t other;
    unsigned  before;
    int       results[2];

    (void) state;

    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&other, NULL, asks_twice, results);
    pthread_barrier_wait(&both);

    fake_feels(&fake, FAKE_HANGS_UP);
    assert_int_equal(get(), CP_E_REDIS);
    fake_feels(&fake, FAKE_ANSWERS);
    assert_int_equal(get(), CP_OK);
    before = fake_connections(&fake);

    pthread_barrier_wait(&both);
    pthread_join(other, NULL);
    assert_int_equal(results[0], CP_OK);
    assert_int_equal(results[1], CP_OK);
    assert_int_equal(fake_connections(&fake), before + 1);
}


static void *
asks_in_vain(void *data)
{
    redisReply *reply;

    *(int *) data = (int) cp_redis(&conf, &reply, CP_STR("BLPOP"), CP_STR("a"));
    cp_redis_close_thread();

    return NULL;
}


/* The time-out of a connection of before does not make away what is back. */
static void
an_old_fault_says_nothing(void **state)
{
    pthread_t old;
    unsigned  lines, connections, commands = fake_commands(&fake);
    int       result;

    (void) state;

    fake_says(&fake, "BLPOP", "");
    pthread_create(&old, NULL, asks_in_vain, &result);
    wait_for_commands(commands + 1);

    fake_feels(&fake, FAKE_HANGS_UP);
    assert_int_equal(get(), CP_E_REDIS);
    fake_feels(&fake, FAKE_ANSWERS);
    assert_int_equal(get(), CP_OK);

    lines = test_logged[CP_LOG_ERROR];
    connections = fake_connections(&fake);
    pthread_join(old, NULL);
    assert_int_equal(result, CP_E_REDIS);
    assert_int_equal(get(), CP_OK);
    assert_int_equal(test_logged[CP_LOG_ERROR], lines);
    assert_int_equal(fake_connections(&fake), connections);
}


/* What each error reply does: the code, how often the command was sent, and whether the server counts as away. */
static void
refusals(void **state)
{
    static const struct {
        const char *reply;
        cp_code_t   code;
        const char *heard;
        bool        for_caller;
        bool        away;
    } rows[] = {
        { "-OOM command not allowed when used memory > 'maxmemory'.", CP_E_REDIS, "SET ", false, false },
        { "-NOREPLICAS Not enough good replicas to write.", CP_E_REDIS, "SET ", false, false },
        { "-MISCONF Errors writing to the AOF file", CP_E_REDIS, "SET ", false, false },
        { "-NOPERM this user has no permissions", CP_E_REDIS, "SET ", false, false },
        { "-WRONGTYPE Operation against a key", CP_E_REDIS, "SET ", false, false },
        { "-BUSY Redis is busy running a script.", CP_E_REDIS, "SET ", false, false },
        { "-ERR anything else", CP_E_REDIS, "SET ", false, false },
        { "-NOSCRIPT No matching script.", CP_OK, "SET ", true, false },
        { "-NOGROUP No such key", CP_OK, "SET ", true, false },
        { "-BUSYGROUP Consumer Group name already exists", CP_OK, "SET ", true, false },
        { "-READONLY You can't write against a read only replica.", CP_E_REDIS, "SET SET ", false, true },
        { "-MASTERDOWN Link with MASTER is down", CP_E_REDIS, "SET SET ", false, true },
        { "-LOADING Redis is loading the dataset in memory", CP_E_REDIS, "SET SET ", false, true },
        { "-NOAUTH Authentication required.", CP_E_REDIS, "SET SET ", false, true },
        { "-UNBLOCKED force unblock from blocking operation", CP_E_REDIS, "SET SET ", false, true },
    };

    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        redisReply *reply;
        unsigned    notices;

        assert_int_equal(fresh(NULL), 0);
        fake_says(&fake, "SET", rows[i].reply);
        assert_int_equal(cp_redis(&conf, &reply, CP_STR("SET"), CP_STR("a"), CP_STR("b")), rows[i].code);
        assert_string_equal(fake_heard(&fake), rows[i].heard);
        if (rows[i].for_caller) {
            assert_int_equal(reply->type, REDIS_REPLY_ERROR);
            freeReplyObject(reply);
        }

        notices = test_logged[CP_LOG_NOTICE];
        assert_int_equal(get(), CP_OK);
        assert_int_equal(test_logged[CP_LOG_NOTICE] - notices, rows[i].away ? 1 : 0);
    }

    fake_says(&fake, "SET", "+OK");
}


/* One line says that commands are refused, however many are. */
static void
refusals_are_said_once(void **state)
{
    redisReply *reply;
    unsigned    lines = test_logged[CP_LOG_ERROR];
    int         i;

    (void) state;

    fake_says(&fake, "INCR", "-OOM command not allowed");
    for (i = 0; i < 20; i++) {
        assert_int_equal(cp_redis(&conf, &reply, CP_STR("INCR"), CP_STR("a")), CP_E_REDIS);
        assert_int_equal(get(), CP_OK);
    }
    assert_in_range(test_logged[CP_LOG_ERROR] - lines, 0, 1);
}


static void
the_password_is_wrong(void **state)
{
    cp_redis_conf_t guarded = conf;
    redisReply     *reply;
    unsigned        lines = test_logged[CP_LOG_ERROR];
    int             i;

    (void) state;

    guarded.user = "web";
    guarded.password = "secret";
    guarded.database = 3;

    fake_says(&fake, "AUTH web secret", "-WRONGPASS invalid username-password pair or user is disabled.");
    for (i = 0; i < 5; i++) {
        assert_int_equal(cp_redis(&guarded, &reply, CP_STR("GET"), CP_STR("a")), CP_E_REDIS);
    }
    assert_string_equal(fake_heard(&fake), "AUTH AUTH AUTH AUTH AUTH ");
    assert_int_equal(test_logged[CP_LOG_ERROR], lines + 1);

    fake_says(&fake, "AUTH web secret", "+OK");
    assert_int_equal(cp_redis(&guarded, &reply, CP_STR("GET"), CP_STR("a")), CP_OK);
    freeReplyObject(reply);
    assert_string_equal(fake_heard(&fake), "AUTH SELECT GET ");
    cp_redis_close_thread();
}


static void
scripts_are_known(void **state)
{
    static const char first[] = "return 1", second[] = "return 2";

    redisReply *reply;
    int         i;

    (void) state;

    /* The digests are sha1sum's. */
    fake_says(&fake, "EVALSHA", "-ERR another digest");
    fake_says(&fake, "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 k", ":1");
    fake_says(&fake, "EVALSHA 7f923f79fe76194c868d7e1d0820de36700eb649 0 a", ":2");

    for (i = 0; i < 3; i++) {
        cp_str_t key = CP_STR("k"), argument = CP_STR("a");

        assert_int_equal(cp_redis_script(&conf, first, &key, 1, NULL, 0, &reply), CP_OK);
        assert_int_equal(reply->integer, 1);
        freeReplyObject(reply);
        assert_int_equal(cp_redis_script(&conf, second, NULL, 0, &argument, 1, &reply), CP_OK);
        assert_int_equal(reply->integer, 2);
        freeReplyObject(reply);
    }
    assert_string_equal(fake_heard(&fake), "EVALSHA EVALSHA EVALSHA EVALSHA EVALSHA EVALSHA ");

    fake_says(&fake, "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 k", "-NOSCRIPT No matching script.");
    fake_says(&fake, "EVAL return 1", ":1");
    assert_int_equal(cp_redis_script(&conf, first, &CP_STR("k"), 1, NULL, 0, &reply), CP_OK);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    assert_string_equal(fake_heard(&fake), "EVALSHA EVAL ");
}


/* More scripts than there are places: each still goes by its own digest. */
static void
many_scripts(void **state)
{
    static const char texts[20][16] = {
        "return 0", "return 1", "return 2", "return 3", "return 4", "return 5", "return 6", "return 7", "return 8",
        "return 9", "return 10", "return 11", "return 12", "return 13", "return 14", "return 15", "return 16",
        "return 17", "return 18", "return 19",
    };

    char   reply_text[16];
    size_t i, j;

    (void) state;

    fake_says(&fake, "EVALSHA", "-NOSCRIPT No matching script.");
    fake_says(&fake, "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db", ":1");

    for (j = 0; j < 3; j++) {
        for (i = 0; i < COUNT(texts); i++) {
            redisReply *reply;

            snprintf(reply_text, sizeof(reply_text), ":%zu", i);
            fake_says(&fake, "EVAL r", reply_text);
            assert_int_equal(cp_redis_script(&conf, texts[i], NULL, 0, NULL, 0, &reply), CP_OK);
            assert_int_equal(reply->integer, i);
            freeReplyObject(reply);
        }
    }
}


static void
settled_at_once_without_sentinels(void **state)
{
    (void) state;

    assert_int_equal(cp_redis_settled(&conf), CP_OK);
    assert_string_equal(fake_heard(&fake), "");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(is_kept, fresh),
        cmocka_unit_test_setup(closed_while_idle, fresh),
        cmocka_unit_test_setup(closed_instead_of_an_answer, fresh),
        cmocka_unit_test_setup(an_unexpected_answer, fresh),
        cmocka_unit_test_setup(only_the_first_waits, fresh),
        cmocka_unit_test_setup(connections_of_before_are_given_up, fresh),
        cmocka_unit_test_setup(an_old_fault_says_nothing, fresh),
        cmocka_unit_test_setup(refusals, fresh),
        cmocka_unit_test_setup(refusals_are_said_once, fresh),
        cmocka_unit_test_setup(the_password_is_wrong, fresh),
        cmocka_unit_test_setup(scripts_are_known, fresh),
        cmocka_unit_test_setup(many_scripts, fresh),
        cmocka_unit_test_setup(settled_at_once_without_sentinels, fresh),
    };
    int failed = cmocka_run_group_tests(tests, start, NULL);

    cp_redis_close_thread();

    return failed;
}
