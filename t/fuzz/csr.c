/*
 * The reader of certificate requests on any bytes, DER or PEM: what it accepts lies within the input, has the key that
 * it says, reads the same a second time, and in PEM as in DER.
 */
#include "fuzz.h"

#include <openssl/evp.h>

#include "base/log.h"
#include "certificate/csr.h"

#define PEM_BEGIN  "-----BEGIN CERTIFICATE REQUEST-----\n"
#define PEM_END    "\n-----END CERTIFICATE REQUEST-----\n"


void
cp_log(cp_log_level_t level, const char *format, ...)
{
    HOLDS(level < CP_LOG_ALERT);    /* no bytes are a fault of ours */
    (void) format;
}


/* What is given out must be readable to its last byte: the digest of an accepted request's key is copied. */
static cp_csr_fault_t
checked(const void *bytes, size_t len, unsigned char sha256[32])
{
    cp_arena_t    *arena = cp_arena_new(0);
    char          *copy = fuzz_copy(bytes, len);
    cp_csr_t       csr;
    cp_csr_fault_t fault;

    HOLDS(arena != NULL);
    fault = cp_csr_check(cp_str_n(copy, len), arena, &csr);
    HOLDS(fault < CP_CSR_END && fault != CP_CSR_MEMORY);

    if (fault == CP_CSR_GOOD) {
        HOLDS(csr.der.len > 0 && csr.der.len <= CP_CSR_MAX && csr.spki_sha256.len == 32);
        HOLDS(memmem(csr.der.data, csr.der.len, csr.key.spki.data, csr.key.spki.len) != NULL);
        memcpy(sha256, csr.spki_sha256.data, 32);
    }

    cp_arena_free(arena);
    free(copy);

    return fault;
}


static void
check_pem(const uint8_t *data, size_t len, const unsigned char sha256[32])
{
    size_t        size = sizeof(PEM_BEGIN) + sizeof(PEM_END) + (len + 2) / 3 * 4 + 1;
    char         *pem = malloc(size);
    unsigned char again[32];
    int           n;

    HOLDS(pem != NULL);
    memcpy(pem, PEM_BEGIN, sizeof(PEM_BEGIN) - 1);
    n = EVP_EncodeBlock((unsigned char *) pem + sizeof(PEM_BEGIN) - 1, data, (int) len);
    strcpy(pem + sizeof(PEM_BEGIN) - 1 + n, PEM_END);

    HOLDS(checked(pem, strlen(pem), again) == CP_CSR_GOOD);
    HOLDS(memcmp(again, sha256, 32) == 0);
    free(pem);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    unsigned char  sha256[32], again[32];
    cp_csr_fault_t fault = checked(data, len, sha256);

    HOLDS(checked(data, len, again) == fault);

    if (fault == CP_CSR_GOOD) {
        HOLDS(memcmp(again, sha256, 32) == 0);
        if (data[0] == 0x30) {
            check_pem(data, len, sha256);
        }
    }

    return 0;
}
