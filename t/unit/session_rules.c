/* Sessions as text: the name of a token, the record, and how long it lives. */
#include <string.h>

#include "session/session.h"
#include "seams.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))

#define TOKEN  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


static void
keys(void **state)
{
    static const char *const refused[] = {
        "", "short", TOKEN "A", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh ",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=",
    };
    char   key[65];
    size_t i;

    (void) state;

    /* printf %s TOKEN | sha256sum */
    assert_true(cp_session_key(CP_STR(TOKEN), key));
    assert_string_equal(key, "ea866a757e4c38babfa8127cbe9a409d3e1f93a00ff1488ff735fcf917afffd0");

    for (i = 0; i < COUNT(refused); i++) {
        assert_false(cp_session_key(cp_str(refused[i]), key));
    }
    assert_false(cp_session_key(CP_STR_NULL, key));
}


static void
round_trip(void **state)
{
    static const struct { const char *unit, *record; } rows[] = {
        { NULL, "1 42 aZ-_09 - certificate 1767323045000 1767323045001" },
        { "u-1", "1 42 aZ-_09 u-1 certificate 1767323045000 1767323045001" },
    };
    cp_principal_t who = { .account = 42, .account_id = CP_STR("aZ-_09"), .method = CP_STR("certificate"),
                           .since_ms = 1767323045000 }, back;
    char           record[CP_SESSION_RECORD_MAX];
    int64_t        seen;
    size_t         i, len;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        who.unit_id = cp_str(rows[i].unit);
        len = cp_session_encode(&who, 1767323045001, record);
        assert_int_equal(len, strlen(rows[i].record));
        assert_memory_equal(record, rows[i].record, len);

        memset(&back, 0xff, sizeof(back));
        assert_true(cp_session_decode(cp_str_n(record, len), &back, &seen));
        assert_int_equal(back.account, 42);
        assert_true(cp_str_eq(back.account_id, who.account_id));
        assert_true(cp_str_eq(back.unit_id, who.unit_id));
        assert_true(cp_str_eq(back.method, who.method));
        assert_int_equal(back.since_ms, 1767323045000);
        assert_int_equal(seen, 1767323045001);
        assert_int_equal(back.staff, 0);
        assert_int_equal(back.roles, 0);
        assert_null(back.session_key.data);
    }
}


static void
too_long(void **state)
{
    char           id[CP_SESSION_RECORD_MAX], record[CP_SESSION_RECORD_MAX];
    cp_principal_t who = { .account = 42, .method = CP_STR("sms") };

    (void) state;

    memset(id, 'a', sizeof(id));
    who.account_id = cp_str_n(id, sizeof(id));
    assert_int_equal(cp_session_encode(&who, 1, record), 0);
}


static void
foreign_records(void **state)
{
    static const char *const rows[] = {
        "", " ", "1", "1 42 a - sms 5", "1 42 a - sms 5 6 7", "2 42 a - sms 5 6", "1 0 a - sms 5 6",
        "1 -1 a - sms 5 6", "1 x a - sms 5 6", "1 42  - sms 5 6", "1 42 a - sms 5 ", " 1 42 a - sms 5 6",
        "1 42 a - sms 5 6 ", "1 42 a - sms 5 6x", "1 99999999999999999999 a - sms 5 6", "1 42 a  sms 5 6",
    };
    cp_principal_t who;
    int64_t        seen;
    size_t         i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_session_decode(cp_str(rows[i]), &who, &seen) || who.account != 0) {
            fail_msg("accepted \"%s\"", rows[i]);
        }
    }
    assert_false(cp_session_decode(CP_STR_NULL, &who, &seen));
}


static void
lives(void **state)
{
    static const cp_session_conf_t conf = { 1800, 43200 };
    static const struct { int64_t since_s, seen_s, now_s; bool alive, stale; int64_t expires_s; } rows[] = {
        { 0, 0, 0, true, false, 1800 },
        { 0, 0, 59, true, false, 1859 },
        { 0, 0, 60, true, true, 1860 },
        { 0, 0, 1799, true, true, 3599 },
        { 0, 0, 1800, false, true, 3600 },
        { 0, 43000, 43199, true, true, 43200 },        /* used all the time, but begun too long ago */
        { 0, 43000, 43200, false, true, 43200 },
        { 100, 100, 50, true, false, 1850 },           /* another node's clock is ahead */
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_principal_t who = { .since_ms = rows[i].since_s * 1000 };
        int64_t        seen = rows[i].seen_s * 1000, now = rows[i].now_s * 1000;

        assert_int_equal(cp_session_alive(&conf, &who, seen, now), rows[i].alive);
        assert_int_equal(cp_session_is_stale(&conf, seen, now), rows[i].stale);
        assert_int_equal(cp_session_expires(&conf, who.since_ms, now), rows[i].expires_s * 1000);
        assert_true(cp_session_ttl(&conf, who.since_ms, now) > 0);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(too_long),
        cmocka_unit_test(foreign_records),
        cmocka_unit_test(lives),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
