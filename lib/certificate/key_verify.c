/* Signatures of public keys: on requests and certificates, and on messages that tokens and phones sign. */
#include "key.h"

#include <pthread.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "der.h"

#define SM2_ID      "1234567812345678"    /* GM/T 0009 section 10: the signer's id where nothing else was agreed */
#define RAW_MEMBER  32                    /* bytes of r and of s */

static struct {
    EVP_MD *sha1;
    EVP_MD *sha256;
    EVP_MD *sha384;
    EVP_MD *sha512;
    EVP_MD *sm3;
} fetched;

static pthread_once_t fetched_once = PTHREAD_ONCE_INIT;

#define OID(literal)  { sizeof(literal) - 1, (char *) (uintptr_t) (literal) }

/* The signature algorithms by their OID; `md` is the digest, `kinds` the keys it goes with. */
static const struct {
    cp_str_t   oid;
    EVP_MD   **md;
    unsigned   kinds;
} algorithms[] = {
    { OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), &fetched.sha256, CP_KEY_P256 },
    { OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), &fetched.sha384, CP_KEY_P256 },
    { OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), &fetched.sha512, CP_KEY_P256 },
    { OID("\x2a\x81\x1c\xcf\x55\x01\x83\x75"), &fetched.sm3, CP_KEY_SM2 },
    { OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), &fetched.sha256, CP_KEY_RSA },
    { OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), &fetched.sha384, CP_KEY_RSA },
    { OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), &fetched.sha512, CP_KEY_RSA },
};


static void
fetch(void)
{
    fetched.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    fetched.sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
    fetched.sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    fetched.sm3 = EVP_MD_fetch(NULL, "SM3", NULL);
}


/* The digest of an AlgorithmIdentifier that goes with the key; NULL for all others. */
static const EVP_MD *
digest_of(cp_str_t algorithm, unsigned kind)
{
    cp_str_t inner, oid, null;
    size_t   i;

    if (!cp_der_take(&algorithm, CP_DER_SEQUENCE, &inner) || !cp_der_take(&inner, CP_DER_OID, &oid)) {
        return NULL;
    }

    /*
     * Parameters: absent for ECDSA; NULL for RSA, absent to be taken as well (RFC 4055 section 5); of SM2 absent by
     * GM/T 0015-2012, but NULL in what many authorities issue.
     */
    if (inner.len != 0
        && (kind == CP_KEY_P256 || !cp_der_take(&inner, CP_DER_NULL, &null) || null.len != 0 || inner.len != 0))
    {
        return NULL;
    }

    for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if ((algorithms[i].kinds & kind) != 0 && cp_str_eq(algorithms[i].oid, oid)) {
            return *algorithms[i].md;
        }
    }

    return NULL;
}


/* One verification; `padding` is 0 or one of RSA's. SM2 always takes the default id: libraries differ in their own. */
static cp_csr_fault_t
verify(EVP_PKEY *pkey, unsigned kind, const EVP_MD *md, int padding, cp_str_t data, cp_str_t signature)
{
    EVP_MD_CTX    *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX  *key = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    cp_csr_fault_t fault = CP_CSR_MEMORY;

    if (ctx == NULL || key == NULL
        || (kind == CP_KEY_SM2 && EVP_PKEY_CTX_set1_id(key, SM2_ID, sizeof(SM2_ID) - 1) <= 0))
    {
        goto out;
    }

    EVP_MD_CTX_set_pkey_ctx(ctx, key);

    if (EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey) == 1
        && (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(key, padding) > 0))
    {
        fault = EVP_DigestVerify(ctx, (unsigned char *) signature.data, signature.len, (unsigned char *) data.data,
                                 data.len) == 1 ? CP_CSR_GOOD : CP_CSR_SIGNATURE;
    }

out:

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(key);
    ERR_clear_error();

    return fault;
}


cp_csr_fault_t
cp_public_key_verify(const cp_public_key_t *key, cp_str_t algorithm, cp_str_t data, cp_str_t signature)
{
    const EVP_MD  *md;
    EVP_PKEY      *pkey;
    cp_csr_fault_t fault = CP_CSR_MEMORY;

    pthread_once(&fetched_once, fetch);

    md = digest_of(algorithm, key->kind);
    if (md == NULL) {
        return CP_CSR_SIGNATURE_ALGORITHM;
    }

    pkey = cp_public_key_evp(key);
    if (pkey != NULL) {
        fault = verify(pkey, key->kind, md, 0, data, signature);
    }
    EVP_PKEY_free(pkey);

    return fault;
}


/* Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 section 2.2.3, GM/T 0009 section 7.3) */
static bool
is_der_pair(cp_str_t signature)
{
    cp_str_t inner, number;

    return cp_der_take(&signature, CP_DER_SEQUENCE, &inner) && signature.len == 0
           && cp_der_take(&inner, CP_DER_INTEGER, &number) && cp_der_take(&inner, CP_DER_INTEGER, &number)
           && inner.len == 0;
}


/* Tokens give r and s one behind the other; the library wants DER. */
static cp_code_t
der_pair(cp_arena_t *arena, cp_str_t *signature)
{
    cp_der_t der;

    if (is_der_pair(*signature) || signature->len != 2 * RAW_MEMBER) {
        return CP_OK;
    }

    cp_der_init(&der, arena, 2 * RAW_MEMBER + 8);
    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_der_magnitude(&der, cp_str_n(signature->data, RAW_MEMBER));
    cp_der_magnitude(&der, cp_str_n(signature->data + RAW_MEMBER, RAW_MEMBER));
    cp_der_end(&der);

    return cp_der_finish(&der, signature);
}


cp_csr_fault_t
cp_public_key_verify_message(const cp_public_key_t *key, cp_arena_t *arena, cp_str_t message, cp_str_t signature)
{
    bool           rsa = (key->kind & CP_KEY_RSA) != 0;
    const EVP_MD  *md;
    EVP_PKEY      *pkey;
    cp_csr_fault_t fault;

    pthread_once(&fetched_once, fetch);

    md = key->kind == CP_KEY_SM2 ? fetched.sm3 : fetched.sha256;
    if (!rsa && der_pair(arena, &signature) != CP_OK) {
        return CP_CSR_MEMORY;
    }

    pkey = cp_public_key_evp(key);
    if (pkey == NULL) {
        return CP_CSR_MEMORY;
    }

    fault = verify(pkey, key->kind, md, rsa ? RSA_PKCS1_PADDING : 0, message, signature);
    if (rsa && fault == CP_CSR_SIGNATURE) {
        fault = verify(pkey, key->kind, md, RSA_PKCS1_PSS_PADDING, message, signature);
    }
    EVP_PKEY_free(pkey);

    return fault;
}


cp_code_t
cp_public_key_id(const cp_public_key_t *key, unsigned char id[20])
{
    unsigned size = 20;

    pthread_once(&fetched_once, fetch);

    return EVP_Digest(key->bits.data, key->bits.len, id, &size, fetched.sha1, NULL) == 1 ? CP_OK : CP_E_INTERNAL;
}
