/* Which certificates a client may sign in with, as far as their bytes tell. Pure. */
#ifndef CP_CLIENT_RULES_H
#define CP_CLIENT_RULES_H

#include "call/call.h"
#include "certificate/x509.h"

/* The code of what the TLS layer says; CP_OK for CP_TLS_VERIFIED. */
cp_code_t cp_client_verdict(cp_tls_verdict_t verdict);

/*
 * What the certificate may be used for: no authority's, a key that may sign (keyUsage, where there is one, with
 * digitalSignature), clientAuth among its extended key usages, which must be there (RFC 5280 sections 4.2.1.3, 4.2.1.9,
 * 4.2.1.12). CP_E_CERT_IS_CA, CP_E_CERT_ENCRYPTION, CP_E_CERT_KEY_USAGE, CP_E_CERT_PURPOSE.
 */
cp_code_t cp_client_use(const cp_x509_t *x509);

/*
 * Its key and the algorithm it was signed by: CP_E_CERT_WEAK for RSA below 2048 bits, a bad exponent, a modulus that can
 * be factored, a point off the curve, a signature with MD5 or SHA-1; CP_E_CERT_UNSUPPORTED for other kinds of keys than
 * RSA, P-256, P-384, P-521 and for a critical extension that is not known here; CP_E_NO_MEMORY.
 */
cp_code_t cp_client_strength(const cp_x509_t *x509);

/* Its dates: CP_E_CERT_NOT_YET, CP_E_CERT_EXPIRED. notAfter's second still belongs to the validity. */
cp_code_t cp_client_dates(const cp_x509_t *x509, int64_t now_ms);

#endif
