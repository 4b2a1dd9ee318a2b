/* Signature Version 4 against the examples of its documentation, and what is read out of listings. */
#include <string.h>

#include "base/crypto.h"
#include "seams.h"
#include "store/s3.h"
#include "store/sigv4.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))

#define EMPTY_SHA256  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


/* docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html: GET and PUT Object, GET Bucket lifecycle, List. */
static void
vectors(void **state)
{
    const struct {
        const char *method, *path;
        cp_pair_t   query[2];
        size_t      query_count;
        cp_pair_t   headers[5];
        size_t      header_count;
        const char *digest, *signature;
    } rows[] = {
        { "GET", "/test.txt", { { CP_STR_NULL, CP_STR_NULL } }, 0,
          { { CP_STR("host"), CP_STR("examplebucket.s3.amazonaws.com") }, { CP_STR("range"), CP_STR("bytes=0-9") },
            { CP_STR("x-amz-content-sha256"), CP_STR(EMPTY_SHA256) },
            { CP_STR("x-amz-date"), CP_STR("20130524T000000Z") } }, 4, EMPTY_SHA256,
          "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
        { "PUT", "/test%24file.text", { { CP_STR_NULL, CP_STR_NULL } }, 0,
          { { CP_STR("date"), CP_STR("Fri, 24 May 2013 00:00:00 GMT") },
            { CP_STR("host"), CP_STR("examplebucket.s3.amazonaws.com") },
            { CP_STR("x-amz-content-sha256"),
              CP_STR("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072") },
            { CP_STR("x-amz-date"), CP_STR("20130524T000000Z") },
            { CP_STR("x-amz-storage-class"), CP_STR("REDUCED_REDUNDANCY") } }, 5,
          "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
        { "GET", "/", { { CP_STR("lifecycle"), CP_STR("") } }, 1,
          { { CP_STR("host"), CP_STR("examplebucket.s3.amazonaws.com") },
            { CP_STR("x-amz-content-sha256"), CP_STR(EMPTY_SHA256) },
            { CP_STR("x-amz-date"), CP_STR("20130524T000000Z") } }, 3, EMPTY_SHA256,
          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
        { "GET", "/", { { CP_STR("prefix"), CP_STR("J") }, { CP_STR("max-keys"), CP_STR("2") } }, 2,
          { { CP_STR("host"), CP_STR("examplebucket.s3.amazonaws.com") },
            { CP_STR("x-amz-content-sha256"), CP_STR(EMPTY_SHA256) },
            { CP_STR("x-amz-date"), CP_STR("20130524T000000Z") } }, 3, EMPTY_SHA256,
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
    };
    cp_sigv4_t  by = { CP_STR("AKIAIOSFODNN7EXAMPLE"), CP_STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                       "us-east-1", "s3", "20130524T000000Z" };
    cp_arena_t *arena = cp_arena_new(0);
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_canonical_t request = { rows[i].method, cp_str(rows[i].path), rows[i].query, rows[i].query_count,
                                   rows[i].headers, rows[i].header_count, cp_str(rows[i].digest) };
        cp_str_t       value = cp_sigv4_authorization(arena, &by, &request);

        assert_non_null(value.data);
        assert_string_equal(strstr(value.data, "Signature=") + 10, rows[i].signature);
        assert_true(cp_str_starts(value, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                                  "aws4_request,SignedHeaders="));
    }

    cp_arena_free(arena);
}


static void
listings(void **state)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name>"
        "<Contents><Key>m/0123456789abcdef0123456789abcdef</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
        "<Size>5</Size></Contents>"
        "<Contents><Key>m/notes.txt</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>"
        "<Contents><Key>other/0123456789abcdef0123456789abcdef</Key>"
        "<LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>"
        "<Contents><Key>m/ffffffffffffffffffffffffffffffff</Key><LastModified>soon</LastModified></Contents>"
        "<Contents><LastModified>1970-01-01T00:00:01.000Z</LastModified>"
        "<Key>m/fedcba9876543210fedcba9876543210</Key></Contents>"
        "<IsTruncated>true</IsTruncated><NextContinuationToken>abc+/=</NextContinuationToken></ListBucketResult>";
    cp_str_t name;
    int64_t  modified;
    size_t   at = 0, cut;

    (void) state;

    assert_true(cp_s3_listed(CP_STR(xml), &at, "m/", &name, &modified));
    assert_true(cp_str_is(name, "0123456789abcdef0123456789abcdef"));
    assert_int_equal(modified, 1767323045000);
    assert_true(cp_s3_listed(CP_STR(xml), &at, "m/", &name, &modified));
    assert_true(cp_str_is(name, "fedcba9876543210fedcba9876543210"));
    assert_int_equal(modified, 1000);
    assert_false(cp_s3_listed(CP_STR(xml), &at, "m/", &name, &modified));

    assert_true(cp_str_is(cp_s3_next_page(CP_STR(xml)), "abc+/="));
    assert_null(cp_s3_next_page(CP_STR("<IsTruncated>false</IsTruncated>")).data);

    for (cut = 0; cut < sizeof(xml) - 1; cut++) {           /* an answer that broke off anywhere */
        at = 0;
        while (cp_s3_listed(cp_str_n(xml, cut), &at, "m/", &name, &modified)) {
            assert_true(cp_file_name_is_valid(name));
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(listings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
