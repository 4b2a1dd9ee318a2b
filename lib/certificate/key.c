#include "key.h"

#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "der.h"

#define FERMAT_ROUNDS  100
#define EXPONENT_MAX   8       /* bytes; OpenSSL verifies larger ones only under short moduli */

/*
 * AlgorithmIdentifier of an EC key on P-256 (RFC 5480 section 2.1.1), of one on the curve of SM2 (GM/T 0015 section
 * 5.2.3.7) and of an RSA key (RFC 3279 section 2.3.1).
 */
#define EC_P256  "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define EC_SM2   "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d"
#define RSA      "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"

const cp_word_t cp_key_kind_words[] = {
    { "p256", CP_KEY_P256 },
    { "rsa2048", CP_KEY_RSA2048 },
    { "rsa3072", CP_KEY_RSA3072 },
    { "rsa4096", CP_KEY_RSA4096 },
    { NULL, 0 }
};

#define ROW(name, error, zh, en)  [CP_CSR_##name] = { CP_E_##error, zh, en },
static const cp_csr_fault_row_t faults[] = {
    [CP_CSR_GOOD] = { CP_OK, "", "" },
    CP_CSR_FAULTS(ROW)
};
#undef ROW


const cp_csr_fault_row_t *
cp_csr_fault(cp_csr_fault_t fault)
{
    return &faults[fault < CP_CSR_END ? fault : CP_CSR_STRUCTURE];
}


const char *
cp_key_kind_title(unsigned kind)
{
    switch (kind) {
    case CP_KEY_P256:
        return "P-256";
    case CP_KEY_SM2:
        return "SM2";
    case CP_KEY_RSA2048:
        return "RSA-2048";
    case CP_KEY_RSA3072:
        return "RSA-3072";
    default:
        return "RSA-4096";
    }
}


/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }, both positive. */
static bool
read_rsa(cp_public_key_t *key)
{
    cp_str_t rest = key->bits, inner, *numbers[] = { &key->modulus, &key->exponent };
    size_t   i;

    if (!cp_der_take(&rest, CP_DER_SEQUENCE, &inner) || rest.len != 0) {
        return false;
    }

    for (i = 0; i < 2; i++) {
        if (!cp_der_take(&inner, CP_DER_INTEGER, numbers[i]) || numbers[i]->len == 0
            || ((unsigned char) numbers[i]->data[0] & 0x80) != 0)
        {
            return false;
        }
        if (numbers[i]->data[0] == 0) {
            numbers[i]->data++;
            numbers[i]->len--;
        }
    }

    return inner.len == 0;
}


static bool
exponent_is_bad(cp_str_t exponent)
{
    uint64_t value = 0;
    size_t   i;

    if (exponent.len > EXPONENT_MAX) {
        return true;
    }
    for (i = 0; i < exponent.len; i++) {
        value = value << 8 | (unsigned char) exponent.data[i];
    }

    return value < 65537 || value % 2 == 0;
}


static cp_csr_fault_t
judge_rsa(cp_public_key_t *key)
{
    BIGNUM        *n;
    cp_csr_fault_t fault = CP_CSR_GOOD;
    int            bits;

    if (key->modulus.len > 1024) {
        return CP_CSR_LENGTH;
    }

    n = BN_bin2bn((unsigned char *) key->modulus.data, (int) key->modulus.len, NULL);
    if (n == NULL) {
        return CP_CSR_MEMORY;
    }
    bits = BN_num_bits(n);

    key->kind = bits == 2048 ? CP_KEY_RSA2048 : bits == 3072 ? CP_KEY_RSA3072 : CP_KEY_RSA4096;

    if (bits < 2048) {
        fault = CP_CSR_SHORT;
    } else if (bits != 2048 && bits != 3072 && bits != 4096) {
        fault = CP_CSR_LENGTH;
    } else if (exponent_is_bad(key->exponent)) {
        fault = CP_CSR_EXPONENT;
    } else if (cp_modulus_has_small_factor(n)) {
        fault = CP_CSR_SMALL_FACTOR;
    } else if (cp_modulus_is_roca(n)) {
        fault = CP_CSR_ROCA;
    } else if (cp_modulus_is_close(n, FERMAT_ROUNDS)) {
        fault = CP_CSR_CLOSE_PRIMES;
    }

    BN_free(n);

    return fault;
}


static EVP_PKEY *
pkey_of(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx;
    EVP_PKEY     *pkey = NULL;

    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx == NULL) {
        return NULL;
    }

    if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);

    return pkey;
}


static EVP_PKEY *
ec_pkey(const cp_public_key_t *key)
{
    char       p256[] = "P-256", sm2[] = "SM2", *group = key->kind == CP_KEY_SM2 ? sm2 : p256;
    OSSL_PARAM params[3];

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->bits.data, key->bits.len);
    params[2] = OSSL_PARAM_construct_end();

    return pkey_of(key->kind == CP_KEY_SM2 ? "SM2" : "EC", params);
}


static EVP_PKEY *
rsa_pkey(const cp_public_key_t *key)
{
    BIGNUM         *n = NULL, *e = NULL;
    OSSL_PARAM_BLD *build;
    OSSL_PARAM     *params = NULL;
    EVP_PKEY       *pkey = NULL;

    build = OSSL_PARAM_BLD_new();
    n = BN_bin2bn((unsigned char *) key->modulus.data, (int) key->modulus.len, NULL);
    e = BN_bin2bn((unsigned char *) key->exponent.data, (int) key->exponent.len, NULL);

    if (build != NULL && n != NULL && e != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    {
        params = OSSL_PARAM_BLD_to_param(build);
        pkey = params == NULL ? NULL : pkey_of("RSA", params);
    }

    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);

    return pkey;
}


EVP_PKEY *
cp_public_key_evp(const cp_public_key_t *key)
{
    return (key->kind & CP_KEY_RSA) != 0 ? rsa_pkey(key) : ec_pkey(key);
}


/* Made once: a curve takes longer to set up than a point to be looked at. */
static EC_GROUP      *curves[2];
static pthread_once_t curves_once = PTHREAD_ONCE_INIT;


static void
make_curves(void)
{
    curves[0] = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    curves[1] = EC_GROUP_new_by_curve_name(NID_sm2);
}


/* The orders of both curves are prime: a point on one other than infinity is a valid key (SP 800-56A section 5.6.2.3). */
static cp_csr_fault_t
judge_point(cp_public_key_t *key, unsigned kind)
{
    const EC_GROUP *curve;
    EC_POINT       *point;
    cp_csr_fault_t  fault;

    key->kind = kind;

    if (key->bits.len != 65 || key->bits.data[0] != 4) {
        return CP_CSR_POINT;
    }

    pthread_once(&curves_once, make_curves);
    curve = curves[kind == CP_KEY_SM2];
    point = curve == NULL ? NULL : EC_POINT_new(curve);
    if (point == NULL) {
        return CP_CSR_MEMORY;
    }

    fault = EC_POINT_oct2point(curve, point, (const unsigned char *) key->bits.data, key->bits.len, NULL) == 1
            ? CP_CSR_GOOD : CP_CSR_POINT;
    EC_POINT_free(point);
    ERR_clear_error();

    return fault;
}


cp_csr_fault_t
cp_public_key_read(cp_str_t spki, cp_public_key_t *key)
{
    cp_str_t rest = spki, inner, algorithm;

    memset(key, 0, sizeof(*key));
    key->spki = spki;

    if (!cp_der_take(&rest, CP_DER_SEQUENCE, &inner) || rest.len != 0
        || !cp_der_take_whole(&inner, CP_DER_SEQUENCE, &algorithm) || !cp_der_take_bits(&inner, &key->bits)
        || inner.len != 0)
    {
        return CP_CSR_STRUCTURE;
    }

    if (cp_str_eq(algorithm, CP_STR(EC_P256))) {
        return judge_point(key, CP_KEY_P256);
    }
    if (cp_str_eq(algorithm, CP_STR(EC_SM2))) {
        return judge_point(key, CP_KEY_SM2);
    }
    if (!cp_str_eq(algorithm, CP_STR(RSA))) {
        return CP_CSR_KEY_TYPE;
    }

    return read_rsa(key) ? judge_rsa(key) : CP_CSR_STRUCTURE;
}
