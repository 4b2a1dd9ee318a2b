/* Which certificates a client may sign in with: a row a certificate, made by OpenSSL here. */
#include "seams.h"

#include "certificate/client_rules.h"
#include "keys.h"

static cp_arena_t *arena;


static cp_code_t
judge(certificate_t given)
{
    cp_str_t  der = certificate_of(arena, given);
    cp_x509_t x509;

    assert_true(cp_x509_read(der, &x509));
    CP_TRY(cp_client_use(&x509));

    return cp_client_strength(&x509);
}


static void
expect(certificate_t given, cp_code_t code, const char *what)
{
    cp_code_t found = judge(given);

    if (found != code) {
        fail_msg("%s: %s", what, found == CP_OK ? "taken" : cp_error(found)->code);
    }
}


static void
uses(void **state)
{
    static const struct { const char *what, *basic, *usage, *purposes; cp_code_t code; } rows[] = {
        { "a holder's", NULL, NULL, NULL, CP_OK },
        { "without basicConstraints", "", NULL, NULL, CP_OK },
        { "without keyUsage", NULL, "", NULL, CP_OK },
        { "that also encrypts", NULL, "critical,digitalSignature,keyEncipherment,dataEncipherment", NULL, CP_OK },
        { "for mail, too", NULL, NULL, "emailProtection,clientAuth", CP_OK },
        { "an authority's", "critical,CA:TRUE", "critical,keyCertSign,cRLSign", "", CP_E_CERT_IS_CA },
        { "an authority's that may sign", "CA:TRUE", NULL, NULL, CP_E_CERT_IS_CA },
        { "one that may certify", NULL, "critical,digitalSignature,keyCertSign", NULL, CP_E_CERT_IS_CA },
        { "for encryption", NULL, "critical,keyEncipherment", NULL, CP_E_CERT_ENCRYPTION },
        { "for data", NULL, "critical,dataEncipherment", NULL, CP_E_CERT_ENCRYPTION },
        { "for key agreement", NULL, "critical,keyAgreement,decipherOnly", NULL, CP_E_CERT_ENCRYPTION },
        { "for encryption and no client", NULL, "keyEncipherment", "serverAuth", CP_E_CERT_ENCRYPTION },
        { "for documents only", NULL, "critical,nonRepudiation", NULL, CP_E_CERT_KEY_USAGE },
        { "for CRLs only", NULL, "critical,cRLSign", NULL, CP_E_CERT_KEY_USAGE },
        { "for servers", NULL, NULL, "serverAuth", CP_E_CERT_PURPOSE },
        { "for any purpose", NULL, NULL, "anyExtendedKeyUsage", CP_E_CERT_PURPOSE },
        { "without extended key usage", NULL, NULL, "", CP_E_CERT_PURPOSE },
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect((certificate_t) { .basic = rows[i].basic, .usage = rows[i].usage, .purposes = rows[i].purposes },
               rows[i].code, rows[i].what);
    }
}


static void
kinds_of_keys(void **state)
{
    static const struct { const char *name; cp_code_t code; } curves[] = {
        { "P-256", CP_OK }, { "P-384", CP_OK }, { "P-521", CP_OK },
        { "P-192", CP_E_CERT_UNSUPPORTED }, { "secp224r1", CP_E_CERT_UNSUPPORTED },
        { "secp256k1", CP_E_CERT_UNSUPPORTED }, { "brainpoolP256r1", CP_E_CERT_UNSUPPORTED },
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        expect((certificate_t) { .pkey = EVP_EC_gen(curves[i].name) }, curves[i].code, curves[i].name);
    }

    expect((certificate_t) { .pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") }, CP_E_CERT_UNSUPPORTED, "Ed25519");
    expect((certificate_t) { .pkey = rsa_key(2048, 65537) }, CP_OK, "RSA-2048");
    expect((certificate_t) { .pkey = rsa_key(2304, 65537) }, CP_E_CERT_UNSUPPORTED, "RSA-2304");
}


static void
weak_keys(void **state)
{
    BIGNUM *p = prime(1024), *q = prime_after(p), *r = roca_prime(), *s = roca_prime();

    (void) state;

    expect((certificate_t) { .pkey = rsa_key(1024, 65537) }, CP_E_CERT_WEAK, "RSA-1024");
    expect((certificate_t) { .pkey = rsa_key(2048, 3) }, CP_E_CERT_WEAK, "exponent 3");
    expect((certificate_t) { .pkey = rsa_of(p, q, 65537) }, CP_E_CERT_WEAK, "neighbouring primes");
    expect((certificate_t) { .pkey = rsa_of(r, s, 65537) }, CP_E_CERT_WEAK, "ROCA");
    expect((certificate_t) { .md = EVP_sha1() }, CP_E_CERT_WEAK, "ECDSA with SHA-1");
    expect((certificate_t) { .pkey = rsa_key(2048, 65537), .md = EVP_sha1() }, CP_E_CERT_WEAK, "RSA with SHA-1");
    expect((certificate_t) { .pkey = rsa_key(2048, 65537), .md = EVP_md5() }, CP_E_CERT_WEAK, "RSA with MD5");
    expect((certificate_t) { .md = EVP_sha384() }, CP_OK, "ECDSA with SHA-384");

    BN_free(p);
    BN_free(q);
    BN_free(r);
    BN_free(s);
}


static void
critical(void **state)
{
    (void) state;

    expect((certificate_t) { .critical = "1.3.6.1.4.1.55555.1" }, CP_E_CERT_UNSUPPORTED, "an OID of nobody");
    expect((certificate_t) { .critical = "2.5.29.54" }, CP_E_CERT_UNSUPPORTED, "inhibitAnyPolicy");
}


static void
dates(void **state)
{
    static const struct { int64_t now_ms; cp_code_t code; } rows[] = {
        { 999, CP_E_CERT_NOT_YET }, { 1000, CP_OK }, { 5000, CP_OK }, { 9000, CP_OK }, { 9999, CP_OK },
        { 10000, CP_E_CERT_EXPIRED }, { INT64_MAX / 2, CP_E_CERT_EXPIRED }, { 0, CP_E_CERT_NOT_YET },
    };
    cp_x509_t x509 = { .not_before_ms = 1000, .not_after_ms = 9000 };
    size_t    i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cp_client_dates(&x509, rows[i].now_ms), rows[i].code);
    }
}


/* Every verdict but the good one refuses, each in its own way. */
static void
verdicts(void **state)
{
    cp_code_t seen[CP_TLS_VERDICTS];
    int       i, k;

    (void) state;

    for (i = 0; i < CP_TLS_VERDICTS; i++) {
        seen[i] = cp_client_verdict((cp_tls_verdict_t) i);
        assert_true((seen[i] == CP_OK) == (i == CP_TLS_VERIFIED));
        for (k = 0; k < i; k++) {
            assert_int_not_equal(seen[i], seen[k]);
        }
    }

    assert_int_equal(cp_client_verdict(CP_TLS_VERDICTS), CP_E_CERT_UNTRUSTED);
    assert_int_equal(cp_client_verdict((cp_tls_verdict_t) 1000), CP_E_CERT_UNTRUSTED);
}


static int
start(void **state)
{
    (void) state;

    arena = cp_arena_new(0);
    return arena == NULL ? -1 : 0;
}


static int
finish(void **state)
{
    (void) state;

    cp_arena_free(arena);
    return 0;
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uses), cmocka_unit_test(kinds_of_keys), cmocka_unit_test(weak_keys),
        cmocka_unit_test(critical), cmocka_unit_test(dates), cmocka_unit_test(verdicts),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, start, finish);
}
