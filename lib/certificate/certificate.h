/* Certificates that were issued: listing, downloading, signing in with one, revoking. */
#ifndef CP_CERTIFICATE_H
#define CP_CERTIFICATE_H

#include "call/call.h"

typedef struct {
    int64_t   id;
    int64_t   account;
    cp_str_t  account_id;
    cp_str_t  serial;          /* lower-case hexadecimal, no leading zeros */
    cp_str_t  state;           /* "valid", "revoked", "superseded" */
} cp_certificate_t;

/*
 * The certificate that the client presented on the TLS connection, checked for signing in: the TLS layer's verdict on
 * chain and validity, then extended key usage, then its row in MySQL by SHA-256. Each refusal has its own code
 * (CP_E_CERT_…) whose text says what the holder can do.
 */
cp_code_t cp_certificate_of_tls(cp_call_t *call, cp_certificate_t *certificate);

#endif
