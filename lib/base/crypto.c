#include "crypto.h"

#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sodium.h>

/* OpenSSL 3 looks an algorithm up by name at each use unless it was fetched: more costly than hashing a short string. */
static struct {
    EVP_MD     *sha256;
    EVP_CIPHER *gcm;
    EVP_KDF    *hkdf;
} fetched;

static pthread_once_t fetched_once = PTHREAD_ONCE_INIT;


static void
fetch(void)
{
    fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    fetched.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    fetched.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
}


cp_code_t
cp_sha256(cp_str_t data, unsigned char digest[CP_SHA256_SIZE])
{
    unsigned size = CP_SHA256_SIZE;

    pthread_once(&fetched_once, fetch);

    return EVP_Digest(data.data, data.len, digest, &size, fetched.sha256, NULL) == 1 ? CP_OK : CP_E_INTERNAL;
}


cp_str_t
cp_sha256_hex(cp_arena_t *arena, cp_str_t data)
{
    unsigned char digest[CP_SHA256_SIZE];

    if (cp_sha256(data, digest) != CP_OK) {
        return CP_STR_NULL;
    }

    return cp_str_hex(arena, cp_str_n(digest, sizeof(digest)));
}


/* libsodium's: in OpenSSL 3 each code takes memory, and looks its digest up under a lock that all threads share. */
cp_code_t
cp_hmac(cp_str_t key, cp_str_t data, unsigned char mac[CP_SHA256_SIZE])
{
    crypto_auth_hmacsha256_state state;

    _Static_assert(crypto_auth_hmacsha256_BYTES == CP_SHA256_SIZE, "a code is a SHA-256");

    crypto_auth_hmacsha256_init(&state, (const unsigned char *) key.data, key.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *) data.data, data.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state));

    return CP_OK;
}


cp_code_t
cp_derive(const unsigned char secret[CP_KEY_SIZE], const char *info, unsigned char key[CP_KEY_SIZE])
{
    char         name[] = "SHA256";
    OSSL_PARAM   params[4];
    EVP_KDF_CTX *ctx;
    cp_code_t    code;

    pthread_once(&fetched_once, fetch);

    ctx = EVP_KDF_CTX_new(fetched.hkdf);
    if (ctx == NULL) {
        return CP_E_NO_MEMORY;
    }

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *) (uintptr_t) secret, CP_KEY_SIZE);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *) (uintptr_t) info, strlen(info));
    params[3] = OSSL_PARAM_construct_end();

    code = EVP_KDF_derive(ctx, key, CP_KEY_SIZE, params) == 1 ? CP_OK : CP_E_INTERNAL;

    EVP_KDF_CTX_free(ctx);

    return code;
}


cp_code_t
cp_seal(const unsigned char key[CP_KEY_SIZE], const unsigned char nonce[CP_NONCE_SIZE], cp_str_t aad, cp_str_t plain,
        unsigned char *out)
{
    EVP_CIPHER_CTX *ctx;
    cp_code_t       code = CP_E_INTERNAL;
    int             n = 0, last = 0;

    pthread_once(&fetched_once, fetch);

    if (plain.len > INT32_MAX - CP_TAG_SIZE || aad.len > INT32_MAX) {
        return CP_E_TOO_LARGE;
    }

    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (EVP_EncryptInit_ex2(ctx, fetched.gcm, key, nonce, NULL) == 1
        && EVP_EncryptUpdate(ctx, NULL, &n, (unsigned char *) aad.data, (int) aad.len) == 1
        && EVP_EncryptUpdate(ctx, out, &n, (unsigned char *) plain.data, (int) plain.len) == 1
        && EVP_EncryptFinal_ex(ctx, out + n, &last) == 1
        && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CP_TAG_SIZE, out + plain.len) == 1)
    {
        code = CP_OK;
    }

    EVP_CIPHER_CTX_free(ctx);

    return code;
}


cp_code_t
cp_open(const unsigned char key[CP_KEY_SIZE], const unsigned char nonce[CP_NONCE_SIZE], cp_str_t aad, cp_str_t sealed,
        unsigned char *out)
{
    EVP_CIPHER_CTX *ctx;
    cp_code_t       code = CP_E_INTERNAL;
    size_t          size;
    int             n = 0, last = 0;

    pthread_once(&fetched_once, fetch);

    if (sealed.len < CP_TAG_SIZE || sealed.len > INT32_MAX || aad.len > INT32_MAX) {
        return CP_E_INTERNAL;
    }
    size = sealed.len - CP_TAG_SIZE;

    ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (EVP_DecryptInit_ex2(ctx, fetched.gcm, key, nonce, NULL) == 1
        && EVP_DecryptUpdate(ctx, NULL, &n, (unsigned char *) aad.data, (int) aad.len) == 1
        && EVP_DecryptUpdate(ctx, out, &n, (unsigned char *) sealed.data, (int) size) == 1
        && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CP_TAG_SIZE, sealed.data + size) == 1
        && EVP_DecryptFinal_ex(ctx, out + n, &last) == 1)
    {
        code = CP_OK;
    }

    EVP_CIPHER_CTX_free(ctx);

    return code;
}
