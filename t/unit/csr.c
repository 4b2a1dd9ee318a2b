/* Requests, good and bad, made by OpenSSL here: each bad one is refused for its own reason. */
#include "seams.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "certificate/csr.h"
#include "certificate/der.h"
#include "certificate/tbs.h"
#include "keys.h"

static cp_arena_t *arena;


/* A request for the key (which is released), signed with the digest. */
static cp_str_t
request(EVP_PKEY *pkey, const EVP_MD *md)
{
    X509_REQ      *req = X509_REQ_new();
    unsigned char *der = NULL;
    cp_str_t       copy;
    int            n;

    X509_REQ_set_version(req, X509_REQ_VERSION_1);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                               (const unsigned char *) "whoever", -1, -1, 0);
    assert_int_equal(X509_REQ_set_pubkey(req, pkey), 1);
    assert_true(X509_REQ_sign(req, pkey, md) > 0);

    n = i2d_X509_REQ(req, &der);
    copy = cp_str_dup(arena, cp_str_n(der, (size_t) n));
    OPENSSL_free(der);
    X509_REQ_free(req);
    EVP_PKEY_free(pkey);

    return copy;
}


static void
expect(cp_str_t input, cp_csr_fault_t fault, const char *what)
{
    cp_csr_t       csr;
    cp_csr_fault_t found = cp_csr_check(input, arena, &csr);

    if (found != fault) {
        fail_msg("%s: %s", what, cp_csr_fault(found)->en);
    }
}


static void
good(void **state)
{
    unsigned char digest[CP_SHA256_SIZE];
    cp_csr_t      csr;
    cp_str_t      der, pem;

    static const struct { unsigned bits; unsigned kind; } rsa[] = {
        { 2048, CP_KEY_RSA2048 }, { 3072, CP_KEY_RSA3072 }, { 4096, CP_KEY_RSA4096 },
    };
    size_t i;

    (void) state;

    der = request(EVP_EC_gen("P-256"), EVP_sha256());
    assert_int_equal(cp_csr_check(der, arena, &csr), CP_CSR_GOOD);
    assert_int_equal(csr.key.kind, CP_KEY_P256);
    assert_true(cp_str_eq(csr.der, der));
    assert_int_equal(csr.spki_sha256.len, CP_SHA256_SIZE);
    assert_int_equal(cp_sha256(csr.key.spki, digest), CP_OK);
    assert_memory_equal(digest, csr.spki_sha256.data, CP_SHA256_SIZE);

    pem = cp_pem_write(arena, "CERTIFICATE REQUEST", der);
    assert_int_equal(cp_csr_check(pem, arena, &csr), CP_CSR_GOOD);
    assert_true(cp_str_eq(csr.der, der));
    expect(cp_pem_write(arena, "NEW CERTIFICATE REQUEST", der), CP_CSR_GOOD, "older label");
    expect(cp_str_printf(arena, "\r\n%s  \n", pem.data), CP_CSR_GOOD, "blanks around PEM");

    expect(request(EVP_EC_gen("P-256"), EVP_sha384()), CP_CSR_GOOD, "P-256 with SHA-384");
    expect(request(rsa_key(2048, 65537), EVP_sha512()), CP_CSR_GOOD, "RSA with SHA-512");

    for (i = 0; i < 2; i++) {
        der = request(rsa_key(rsa[i].bits, 65537), EVP_sha256());
        assert_int_equal(cp_csr_check(der, arena, &csr), CP_CSR_GOOD);
        assert_int_equal(csr.key.kind, rsa[i].kind);
    }
}


static void
bad_form(void **state)
{
    cp_str_t der = request(EVP_EC_gen("P-256"), EVP_sha256()), copy, pem;
    size_t   i;
    char     what[40];

    (void) state;

    expect(CP_STR(""), CP_CSR_NOT_DER, "empty");
    expect(CP_STR("\x30\x80\x00\x00"), CP_CSR_NOT_DER, "indefinite length");
    expect(CP_STR("\x30\x03\x02\x01\x00"), CP_CSR_STRUCTURE, "another structure");
    expect(CP_STR("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"), CP_CSR_NOT_DER,
           "empty PEM");
    expect(CP_STR("hello"), CP_CSR_NOT_DER, "text");

    copy = cp_str_dup(arena, der);
    expect(cp_str_n(copy.data, copy.len + 1), CP_CSR_TRAILING, "a byte behind the end");

    pem = cp_pem_write(arena, "CERTIFICATE", der);
    expect(pem, CP_CSR_NOT_DER, "PEM of a certificate");
    pem = cp_pem_write(arena, "CERTIFICATE REQUEST", der);
    expect(cp_str_n(pem.data, pem.len - 5), CP_CSR_NOT_DER, "PEM cut short");
    pem.data[60] = '!';
    expect(pem, CP_CSR_NOT_DER, "PEM with a character that is not base64");

    /* No byte can be cut, and none can be changed without notice. */
    for (i = 0; i < der.len; i++) {
        cp_csr_t csr;

        snprintf(what, sizeof(what), "byte %zu", i);
        copy.data[i] ^= 1;
        if (cp_csr_check(cp_str_n(copy.data, der.len), arena, &csr) == CP_CSR_GOOD) {
            fail_msg("%s changed", what);
        }
        copy.data[i] ^= 1;
        if (cp_csr_check(cp_str_n(der.data, i), arena, &csr) == CP_CSR_GOOD) {
            fail_msg("cut at %s", what);
        }
    }

    /* SEQUENCE, SEQUENCE, INTEGER: with short lengths the version is at a known place. */
    copy = cp_str_dup(arena, der);
    assert_non_null(memmem(copy.data, 16, "\x02\x01\x00", 3));
    ((char *) memmem(copy.data, 16, "\x02\x01\x00", 3))[2] = 1;
    expect(copy, CP_CSR_VERSION, "version 1");

    copy = cp_str_dup(arena, der);
    copy.data[copy.len - 1] ^= 1;
    expect(copy, CP_CSR_SIGNATURE, "changed signature");
}


static void
bad_algorithms(void **state)
{
    (void) state;

    expect(request(EVP_EC_gen("P-256"), EVP_sha1()), CP_CSR_SIGNATURE_ALGORITHM, "ECDSA with SHA-1");
    expect(request(rsa_key(2048, 65537), EVP_sha1()), CP_CSR_SIGNATURE_ALGORITHM, "RSA with SHA-1");
    expect(request(rsa_key(2048, 65537), EVP_md5()), CP_CSR_SIGNATURE_ALGORITHM, "RSA with MD5");
    expect(request(EVP_EC_gen("P-384"), EVP_sha384()), CP_CSR_KEY_TYPE, "P-384");
    expect(request(EVP_EC_gen("secp256k1"), EVP_sha256()), CP_CSR_KEY_TYPE, "another curve");
    expect(request(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL), CP_CSR_KEY_TYPE, "Ed25519");
}


/* Made elsewhere: a request for an SM2 key, whose signature has NULL parameters and the default id. */
static void
sm2(void **state)
{
    static const char text[] =
        "MIHhMIGGAgEAMCQxCzAJBgNVBAYTAkNOMRUwEwYDVQQDDAzmtYvor5XljZXkvY0wWTATBgcqhkjOPQIBBggqgRzPVQGCLQNCAASj2MddMnksILU+"
        "YnI2qA/6ArENWlQVHb6FdiHwaxczSSQlhyaX6Ay4rnkiFG902yAbWWkS8cMUN2Pha9GEbQ67oAAwDAYIKoEcz1UBg3UFAANIADBFAiBV432MQ0j2"
        "RFU0Yr5Qv2BfvDL53+18FWzcH7YMSYNJRgIhAOnbW1BHz/ISbeEfIsT1A0yXQ2NepgpdBEeEvphrzpKd";
    cp_str_t der;
    cp_csr_t csr;
    char    *point;

    (void) state;

    assert_true(cp_str_unbase64(arena, CP_STR(text), &der));
    assert_int_equal(cp_csr_check(der, arena, &csr), CP_CSR_GOOD);
    assert_int_equal(csr.key.kind, CP_KEY_SM2);
    assert_string_equal(cp_key_kind_title(csr.key.kind), "SM2");

    der.data[der.len - 1] ^= 1;
    expect(der, CP_CSR_SIGNATURE, "changed signature");
    der.data[der.len - 1] ^= 1;
    point = memmem(der.data, der.len, "\x03\x42\x00\x04", 4);
    point[10] ^= 1;
    expect(der, CP_CSR_POINT, "point off the curve of SM2");
}


/* A valid frame around a point that is not on the curve: the key is judged before the signature. */
static void
bad_point(void **state)
{
    cp_str_t der = request(EVP_EC_gen("P-256"), EVP_sha256()), copy = cp_str_dup(arena, der);
    char    *point = memmem(copy.data, copy.len, "\x03\x42\x00\x04", 4);

    (void) state;

    assert_non_null(point);
    point[10] ^= 1;
    expect(copy, CP_CSR_POINT, "point off the curve");
    point[10] ^= 1;
    memset(point + 4, 0, 64);
    expect(copy, CP_CSR_POINT, "zero point");
    point[3] = 2;
    expect(copy, CP_CSR_POINT, "compressed form with the wrong length");
}


static void
weak_rsa(void **state)
{
    BIGNUM *p, *q, *small;
    BN_CTX *ctx = BN_CTX_new();

    (void) state;

    expect(request(rsa_key(1024, 65537), EVP_sha256()), CP_CSR_SHORT, "RSA of 1,024 bits");
    expect(request(rsa_key(2046, 65537), EVP_sha256()), CP_CSR_SHORT, "RSA of 2,046 bits");
    expect(request(rsa_key(2304, 65537), EVP_sha256()), CP_CSR_LENGTH, "RSA of 2,304 bits");
    expect(request(rsa_key(2048, 3), EVP_sha256()), CP_CSR_EXPONENT, "exponent 3");
    expect(request(rsa_key(2048, 65535), EVP_sha256()), CP_CSR_EXPONENT, "exponent 65,535");

    p = roca_prime();
    q = roca_prime();
    expect(request(rsa_of(p, q, 65537), EVP_sha256()), CP_CSR_ROCA, "both primes of the vulnerable form");
    BN_free(p);
    BN_free(q);

    p = prime(1024);
    q = prime_after(p);
    expect(request(rsa_of(p, q, 65537), EVP_sha256()), CP_CSR_CLOSE_PRIMES, "neighbouring primes");
    BN_free(q);
    expect(request(rsa_of(p, p, 65537), EVP_sha256()), CP_CSR_CLOSE_PRIMES, "the same prime twice");

    /* 2039 * p * q: valid in form, factored by trial division. */
    q = prime(1024);
    small = BN_new();
    BN_mul(small, p, q, ctx);
    assert_false(cp_modulus_has_small_factor(small));
    assert_false(cp_modulus_is_roca(small));
    assert_false(cp_modulus_is_close(small, 100));
    BN_mul_word(small, 2039);
    assert_true(cp_modulus_has_small_factor(small));
    BN_lshift1(small, small);
    assert_true(cp_modulus_has_small_factor(small));

    BN_free(small);
    BN_free(p);
    BN_free(q);
    BN_CTX_free(ctx);
}


/* Each fault has texts in both languages and an error that is a client's. */
static bool
is_small_prime(uint64_t n)
{
    uint64_t d;

    for (d = 2; d * d <= n; d++) {
        if (n % d == 0) {
            return false;
        }
    }

    return n > 1;
}


/* Every prime below 2,048 is found in a modulus, and none above. */
static void
small_factors(void **state)
{
    BIGNUM  *large = prime(1024), *n;
    uint64_t p;

    (void) state;

    for (p = 2; p < 3000; p++) {
        if (is_small_prime(p)) {
            n = BN_dup(large);
            BN_mul_word(n, p);
            assert_int_equal(cp_modulus_has_small_factor(n), p < 2048);
            BN_free(n);
        }
    }

    BN_free(large);
}


/* Fermat's method finds two primes in as many rounds as their mean lies above the root, and in no fewer. */
static void
close_primes(void **state)
{
    const uint64_t p = 1000003;
    uint64_t       q, root, rounds;
    BIGNUM        *n = BN_new();

    (void) state;

    for (q = p; q < p + 20000; q += 2) {
        if (!is_small_prime(q)) {
            continue;
        }
        for (root = p; (root + 1) * (root + 1) <= p * q; root++) {
            /* up to the root */
        }
        rounds = (p + q) / 2 - root;

        BN_set_word(n, p * q);
        assert_true(cp_modulus_is_close(n, (unsigned) rounds));
        if (rounds > 0) {
            assert_false(cp_modulus_is_close(n, (unsigned) rounds - 1));
        }
    }

    BN_free(n);
}


static void
faults_have_texts(void **state)
{
    cp_csr_fault_t fault;

    (void) state;

    for (fault = CP_CSR_GOOD + 1; fault < CP_CSR_END; fault++) {
        const cp_csr_fault_row_t *row = cp_csr_fault(fault);

        assert_non_null(row->zh);
        assert_non_null(row->en);
        assert_true(row->code == CP_E_BAD_CSR || row->code == CP_E_WEAK_KEY || row->code == CP_E_NO_MEMORY);
    }
}


static int
set_up(void **state)
{
    (void) state;

    arena = cp_arena_new(65536);
    return arena == NULL;
}


static int
tear_down(void **state)
{
    (void) state;

    cp_arena_free(arena);
    return 0;
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad_form),
        cmocka_unit_test(bad_algorithms),
        cmocka_unit_test(sm2),
        cmocka_unit_test(bad_point),
        cmocka_unit_test(weak_rsa),
        cmocka_unit_test(small_factors),
        cmocka_unit_test(close_primes),
        cmocka_unit_test(faults_have_texts),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
