/* The master through sentinels, against two of them and two servers that say what the test wants to be said. */
#include "seams.h"

#include <time.h>

#include "redis_fake.h"

#define TIMEOUT_MS  2000
#define MASTER      "*3\r\n$6\r\nmaster\r\n:0\r\n*0"
#define REPLICA     "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$9\r\nconnected\r\n:0"
#define WHO         "SENTINEL get-master-addr-by-name caportal"

static fake_t             sentinels[2], servers[2];
static cp_redis_address_t addresses[2];
static cp_redis_conf_t    conf;


static void
names(fake_t *sentinel, const fake_t *server)
{
    char text[64], port[8];

    snprintf(port, sizeof(port), "%d", server->port);
    snprintf(text, sizeof(text), "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s", strlen(port), port);
    fake_says(sentinel, WHO, text);
}


static int
start(void **state)
{
    size_t i;

    (void) state;

    for (i = 0; i < 2; i++) {
        fake_start(&sentinels[i]);
        fake_start(&servers[i]);
        addresses[i] = (cp_redis_address_t) { "127.0.0.1", sentinels[i].port };
    }

    conf = (cp_redis_conf_t) { .sentinel_master = "caportal", .sentinels = addresses, .sentinel_count = 2,
                               .prefix = "x:", .timeout_ms = TIMEOUT_MS };
    return 0;
}


static cp_code_t
get(char *which)
{
    redisReply *reply;
    cp_code_t   code = cp_redis(&conf, &reply, CP_STR("GET"), CP_STR("a"));

    if (code == CP_OK) {
        *which = reply->type == REDIS_REPLY_STRING ? reply->str[0] : '?';
        freeReplyObject(reply);
    }

    return code;
}


static void
heard_by(fake_t *fake, const char *expected)
{
    assert_string_equal(fake_heard(fake), expected);
}


/* The first server is the master, both sentinels say so and are asked in their order. */
static int
fresh(void **state)
{
    char which = '?';

    (void) state;

    for (size_t i = 0; i < 2; i++) {
        fake_feels(&sentinels[i], FAKE_ANSWERS);
        fake_feels(&servers[i], FAKE_ANSWERS);
        names(&sentinels[i], &servers[0]);
        fake_says(&servers[i], "ROLE", i == 0 ? MASTER : REPLICA);
        fake_says(&servers[i], "GET", i == 0 ? "$1\r\n1" : "$1\r\n2");
        fake_says(&servers[i], "SET", "+OK");
    }

    fake_feels(&sentinels[1], FAKE_HANGS_UP);
    cp_redis_close_thread();
    if (get(&which) != CP_OK || which != '1') {
        return -1;
    }
    fake_feels(&sentinels[1], FAKE_ANSWERS);
    cp_redis_close_thread();

    for (size_t i = 0; i < 2; i++) {
        fake_heard(&sentinels[i]);
        fake_heard(&servers[i]);
    }

    return 0;
}


static void
asked_once_a_connection(void **state)
{
    char which;
    int  i;

    (void) state;

    for (i = 0; i < 3; i++) {
        assert_int_equal(get(&which), CP_OK);
        assert_int_equal(which, '1');
    }

    heard_by(&sentinels[0], "SENTINEL ");
    heard_by(&sentinels[1], "");
    heard_by(&servers[0], "ROLE GET GET GET ");
    heard_by(&servers[1], "");
}


static void
the_next_is_asked_and_remembered(void **state)
{
    char which;

    (void) state;

    fake_feels(&sentinels[0], FAKE_HANGS_UP);
    assert_int_equal(get(&which), CP_OK);
    heard_by(&sentinels[0], "SENTINEL ");
    heard_by(&sentinels[1], "SENTINEL ");

    cp_redis_close_thread();
    assert_int_equal(get(&which), CP_OK);
    heard_by(&sentinels[0], "");
    heard_by(&sentinels[1], "SENTINEL ");
}


static void
a_hanging_sentinel_costs_little(void **state)
{
    struct timespec begin, end;
    char            which;

    (void) state;

    fake_feels(&sentinels[0], FAKE_HANGS);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_int_equal(get(&which), CP_OK);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 < TIMEOUT_MS);
    heard_by(&sentinels[1], "SENTINEL ");
}


/* The first sentinel has not heard of the failover. */
static void
who_is_no_master_is_not_used(void **state)
{
    char which;

    (void) state;

    fake_says(&servers[0], "ROLE", REPLICA);
    fake_says(&servers[1], "ROLE", MASTER);
    names(&sentinels[1], &servers[1]);

    assert_int_equal(get(&which), CP_OK);
    assert_int_equal(which, '2');
    heard_by(&servers[0], "ROLE ");
}


static void
nobody_is_the_master(void **state)
{
    unsigned lines = test_logged[CP_LOG_ERROR];
    char     which;
    int      i;

    (void) state;

    fake_says(&servers[0], "ROLE", REPLICA);
    for (i = 0; i < 3; i++) {
        assert_int_equal(get(&which), CP_E_REDIS);
    }
    heard_by(&servers[0], "ROLE ROLE ROLE ");
    assert_int_equal(test_logged[CP_LOG_ERROR], lines + 1);

    fake_says(&servers[0], "ROLE", MASTER);
    assert_int_equal(get(&which), CP_OK);
}


static void
its_role_may_not_be_asked(void **state)
{
    char which;

    (void) state;

    fake_says(&servers[0], "ROLE", "-NOPERM this user has no permissions to run the 'role' command");
    assert_int_equal(get(&which), CP_E_REDIS);
    heard_by(&servers[0], "ROLE ");
    fake_says(&servers[0], "ROLE", MASTER);
    assert_int_equal(get(&which), CP_OK);
}


/* What the sentinels may say that is no address. */
static void
no_address(void **state)
{
    static const char *const answers[] = {
        "*-1", "$-1", "*0", "*1\r\n$1\r\na", "*2\r\n$0\r\n\r\n$1\r\n1", "*2\r\n$1\r\na\r\n$1\r\n0",
        "*2\r\n$1\r\na\r\n$5\r\n65536", "*2\r\n$1\r\na\r\n$1\r\nx", "*2\r\n:1\r\n:1", ":1", "-IDONTKNOW no such master",
        "-NOAUTH Authentication required.",
    };

    size_t i;
    char   which;

    (void) state;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        fake_says(&sentinels[0], WHO, answers[i]);
        fake_says(&sentinels[1], WHO, answers[i]);
        assert_int_equal(get(&which), CP_E_REDIS);
        heard_by(&servers[0], "");
    }

    names(&sentinels[0], &servers[0]);
    assert_int_equal(get(&which), CP_OK);
}


static void
passwords_of_their_own(void **state)
{
    cp_redis_conf_t guarded = conf;
    redisReply     *reply;

    (void) state;

    guarded.user = "web";
    guarded.password = "secret";
    guarded.database = 2;
    guarded.sentinel_password = "other";

    fake_says(&sentinels[0], "AUTH", "-WRONGPASS");
    fake_says(&sentinels[0], "AUTH other", "+OK");
    fake_says(&servers[0], "AUTH", "-WRONGPASS");
    fake_says(&servers[0], "AUTH web secret", "+OK");
    assert_int_equal(cp_redis(&guarded, &reply, CP_STR("GET"), CP_STR("a")), CP_OK);
    freeReplyObject(reply);
    heard_by(&sentinels[0], "AUTH SENTINEL ");
    heard_by(&servers[0], "AUTH ROLE SELECT GET ");

    guarded.sentinel_user = "me";
    cp_redis_close_thread();
    assert_int_equal(cp_redis(&guarded, &reply, CP_STR("GET"), CP_STR("a")), CP_OK);
    freeReplyObject(reply);
    heard_by(&sentinels[0], "AUTH ");
    cp_redis_close_thread();
}


/* A kept connection to what is a replica now: the command goes to the new master, in the same call. */
static void
a_master_that_became_a_replica(void **state)
{
    redisReply *reply;
    char        which;

    (void) state;

    assert_int_equal(get(&which), CP_OK);

    fake_says(&servers[0], "SET", "-READONLY You can't write against a read only replica.");
    fake_says(&servers[0], "ROLE", REPLICA);
    fake_says(&servers[1], "ROLE", MASTER);
    names(&sentinels[0], &servers[1]);
    names(&sentinels[1], &servers[1]);
    fake_heard(&servers[0]);

    assert_int_equal(cp_redis(&conf, &reply, CP_STR("SET"), CP_STR("a"), CP_STR("b")), CP_OK);
    freeReplyObject(reply);
    heard_by(&servers[0], "SET ");
    heard_by(&servers[1], "ROLE SET ");
}


static void
settled(void **state)
{
    redisReply *reply;

    (void) state;

    assert_int_equal(cp_redis(&conf, &reply, CP_STR("SET"), CP_STR("a"), CP_STR("b")), CP_OK);
    freeReplyObject(reply);

    fake_says(&servers[0], "WAIT 1 1000", ":1");
    assert_int_equal(cp_redis_settled(&conf), CP_OK);
    fake_says(&servers[0], "WAIT 1 1000", ":0");
    assert_int_equal(cp_redis_settled(&conf), CP_E_REDIS);
    heard_by(&servers[0], "ROLE SET WAIT WAIT ");

    /* A connection that has written nothing cannot tell. */
    fake_says(&servers[0], "WAIT 1 1000", ":1");
    fake_closes_all(&servers[0]);
    assert_int_equal(cp_redis_settled(&conf), CP_E_REDIS);

    fake_says(&servers[0], "WAIT 1 1000", "-UNBLOCKED force unblock from blocking operation");
    assert_int_equal(cp_redis_settled(&conf), CP_E_REDIS);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(asked_once_a_connection, fresh),
        cmocka_unit_test_setup(the_next_is_asked_and_remembered, fresh),
        cmocka_unit_test_setup(a_hanging_sentinel_costs_little, fresh),
        cmocka_unit_test_setup(who_is_no_master_is_not_used, fresh),
        cmocka_unit_test_setup(nobody_is_the_master, fresh),
        cmocka_unit_test_setup(its_role_may_not_be_asked, fresh),
        cmocka_unit_test_setup(no_address, fresh),
        cmocka_unit_test_setup(passwords_of_their_own, fresh),
        cmocka_unit_test_setup(a_master_that_became_a_replica, fresh),
        cmocka_unit_test_setup(settled, fresh),
    };
    int failed = cmocka_run_group_tests(tests, start, NULL);

    cp_redis_close_thread();

    return failed;
}
