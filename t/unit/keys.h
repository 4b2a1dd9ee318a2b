/* Keys, good and bad, and certificates around them, made by OpenSSL. Include it after seams.h. */
#ifndef T_KEYS_H
#define T_KEYS_H

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/str.h"

#define DAY_MS  (24 * 3600 * 1000LL)


static inline EVP_PKEY *
rsa_key(unsigned bits, unsigned long exponent)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY     *pkey = NULL;
    BIGNUM       *e = BN_new();

    BN_set_word(e, exponent);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int) bits) > 0);
    assert_true(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) > 0);
    assert_int_equal(EVP_PKEY_keygen(ctx, &pkey), 1);

    BN_free(e);
    EVP_PKEY_CTX_free(ctx);

    return pkey;
}


/* An RSA key of two given primes. */
static inline EVP_PKEY *
rsa_of(const BIGNUM *p, const BIGNUM *q, unsigned long exponent)
{
    BN_CTX         *ctx = BN_CTX_new();
    BIGNUM         *n = BN_new(), *e = BN_new(), *d = BN_new(), *phi = BN_new(), *p1 = BN_dup(p), *q1 = BN_dup(q);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM     *params;
    EVP_PKEY_CTX   *key = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY       *pkey = NULL;

    BN_mul(n, p, q, ctx);
    BN_sub_word(p1, 1);
    BN_sub_word(q1, 1);
    BN_mul(phi, p1, q1, ctx);
    BN_set_word(e, exponent);
    assert_non_null(BN_mod_inverse(d, e, phi, ctx));

    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d);
    params = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(key), 1);
    assert_int_equal(EVP_PKEY_fromdata(key, &pkey, EVP_PKEY_KEYPAIR, params), 1);

    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(key);
    BN_free(n);
    BN_free(e);
    BN_free(d);
    BN_free(phi);
    BN_free(p1);
    BN_free(q1);
    BN_CTX_free(ctx);

    return pkey;
}


/* A prime of 1,024 bits as the vulnerable library makes them: k * M + (65537^a mod M). */
static inline BIGNUM *
roca_prime(void)
{
    static const unsigned char primes[] = {
        2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
        109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167
    };
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *m = BN_new(), *a = BN_new(), *base = BN_new(), *k = BN_new(), *p = BN_new();
    size_t  i;

    BN_one(m);
    for (i = 0; i < sizeof(primes); i++) {
        BN_mul_word(m, primes[i]);
    }
    BN_set_word(base, 65537);

    do {
        BN_rand(a, 62, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
        BN_mod_exp(p, base, a, m, ctx);
        BN_rand(k, 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
        BN_div(k, NULL, k, m, ctx);
        BN_mul(k, k, m, ctx);
        BN_add(p, p, k);
    } while (BN_num_bits(p) != 1024 || !BN_is_bit_set(p, 1022) || BN_check_prime(p, ctx, NULL) != 1);

    BN_free(m);
    BN_free(a);
    BN_free(base);
    BN_free(k);
    BN_CTX_free(ctx);

    return p;
}


static inline BIGNUM *
prime(int bits)
{
    BIGNUM *p = BN_new();

    assert_int_equal(BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL), 1);
    return p;
}


static inline BIGNUM *
prime_after(const BIGNUM *p)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *q = BN_dup(p);

    do {
        BN_add_word(q, 2);
    } while (BN_check_prime(q, ctx, NULL) != 1);
    BN_CTX_free(ctx);

    return q;
}


/* What a certificate of certificate_of() says, where it is not the usual. */
typedef struct {
    EVP_PKEY     *pkey;             /* released; NULL: a new one on P-256 */
    EVP_PKEY     *issuer;           /* signs; NULL: the key itself */
    const EVP_MD *md;               /* NULL: SHA-256, or none for keys that take none */
    const char   *basic;            /* of the extensions, as OpenSSL writes them; "" for none */
    const char   *usage;
    const char   *purposes;
    const char   *critical;         /* an OID: one more extension, critical */
    const char   *serial;           /* hexadecimal; NULL: 1 */
} certificate_t;


static inline void
add_extension(X509 *x509, int nid, const char *given, const char *usual)
{
    const char     *text = given == NULL ? usual : given;
    X509_EXTENSION *extension;

    if (text[0] == '\0') {
        return;
    }

    extension = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
    assert_non_null(extension);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
}


static inline void
add_critical(X509 *x509, const char *oid)
{
    ASN1_OBJECT       *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION    *extension;

    ASN1_OCTET_STRING_set(value, (const unsigned char *) "\x05", 2);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    X509_add_ext(x509, extension, -1);

    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}


/* A certificate in DER, from the arena, valid from a day before the test's time to a day after it. */
static inline cp_str_t
certificate_of(cp_arena_t *arena, certificate_t c)
{
    EVP_PKEY      *pkey = c.pkey == NULL ? EVP_EC_gen("P-256") : c.pkey;
    X509          *x509 = X509_new();
    BIGNUM        *serial = NULL;
    unsigned char *der = NULL;
    cp_str_t       copy;
    int            n;

    X509_set_version(x509, X509_VERSION_3);
    BN_hex2bn(&serial, c.serial == NULL ? "1" : c.serial);
    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));
    BN_free(serial);
    ASN1_TIME_set(X509_getm_notBefore(x509), (time_t) ((test_now_ms - DAY_MS) / 1000));
    ASN1_TIME_set(X509_getm_notAfter(x509), (time_t) ((test_now_ms + DAY_MS) / 1000));
    assert_int_equal(X509_set_pubkey(x509, pkey), 1);

    add_extension(x509, NID_basic_constraints, c.basic, "critical,CA:FALSE");
    add_extension(x509, NID_key_usage, c.usage, "critical,digitalSignature,nonRepudiation");
    add_extension(x509, NID_ext_key_usage, c.purposes, "clientAuth");
    if (c.critical != NULL) {
        add_critical(x509, c.critical);
    }

    assert_true(X509_sign(x509, c.issuer == NULL ? pkey : c.issuer,
                          c.md != NULL || EVP_PKEY_is_a(pkey, "ED25519") ? c.md : EVP_sha256()) > 0);
    n = i2d_X509(x509, &der);
    copy = cp_str_dup(arena, cp_str_n(der, (size_t) n));

    OPENSSL_free(der);
    X509_free(x509);
    EVP_PKEY_free(pkey);

    return copy;
}

#endif
