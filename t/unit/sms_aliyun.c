/* Aliyun's ACS3 signature against the vectors of its documentation. */
#include <string.h>

#include "notify/sms_aliyun.h"
#include "seams.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))

#define EMPTY_SHA256  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


static void
vectors(void **state)
{
    static const struct { const char *date, *nonce, *hash, *signature; } rows[] = {
        { "2023-10-26T10:22:32Z", "3156853299f313e23d1673dc12e1703d",
          "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
          "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0" },
        { "2023-10-26T09:01:01Z", "d410180a5abf7fe235dd9b74aca91fc0",
          "29622f5feb1e9fcaaa2e276a72889c975f7b16f00e02be1ca34965b18cd85015",
          "e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804" },
    };
    cp_arena_t *arena = cp_arena_new(0);
    cp_pair_t   query[] = {
        { CP_STR("RegionId"), CP_STR("cn-shanghai") },
        { CP_STR("ImageId"), CP_STR("win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd") },
    };
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_pair_t         headers[] = {
            { CP_STR("x-acs-version"), CP_STR("2014-05-26") },
            { CP_STR("x-acs-signature-nonce"), cp_str(rows[i].nonce) },
            { CP_STR("x-acs-date"), cp_str(rows[i].date) },
            { CP_STR("x-acs-content-sha256"), CP_STR(EMPTY_SHA256) },
            { CP_STR("x-acs-action"), CP_STR(" RunInstances ") },
            { CP_STR("host"), CP_STR("ecs.cn-shanghai.aliyuncs.com") },
        };
        cp_canonical_t request = { "POST", CP_STR("/"), query, COUNT(query), headers, COUNT(headers),
                                     CP_STR(EMPTY_SHA256) };
        cp_str_t          canonical, expected;

        canonical = cp_canonical_request(arena, &request);
        assert_string_equal(cp_sha256_hex(arena, canonical).data, rows[i].hash);
        assert_string_equal(cp_acs3_signature(arena, CP_STR("YourAccessKeySecret"), canonical).data,
                            rows[i].signature);

        expected = cp_str_printf(arena, "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
                                 "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=%s",
                                 rows[i].signature);
        assert_string_equal(cp_acs3_authorization(arena, CP_STR("YourAccessKeyId"), CP_STR("YourAccessKeySecret"),
                                                  &request).data, expected.data);
    }

    cp_arena_free(arena);
}


static void
escaping(void **state)
{
    static const struct { const char *text, *expected; } rows[] = {
        { "", "" },
        { "azAZ09-_.~", "azAZ09-_.~" },
        { " +*/&=", "%20%2B%2A%2F%26%3D" },
        { "{\"code\":\"012345\"}", "%7B%22code%22%3A%22012345%22%7D" },
        { "内蒙古CA", "%E5%86%85%E8%92%99%E5%8F%A4CA" },
    };
    cp_arena_t *arena = cp_arena_new(0);
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(cp_url_escape(arena, cp_str(rows[i].text)).data, rows[i].expected);
    }

    cp_arena_free(arena);
}


static void
query_order(void **state)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_pair_t   query[] = { { CP_STR("b"), CP_STR("2") }, { CP_STR("a"), CP_STR("2") }, { CP_STR("aa"), CP_STR("") },
                            { CP_STR("a"), CP_STR("1") }, { CP_STR("B"), CP_STR("x y") } };

    (void) state;

    assert_string_equal(cp_canonical_query(arena, query, COUNT(query)).data, "B=x%20y&a=1&a=2&aa=&b=2");
    assert_string_equal(cp_canonical_query(arena, query, 0).data, "");
    assert_null(cp_canonical_query(arena, query, CP_CANONICAL_PAIRS_MAX + 1).data);

    cp_arena_free(arena);
}


static void
memory_out(void **state)
{
    cp_pair_t         pair = { CP_STR("a"), CP_STR("b") };
    cp_canonical_t request = { "POST", CP_STR("/"), &pair, 1, &pair, 1, CP_STR(EMPTY_SHA256) };
    long              n;

    (void) state;

    for (n = 0; ; n++) {
        cp_arena_t *arena = cp_arena_new(0);
        bool        done;

        cp_arena_fail_after(arena, n);
        done = cp_acs3_authorization(arena, CP_STR("id"), CP_STR("secret"), &request).data != NULL;
        cp_arena_free(arena);
        if (done) {
            break;
        }
    }
    assert_true(n > 5);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(escaping),
        cmocka_unit_test(query_order),
        cmocka_unit_test(memory_out),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
