/*
 * The primitives that the features share, over OpenSSL with algorithms fetched once a process.
 * Every function here is safe on any thread.
 */
#ifndef CP_CRYPTO_H
#define CP_CRYPTO_H

#include "error.h"
#include "str.h"

#define CP_SHA256_SIZE  32
#define CP_KEY_SIZE     32    /* AES-256, HMAC-SHA-256 */
#define CP_NONCE_SIZE   12    /* AES-GCM, NIST SP 800-38D section 8.2 */
#define CP_TAG_SIZE     16

/* SHA-256 of `data` into `digest` (FIPS 180-4). */
cp_code_t cp_sha256(cp_str_t data, unsigned char digest[CP_SHA256_SIZE]);

/* The same as lower-case hexadecimal from the arena; {0, NULL} on failure. */
cp_str_t cp_sha256_hex(cp_arena_t *arena, cp_str_t data);

/* HMAC-SHA-256 (RFC 2104) of `data` under `key` of any length. */
cp_code_t cp_hmac(cp_str_t key, cp_str_t data, unsigned char mac[CP_SHA256_SIZE]);

/* HKDF-SHA-256 (RFC 5869) without salt: a key of CP_KEY_SIZE bytes for the purpose `info`. */
cp_code_t cp_derive(const unsigned char secret[CP_KEY_SIZE], const char *info, unsigned char key[CP_KEY_SIZE]);

/* AES-256-GCM. `out` takes plain.len + CP_TAG_SIZE bytes: ciphertext, then tag. The nonce must be new for the key. */
cp_code_t cp_seal(const unsigned char key[CP_KEY_SIZE], const unsigned char nonce[CP_NONCE_SIZE], cp_str_t aad,
                  cp_str_t plain, unsigned char *out);

/* Opens what cp_seal() wrote into `out` (sealed.len - CP_TAG_SIZE bytes). CP_E_INTERNAL when a bit was changed. */
cp_code_t cp_open(const unsigned char key[CP_KEY_SIZE], const unsigned char nonce[CP_NONCE_SIZE], cp_str_t aad,
                  cp_str_t sealed, unsigned char *out);

#endif
