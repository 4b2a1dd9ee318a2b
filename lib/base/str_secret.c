/* Apart from the other strings, so that a program without secrets links no OpenSSL. */
#include "str.h"

#include <openssl/crypto.h>


bool
cp_str_eq_secret(cp_str_t a, cp_str_t b)
{
    return a.len == b.len && CRYPTO_memcmp(a.data, b.data, a.len) == 0;
}
