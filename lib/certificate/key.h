/*
 * Public keys as SubjectPublicKeyInfo bytes (RFC 5280 section 4.1.2.7): read, judged, and used to verify a signature,
 * without OpenSSL's decoders.
 */
#ifndef CP_PUBLIC_KEY_H
#define CP_PUBLIC_KEY_H

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/str.h"
#include "catalog/catalog.h"

/* Kinds of keys; bits of a profile's `key`, which cannot name SM2: such keys sign in, but are not certified here. */
#define CP_KEY_P256     0x01u
#define CP_KEY_RSA2048  0x02u
#define CP_KEY_RSA3072  0x04u
#define CP_KEY_RSA4096  0x08u
#define CP_KEY_SM2      0x10u
#define CP_KEY_RSA      (CP_KEY_RSA2048 | CP_KEY_RSA3072 | CP_KEY_RSA4096)

extern const cp_word_t cp_key_kind_words[];    /* p256 rsa2048 rsa3072 rsa4096 */

/* "P-256", "RSA-2048" …: for people. */
const char *cp_key_kind_title(unsigned kind);

/* Why a request or its key is not accepted. X(name, error, zh-CN, en) */
#define CP_CSR_FAULTS(X)                                                                                               \
    X(NOT_DER,      BAD_CSR,  "不是有效的 DER 或 PEM 编码", "is not DER or PEM")                                         \
    X(TRAILING,     BAD_CSR,  "末尾有多余内容", "has something behind its end")                                         \
    X(STRUCTURE,    BAD_CSR,  "不是 PKCS#10 证书请求", "is not a PKCS#10 request")                                      \
    X(VERSION,      BAD_CSR,  "版本不受支持", "has another version than 0")                                             \
    X(SIGNATURE_ALGORITHM, BAD_CSR, "签名算法不受支持，请使用 SHA-256 或更强的算法",                                      \
      "is signed by an algorithm that is not accepted: use SHA-256 or stronger")                                       \
    X(SIGNATURE,    BAD_CSR,  "签名验证失败", "has a signature that does not verify")                                   \
    X(KEY_TYPE,     BAD_CSR,  "密钥类型不受支持", "has a kind of key that is not accepted")                             \
    X(KEY_PROFILE,  BAD_CSR,  "该产品不支持此类密钥", "has a kind of key that this product does not take")                \
    X(KEY_USED,     BAD_CSR,  "该密钥已在其他订单或证书中使用，请重新生成",                                               \
      "holds a key that another order or certificate uses: make a new one")                                            \
    X(POINT,        WEAK_KEY, "椭圆曲线公钥无效", "holds a point that is not on the curve")                             \
    X(SHORT,        WEAK_KEY, "RSA 密钥长度不足 2048 位", "holds an RSA key of less than 2048 bits")                    \
    X(LENGTH,       WEAK_KEY, "RSA 密钥长度须为 2048、3072 或 4096 位",                                                 \
      "holds an RSA key of another length than 2048, 3072 or 4096 bits")                                               \
    X(EXPONENT,     WEAK_KEY, "RSA 公钥指数不安全", "holds an RSA exponent that is even, below 65537 or too large")     \
    X(SMALL_FACTOR, WEAK_KEY, "RSA 模数含有小因子", "holds an RSA modulus with a small factor")                         \
    X(ROCA,         WEAK_KEY, "该密钥受 ROCA 漏洞影响", "holds a key made by a vulnerable library (ROCA)")              \
    X(CLOSE_PRIMES, WEAK_KEY, "RSA 两个素数过于接近", "holds an RSA modulus whose primes are too close")                \
    X(MEMORY,       NO_MEMORY, "系统繁忙", "could not be checked")

#define CP_CSR_FAULT_NAME(name, error, zh, en)  CP_CSR_##name,
typedef enum { CP_CSR_GOOD, CP_CSR_FAULTS(CP_CSR_FAULT_NAME) CP_CSR_END } cp_csr_fault_t;
#undef CP_CSR_FAULT_NAME

typedef struct {
    cp_code_t   code;
    const char *zh;
    const char *en;
} cp_csr_fault_row_t;

/* The row of a fault; static storage. */
const cp_csr_fault_row_t *cp_csr_fault(cp_csr_fault_t fault);

typedef struct {
    unsigned  kind;
    cp_str_t  spki;        /* the whole SubjectPublicKeyInfo */
    cp_str_t  bits;        /* what the BIT STRING holds: the point, or RSAPublicKey */
    cp_str_t  modulus;     /* RSA only: big-endian */
    cp_str_t  exponent;
} cp_public_key_t;

/* Reads the bytes of one SubjectPublicKeyInfo and judges form and strength; what it gives are slices of them. */
cp_csr_fault_t cp_public_key_read(cp_str_t spki, cp_public_key_t *key);

/* The same as OpenSSL has keys; the caller releases it. NULL when memory is out or a point is not on its curve. */
EVP_PKEY *cp_public_key_evp(const cp_public_key_t *key);

/*
 * Verifies `signature` over `data`. `algorithm` is the whole AlgorithmIdentifier: ECDSA or RSA (PKCS #1 v1.5) with
 * SHA-256, -384 or -512 (RFC 5758 section 3.2, RFC 4055 section 5), or SM2 with SM3 under the default id (GM/T 0015
 * section 5.2.3.2), else CP_CSR_SIGNATURE_ALGORITHM.
 */
cp_csr_fault_t cp_public_key_verify(const cp_public_key_t *key, cp_str_t algorithm, cp_str_t data,
                                    cp_str_t signature);

/*
 * Verifies what a token or a phone signed, whose form goes by the key: SM2 with SM3 under the default id, or ECDSA with
 * SHA-256, both as DER or as r and s of 32 bytes each; RSA with SHA-256, PKCS #1 v1.5 or PSS with MGF1 of SHA-256 and
 * salt of any length (RFC 8017 section 8). CP_CSR_GOOD, CP_CSR_SIGNATURE, CP_CSR_MEMORY.
 */
cp_csr_fault_t cp_public_key_verify_message(const cp_public_key_t *key, cp_arena_t *arena, cp_str_t message,
                                            cp_str_t signature);

/* Subject key identifier: SHA-1 of the key's bits (RFC 5280 section 4.2.1.2, method 1). */
cp_code_t cp_public_key_id(const cp_public_key_t *key, unsigned char id[20]);

/* Tests of a modulus, true when it is weak: factor below 2^11, the fingerprint of ROCA, primes found by Fermat. */
bool cp_modulus_has_small_factor(const BIGNUM *n);
bool cp_modulus_is_roca(const BIGNUM *n);
bool cp_modulus_is_close(const BIGNUM *n, unsigned rounds);

#endif
