/* Sessions as text: the name of a token, the record, and how long it lives. */
#include <string.h>

#include "session/session.h"
#include "session/session_ops.h"
#include "seams.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))

#define SECRET   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define ACCOUNT  "0123456789-_abcdefgh"


static void
tokens(void **state)
{
    static const char *const refused[] = {
        "", "short", SECRET, SECRET ACCOUNT "A", "+" SECRET "0123456789-_abcdefg", SECRET "0123456789-_abcdefg=",
        SECRET "0123456789-_abcdefg ",
    };
    static const unsigned char digest[CP_SESSION_KEY] = {     /* printf %s SECRET | sha256sum */
        0xea, 0x86, 0x6a, 0x75, 0x7e, 0x4c, 0x38, 0xba, 0xbf, 0xa8, 0x12, 0x7c, 0xbe, 0x9a, 0x40, 0x9d,
        0x3e, 0x1f, 0x93, 0xa0, 0x0f, 0xf1, 0x48, 0x8f, 0xf7, 0x35, 0xfc, 0xf9, 0x17, 0xaf, 0xff, 0xd0,
    };
    unsigned char key[CP_SESSION_KEY];
    cp_str_t      account;
    size_t        i;

    (void) state;

    assert_true(cp_session_parse(CP_STR(SECRET ACCOUNT), &account, key));
    assert_memory_equal(key, digest, sizeof(digest));
    assert_true(cp_str_is(account, ACCOUNT));

    for (i = 0; i < COUNT(refused); i++) {
        assert_false(cp_session_parse(cp_str(refused[i]), &account, key));
    }
    assert_false(cp_session_parse(CP_STR_NULL, &account, key));
}


static void
devices(void **state)
{
#define UA  "Mozilla/5.0 "
#define KIT "AppleWebKit/537.36 (KHTML, like Gecko) "
    static const struct { const char *user_agent, *device, *text; } rows[] = {
        { NULL, "unknown", "unknown" },
        { "", "unknown", "unknown" },
        { "Mojolicious (Perl)", "unknown", "unknown" },
        { UA "(Windows NT 10.0; Win64; x64) " KIT "Chrome/120.0.0.0 Safari/537.36", "Chrome,Windows",
          "Chrome, Windows" },
        { UA "(Windows NT 10.0; Win64; x64) " KIT "Chrome/120.0.0.0 Safari/537.36 Edg/120.0", "Edge,Windows",
          "Edge, Windows" },
        { UA "(Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "IE,Windows", "IE, Windows" },
        { UA "(Linux; Android 13; V2) " KIT "Version/4.0 Chrome/111 Mobile Safari/537.36 XWEB/1 "
          "MicroMessenger/8.0.44", "微信,Android", "微信, Android" },
        { UA "(iPhone; CPU iPhone OS 17_0 like Mac OS X) " KIT "Version/17.0 Mobile/15E148 Safari/604.1",
          "Safari,iPhone", "Safari, iPhone" },
        { UA "(Macintosh; Intel Mac OS X 10.15; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox,macOS",
          "Firefox, macOS" },
        { UA "(X11; Linux x86_64; Kylin) " KIT "Chrome/97 Safari/537.36", "Chrome,麒麟", "Chrome, 麒麟" },
        { UA "(Phone; OpenHarmony 4.1; HarmonyOS 5.0) " KIT "Chrome/114 HuaweiBrowser/5", "华为浏览器,鸿蒙",
          "华为浏览器, 鸿蒙" },
        { "curl/7.88.1", "curl", "curl" },
        { "(Windows NT 10.0)", "Windows", "Windows" },
        { "Chrome/\x01\r\n 1 1 1 Windows \xff<script>", "Chrome,Windows", "Chrome, Windows" },
    };
    cp_arena_t *arena = cp_arena_new(0);
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_str_t device = cp_session_device(arena, cp_str(rows[i].user_agent));

        assert_string_equal(device.data, rows[i].device);
        assert_string_equal(cp_session_device_text(arena, device).data, rows[i].text);
        assert_true(device.len <= CP_SESSION_DEVICE);
        assert_null(memchr(device.data, ' ', device.len));
    }

    assert_null(cp_session_device_text(arena, CP_STR_NULL).data);
    cp_arena_free(arena);
}


static void
places(void **state)
{
#define TEN  "0123456789"
    static const struct { const char *named, *address, *place; } rows[] = {
        { NULL, "203.0.113.77", "203.0.113.*" },
        { "", "203.0.113.77", "203.0.113.*" },
        { "  ", "203.0.113.77", "203.0.113.*" },
        { "\x01\x7f\xff", "203.0.113.77", "203.0.113.*" },
        { NULL, "2001:db8:1:2::3", "2001:db8:1:*" },
        { NULL, "2001:db8::", "2001:db8:0:*" },
        { NULL, "::ffff:203.0.113.77", "203.0.113.*" },
        { NULL, "unix:", NULL },
        { NULL, "", NULL },
        { NULL, NULL, NULL },
        { "呼和浩特", "203.0.113.77", "呼和浩特" },
        { " a b ", "203.0.113.77", "a b" },
        { "a\nb\r\nc\td\xc2\x85" "e", "203.0.113.77", "abcde" },
        { "\xe5\x91\xbc\xe5\x91", "203.0.113.77", "呼" },
        { TEN TEN TEN TEN "01234567" "8", NULL, TEN TEN TEN TEN "01234567" },
        { TEN TEN TEN TEN "0123456" "\xe5\x91\xbc" "8", NULL, TEN TEN TEN TEN "0123456" },
    };
    cp_arena_t *arena = cp_arena_new(0);
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_str_t place = cp_session_place(arena, cp_str(rows[i].named), cp_str(rows[i].address));

        if (rows[i].place == NULL) {
            assert_null(place.data);
        } else {
            assert_true(cp_str_is(place, rows[i].place));
        }
    }

    cp_arena_free(arena);
}


static void
proofs(void **state)
{
    static const struct { int64_t proved_s, now_s; cp_code_t code; } rows[] = {
        { 0, 1000, CP_E_PROOF_REQUIRED }, { 1000, 1000, CP_OK }, { 1000, 1299, CP_OK },
        { 1000, 1300, CP_E_PROOF_REQUIRED }, { 1000, 999, CP_E_PROOF_REQUIRED },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_principal_t who = { .account = 1, .proved_ms = rows[i].proved_s * 1000 };

        assert_int_equal(cp_session_proved(&who, rows[i].now_s * 1000), rows[i].code);
    }
}


static void
round_trip(void **state)
{
    static const struct { const char *unit, *record; } rows[] = {
        { NULL, "2 1767323045000 1767323045001 42 - certificate 7 8 Chrome,Windows in the north" },
        { "u-1", "2 1767323045000 1767323045001 42 u-1 certificate 7 8 Chrome,Windows in the north" },
    };
    cp_principal_t who = { .account = 42, .method = CP_STR("certificate"), .since_ms = 1767323045000, .proved_ms = 7,
                           .certificate = 8, .device = CP_STR("Chrome,Windows"), .place = CP_STR("in the north") },
                   back;
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
        assert_null(back.account_id.data);
        assert_true(cp_str_eq(back.unit_id, who.unit_id));
        assert_true(cp_str_eq(back.method, who.method));
        assert_int_equal(back.since_ms, 1767323045000);
        assert_int_equal(seen, 1767323045001);
        assert_int_equal(back.proved_ms, 7);
        assert_int_equal(back.certificate, 8);
        assert_true(cp_str_eq(back.device, who.device));
        assert_true(cp_str_eq(back.place, who.place));
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
    who.place = cp_str_n(id, sizeof(id));
    assert_int_equal(cp_session_encode(&who, 1, record), 0);
}


static void
foreign_records(void **state)
{
    static const char *const rows[] = {
        "", " ", "2", "2 5 6 42 - sms 0 0 -", "1 5 6 42 - sms 0 0 - -", "2 5 6 0 - sms 0 0 - -",
        "2 5 6 -1 - sms 0 0 - -", "2 5 6 x - sms 0 0 - -", "2 5 6 42  sms 0 0 - -", "2 5 6 42 - sms 0 0 - ",
        " 2 5 6 42 - sms 0 0 - -", "2 5 6x 42 - sms 0 0 - -", "2 99999999999999999999 6 42 - sms 0 0 - -",
        "2 5 6 42 - sms x 0 - -", "2 5 6 42 - sms 0 x - -",
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
        { 300, 300, 1, true, false, 1801 },
        { 300, 300, 0, false, false, 1800 },           /* our clock was put back */
        { 0, 86400, 600, false, false, 2400 },
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


/* What is hashed waits among hashes; what only says that it will be is refused wherever it runs. */
static void
pools(void **state)
{
    static const struct {
        const char     *body;
        cp_pool_kind_t  pool;
    } rows[] = {
        { "{\"method\":\"password\",\"login\":\"a\",\"password\":\"b\"}", CP_POOL_PASSWORD },
        { " {\n\"login\": {}, \"m\\u0065thod\" : \"p\\u0061ssword\" } ", CP_POOL_PASSWORD },
        { "{\"method\":\"sms\",\"phone\":\"1\",\"code\":\"2\"}", CP_POOL_DATABASE },
        { "{\"method\":\"Password\"}", CP_POOL_DATABASE },
        { "{\"method\":\"sms\",\"x\":{\"method\":\"password\"}}", CP_POOL_DATABASE },
        { "{\"method\":[\"password\"]}", CP_POOL_DATABASE },
        { "{\"method\":\"password\",\"method\":\"password\"}", CP_POOL_DATABASE },
        { "[\"method\",\"password\"]", CP_POOL_DATABASE },
        { "{\"method\":\"password\"", CP_POOL_DATABASE },
        { "", CP_POOL_DATABASE },
    };
    static char long_body[3000];
    cp_call_t   call = { 0 };
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        call.body = cp_str(rows[i].body);
        assert_int_equal(cp_session_pool(&call), rows[i].pool);
    }

    memset(long_body, ' ', sizeof(long_body));
    call.body = cp_str_n(long_body, sizeof(long_body));
    assert_int_equal(cp_session_pool(&call), CP_POOL_PASSWORD);
    call.body = CP_STR_NULL;
    assert_int_equal(cp_session_pool(&call), CP_POOL_DATABASE);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),
        cmocka_unit_test(devices),
        cmocka_unit_test(places),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(too_long),
        cmocka_unit_test(foreign_records),
        cmocka_unit_test(lives),
        cmocka_unit_test(proofs),
        cmocka_unit_test(pools),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
