/* PKCS#10 requests (RFC 2986): the proof that whoever asks holds the key. The subject in them is ignored. */
#ifndef CP_CSR_H
#define CP_CSR_H

#include "certificate/key.h"

#define CP_CSR_MAX  8000    /* bytes of DER */

typedef struct {
    cp_str_t         der;
    cp_public_key_t  key;
    cp_str_t         spki_sha256;    /* 32 bytes */
} cp_csr_t;

/*
 * Checks a request in DER or PEM: form to the last byte, version, key, signature by that key. What it gives are slices
 * of `input` or come from the arena. Requests without the attributes are taken: some tokens leave them out.
 */
cp_csr_fault_t cp_csr_check(cp_str_t input, cp_arena_t *arena, cp_csr_t *csr);

#endif
