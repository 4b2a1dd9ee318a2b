#include "material/material_format.h"

#include <string.h>

#define AAD_TEXT  "caportal material 1"
#define AAD_SIZE  (sizeof(AAD_TEXT) - 1 + sizeof(uint64_t) + 1)

const unsigned char cp_file_head[CP_FILE_HEAD] = {
    'c', 'a', 'p', 'o', 'r', 't', 'a', 'l', 0, 0, 0, 1, 0, 1, 0, 0,
};


int64_t
cp_file_chunks(int64_t size)
{
    return (size + CP_CHUNK_SIZE - 1) / CP_CHUNK_SIZE;
}


int64_t
cp_file_size(int64_t size)
{
    return CP_FILE_HEAD + size + cp_file_chunks(size) * CP_TAG_SIZE;
}


static void
put_number(unsigned char *p, uint64_t number)
{
    size_t i;

    for (i = 0; i < sizeof(number); i++) {
        p[i] = (unsigned char) (number >> (56 - 8 * i));
    }
}


/* The key serves one file, so the chunk's number is enough to keep nonces apart (NIST SP 800-38D section 8.2.1). */
static void
chunk_parameters(uint64_t number, bool last, unsigned char nonce[CP_NONCE_SIZE], unsigned char aad[AAD_SIZE])
{
    memset(nonce, 0, CP_NONCE_SIZE);
    put_number(nonce + CP_NONCE_SIZE - sizeof(number), number);

    memcpy(aad, AAD_TEXT, sizeof(AAD_TEXT) - 1);
    put_number(aad + sizeof(AAD_TEXT) - 1, number);
    aad[AAD_SIZE - 1] = last;
}


cp_code_t
cp_chunk_seal(const unsigned char key[CP_KEY_SIZE], uint64_t number, bool last, cp_str_t plain, unsigned char *out)
{
    unsigned char nonce[CP_NONCE_SIZE], aad[AAD_SIZE];

    chunk_parameters(number, last, nonce, aad);

    return cp_seal(key, nonce, cp_str_n(aad, sizeof(aad)), plain, out);
}


cp_code_t
cp_chunk_open(const unsigned char key[CP_KEY_SIZE], uint64_t number, bool last, cp_str_t sealed, unsigned char *out)
{
    unsigned char nonce[CP_NONCE_SIZE], aad[AAD_SIZE];

    chunk_parameters(number, last, nonce, aad);

    return cp_open(key, nonce, cp_str_n(aad, sizeof(aad)), sealed, out);
}
