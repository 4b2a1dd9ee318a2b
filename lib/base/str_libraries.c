/* What of strings is left to OpenSSL and libsodium: apart, so that a program that needs neither links neither. */
#include "str.h"

#include <openssl/crypto.h>
#include <sodium.h>


bool
cp_str_eq_secret(cp_str_t a, cp_str_t b)
{
    return a.len == b.len && CRYPTO_memcmp(a.data, b.data, a.len) == 0;
}


bool
cp_str_unbase64(cp_arena_t *arena, cp_str_t text, cp_str_t *bytes)
{
    size_t size = text.len / 4 * 3 + 3;

    bytes->data = cp_alloc(arena, size);

    return bytes->data != NULL
           && sodium_base642bin((unsigned char *) bytes->data, size, text.data, text.len, NULL, &bytes->len, NULL,
                                sodium_base64_VARIANT_ORIGINAL) == 0;
}
