/* What is built passes the lint; each of the changed templates is stopped. */
#include "seams.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "certificate/der.h"
#include "certificate/lint.h"

static const char profiles_text[] =
    "profile unit {\n"
    "    subject C ST? O OU? CN;\n"
    "    key p256 rsa2048;\n"
    "    key_usage digital_signature non_repudiation;\n"
    "    extended_key_usage client_auth email_protection;\n"
    "    policy 1.2.156.112562.1 http://ca.example/cps;\n"
    "    identifier uscc 1.2.156.10260.4.1.4 printable;\n"
    "    crl http://ca.example/crl/$issuer.crl;\n"
    "    aia http://ca.example/api/issuers/$issuer;\n"
    "    years 1 5;\n"
    "}\n";

typedef struct {
    cp_arena_t      *arena;
    cp_profiles_t   *profiles;
    cp_profile_t     profile;
    EVP_PKEY        *ca_key;
    cp_issuer_t      issuer;
    cp_subject_t     subject;
    cp_public_key_t  key;
    cp_tbs_t         tbs;
    cp_lint_t        lint;
} bench_t;

static bench_t bench;


static cp_str_t
spki_of(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int            n = i2d_PUBKEY(pkey, &der);
    cp_str_t       copy;

    assert_true(n > 0);
    copy = cp_str_dup(bench.arena, cp_str_n(der, (size_t) n));
    OPENSSL_free(der);

    return copy;
}


static void
add_extension(X509 *x509, int nid, const char *value)
{
    X509V3_CTX      ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}


static cp_str_t
make_ca(EVP_PKEY *key)
{
    X509          *x509 = X509_new();
    unsigned char *der = NULL;
    cp_str_t       copy;
    int            n;

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, (const unsigned char *) "Test CA", -1,
                               -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    ASN1_TIME_set(X509_getm_notBefore(x509), (time_t) (test_now_ms / 1000 - 86400));
    ASN1_TIME_set(X509_getm_notAfter(x509), (time_t) (test_now_ms / 1000 + INT64_C(20) * 365 * 86400));
    X509_set_pubkey(x509, key);
    add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x509, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(x509, NID_subject_key_identifier, "hash");
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);

    n = i2d_X509(x509, &der);
    copy = cp_str_dup(bench.arena, cp_str_n(der, (size_t) n));
    OPENSSL_free(der);
    X509_free(x509);

    return copy;
}


static int
set_up(void **state)
{
    static const char subject[] = "{\"C\":\"CN\",\"O\":\"内蒙古测试有限公司\",\"OU\":\"财务部\","
                                  "\"CN\":\"内蒙古测试有限公司\",\"uscc\":\"91110000802100433B\"}";

    const char *why;
    unsigned    line;
    EVP_PKEY   *pkey;

    (void) state;

    bench.arena = cp_arena_new(65536);
    bench.profiles = cp_profiles_parse(CP_STR(profiles_text), &why, &line);
    if (bench.profiles == NULL) {
        fail_msg("%s:%u", why, line);
    }
    bench.profile = *cp_profile_find(bench.profiles, CP_STR("unit"));

    bench.ca_key = EVP_EC_gen("P-256");
    assert_null(cp_issuer_read(CP_STR("test"), make_ca(bench.ca_key), &bench.issuer));
    assert_int_equal(cp_subject_read(bench.arena, CP_STR(subject), &bench.subject), CP_OK);

    pkey = EVP_EC_gen("P-256");
    assert_int_equal(cp_public_key_read(spki_of(pkey), &bench.key), CP_CSR_GOOD);
    EVP_PKEY_free(pkey);

    bench.tbs = (cp_tbs_t) {
        &bench.profile, &bench.issuer, &bench.subject, &bench.key, cp_serial_new(bench.arena),
        test_now_ms - 300000, 2
    };
    /* a serial number whose length does not depend on chance */
    bench.tbs.serial.data[0] |= 0x40;
    bench.lint = (cp_lint_t) { &bench.tbs, bench.tbs.not_before_ms, bench.tbs.not_before_ms };

    return 0;
}


static int
tear_down(void **state)
{
    (void) state;

    EVP_PKEY_free(bench.ca_key);
    cp_profiles_free(bench.profiles);
    cp_arena_free(bench.arena);

    return 0;
}


static cp_str_t
build(const cp_tbs_t *tbs)
{
    cp_str_t bytes;

    assert_int_equal(cp_tbs_write(tbs, bench.arena, &bytes), CP_OK);
    return bytes;
}


static void
stopped(cp_str_t bytes, const char *what)
{
    if (cp_lint(bytes, &bench.lint, bench.arena) == NULL) {
        fail_msg("not stopped: %s", what);
    }
}


static void
good_passes(void **state)
{
    cp_str_t              tbs = build(&bench.tbs), der;
    unsigned char         signature[128];
    const unsigned char  *p;
    size_t                size = sizeof(signature);
    EVP_MD_CTX           *ctx = EVP_MD_CTX_new();
    X509                 *x509;
    const char           *fault;

    (void) state;

    fault = cp_lint(tbs, &bench.lint, bench.arena);
    if (fault != NULL) {
        fail_msg("%s", fault);
    }

    /* OpenSSL reads and verifies what we wrote. */
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, bench.ca_key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &size, (unsigned char *) tbs.data, tbs.len), 1);
    EVP_MD_CTX_free(ctx);
    assert_int_equal(cp_signed_write(tbs, bench.issuer.algorithm, cp_str_n(signature, size), bench.arena, &der),
                     CP_OK);

    p = (const unsigned char *) der.data;
    x509 = d2i_X509(NULL, &p, (long) der.len);
    assert_non_null(x509);
    assert_int_equal(X509_verify(x509, bench.ca_key), 1);
    assert_int_equal(X509_check_purpose(x509, X509_PURPOSE_SSL_CLIENT, 0), 1);
    assert_int_equal(X509_check_ca(x509), 0);
    assert_int_equal(X509_get_ext_count(x509), 9);
    X509_free(x509);
}


/* Every byte counts: none can be changed without being seen. */
static void
each_byte_counts(void **state)
{
    cp_str_t tbs = build(&bench.tbs);
    size_t   i;
    char     what[40];

    (void) state;

    for (i = 0; i < tbs.len; i++) {
        tbs.data[i] ^= 1;
        snprintf(what, sizeof(what), "byte %zu", i);
        stopped(tbs, what);
        tbs.data[i] ^= 1;

        snprintf(what, sizeof(what), "cut at %zu", i);
        stopped(cp_str_n(tbs.data, i), what);
    }
    assert_null(cp_lint(tbs, &bench.lint, bench.arena));
}


/* Templates built from something else than what was verified. */
static void
foreign_parts(void **state)
{
    static char  long_serial[21] = { 1 };
    cp_tbs_t     tbs;
    cp_profile_t profile;
    cp_issuer_t  issuer;
    cp_subject_t subject;
    cp_str_t     valid_value;
    size_t       i;

    static const struct { int64_t before_ms; int64_t years; const char *what; } times[] = {
        { 1000, 0, "notBefore a second late" }, { -1000, 0, "notBefore a second early" },
        { -86400000, 0, "notBefore a day early" }, { 0, 1, "a year too many" }, { 0, -1, "a year too few" },
        { 0, 28, "beyond the issuer" },
    };
    static const struct { size_t len; const char *what; } serials[] = {
        { 1, "short serial number" }, { 7, "serial number of 56 bits" }, { 21, "serial number of 21 octets" },
        { 15, "another serial number" },
    };

    (void) state;

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        tbs = bench.tbs;
        tbs.not_before_ms += times[i].before_ms;
        tbs.years += times[i].years;
        stopped(build(&tbs), times[i].what);
    }

    for (i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
        tbs = bench.tbs;
        tbs.serial = cp_str_n(long_serial, serials[i].len);
        stopped(build(&tbs), serials[i].what);
    }

    for (i = 0; i < bench.subject.count; i++) {
        subject = bench.subject;
        subject.values[i] = CP_STR("XX");
        tbs = bench.tbs;
        tbs.subject = &subject;
        stopped(build(&tbs), subject.names[i].data);
    }

    subject = bench.subject;
    valid_value = subject.values[2];
    subject.values[2] = CP_STR_NULL;
    tbs = bench.tbs;
    tbs.subject = &subject;
    stopped(build(&tbs), "optional attribute left out");
    subject.values[2] = valid_value;

    issuer = bench.issuer;
    issuer.key_id = CP_STR("12345678901234567890");
    tbs = bench.tbs;
    tbs.issuer = &issuer;
    stopped(build(&tbs), "authority key identifier of another");

    issuer = bench.issuer;
    issuer.subject = CP_STR("\x30\x00");
    stopped(build(&tbs), "no issuer");

    issuer = bench.issuer;
    issuer.algorithm = CP_STR("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01");
    stopped(build(&tbs), "ecdsa-with-SHA1");

    issuer = bench.issuer;
    issuer.name = CP_STR("other");
    stopped(build(&tbs), "URLs of another issuer");

    profile = bench.profile;
    tbs = bench.tbs;
    tbs.profile = &profile;

#define PROFILE_MUTANT(change)                                                                                         \
    do {                                                                                                               \
        profile = bench.profile;                                                                                       \
        change;                                                                                                        \
        stopped(build(&tbs), #change);                                                                                 \
    } while (0)

    PROFILE_MUTANT(profile.key_usage |= 0x04);
    PROFILE_MUTANT(profile.key_usage = 0x80);
    PROFILE_MUTANT(profile.key_usage |= 0x20);
    PROFILE_MUTANT(profile.purpose_count = 0);
    PROFILE_MUTANT(profile.purpose_count = 1);
    PROFILE_MUTANT(profile.purposes[1] = CP_STR("\x2b\x06\x01\x05\x05\x07\x03\x01"));
    PROFILE_MUTANT(profile.policy_count = 0);
    PROFILE_MUTANT(profile.policies[0].cps = CP_STR_NULL);
    PROFILE_MUTANT(profile.policies[0].oid = CP_STR("\x55\x1d\x20\x00"));
    PROFILE_MUTANT(profile.crl = CP_STR_NULL);
    PROFILE_MUTANT(profile.crl = CP_STR("http://ca.example/crl/other.crl"));
    PROFILE_MUTANT(profile.aia = CP_STR_NULL);
    PROFILE_MUTANT(profile.ocsp = CP_STR("http://ca.example/ocsp"));
    PROFILE_MUTANT(profile.identifier_count = 0);
    PROFILE_MUTANT(profile.identifiers[0].tag = CP_DER_UTF8);
    PROFILE_MUTANT(profile.identifiers[0].wrap = CP_DER_EXPLICIT(0));
    PROFILE_MUTANT(profile.part_count = 1);
}


static cp_str_t
replace(cp_str_t tbs, cp_str_t from, cp_str_t to)
{
    char    *at = memmem(tbs.data, tbs.len, from.data, from.len);
    cp_str_t copy;

    assert_non_null(at);
    assert_int_equal(from.len, to.len);
    copy = cp_str_dup(bench.arena, tbs);
    memcpy(copy.data + (at - tbs.data), to.data, to.len);

    return copy;
}


/* Changes of form that keep all lengths. */
static void
other_forms(void **state)
{
    cp_str_t        tbs = build(&bench.tbs), zero;
    cp_public_key_t other;
    cp_tbs_t        changed = bench.tbs;
    EVP_PKEY       *pkey = EVP_EC_gen("P-256");
    size_t          i;

    static const struct { cp_str_t from, to; const char *what; } rows[] = {
        { { 5, "\xa0\x03\x02\x01\x02" }, { 5, "\xa0\x03\x02\x01\x01" }, "version 2" },
        { { 5, "\xa0\x03\x02\x01\x02" }, { 5, "\xa0\x03\x02\x01\x00" }, "version 1" },
        { { 5, "\x55\x04\x0a\x0c\x1b" }, { 5, "\x55\x04\x0a\x14\x1b" }, "O as TeletexString" },
        { { 5, "\x55\x04\x06\x13\x02" }, { 5, "\x55\x04\x06\x0c\x02" }, "C as UTF8String" },
        { { 5, "\x55\x04\x03\x0c\x1b" }, { 5, "\x55\x04\x03\x1e\x1b" }, "CN as BMPString" },
        { { 5, "\x55\x04\x06\x13\x02" }, { 5, "\x55\x04\x08\x13\x02" }, "ST in place of C" },
        { { 6, "\x55\x1d\x0f\x01\x01\xff" }, { 6, "\x55\x1d\x0f\x01\x01\x01" }, "BOOLEAN 01" },
        { { 6, "\x55\x1d\x0f\x01\x01\xff" }, { 6, "\x55\x1d\x0f\x01\x01\x00" }, "critical FALSE written out" },
        { { 3, "\x55\x1d\x13" }, { 3, "\x55\x1d\x0f" }, "an extension twice" },
        { { 3, "\x55\x1d\x25" }, { 3, "\x55\x1d\x36" }, "an unknown extension" },
        { { 2, "\x17\x0d" }, { 2, "\x18\x0d" }, "GeneralizedTime before 2050" },
        { { 4, "\x03\x02\x06\xc0" }, { 4, "\x03\x02\x05\xc0" }, "trailing zero bit in a named bit list" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        stopped(replace(tbs, rows[i].from, rows[i].to), rows[i].what);
    }

    zero = cp_str_dup(bench.arena, tbs);
    stopped(cp_str_n(zero.data, zero.len + 1), "a byte behind the end");

    assert_int_equal(cp_public_key_read(spki_of(pkey), &other), CP_CSR_GOOD);
    changed.key = &other;
    stopped(build(&changed), "another key");
    EVP_PKEY_free(pkey);
}


/* What the expectation itself forbids. */
static void
forbidden_orders(void **state)
{
    cp_tbs_t tbs = bench.tbs;
    unsigned keys = bench.profile.keys;

    (void) state;

    bench.profile.keys = CP_KEY_RSA2048;
    stopped(build(&bench.tbs), "kind of key");
    bench.profile.keys = keys;

    bench.profile.years_max = 1;
    stopped(build(&tbs), "years");
    bench.profile.years_max = 5;

    bench.profile.name_max = 3;
    stopped(build(&tbs), "length of a name");
    bench.profile.name_max = 64;
}


static void
years(void **state)
{
    static const struct { int64_t from_s, years, to_s; } rows[] = {
        { 1767323045, 1, 1798859044 },      /* 2026-01-02T03:04:05Z */
        { 1709164800, 1, 1740700799 },      /* 2024-02-29: to the end of 2025-02-27 */
        { 1709164800, 4, 1835395199 },      /* to the end of 2028-02-28 */
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cp_years_after(rows[i].from_s * 1000, rows[i].years), rows[i].to_s * 1000);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_passes),
        cmocka_unit_test(each_byte_counts),
        cmocka_unit_test(foreign_parts),
        cmocka_unit_test(other_forms),
        cmocka_unit_test(forbidden_orders),
        cmocka_unit_test(years),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
