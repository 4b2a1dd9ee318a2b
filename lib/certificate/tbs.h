/* The to-be-signed bytes of certificates, from a profile, an issuer and a verified subject. */
#ifndef CP_TBS_H
#define CP_TBS_H

#include <jansson.h>

#include "certificate/profile.h"
#include "certificate/x509.h"

#define CP_SUBJECT_FIELDS  16

/* What a certificate says about its holder: the ledger's JSON, `{"C": "CN", "O": …, "CN": …, "uscc": …}`. */
typedef struct {
    cp_str_t  names[CP_SUBJECT_FIELDS];
    cp_str_t  values[CP_SUBJECT_FIELDS];
    size_t    count;
} cp_subject_t;

/* Reads the JSON, an object of strings, into the arena; CP_E_INTERNAL when it is none. */
cp_code_t cp_subject_read(cp_arena_t *arena, cp_str_t json, cp_subject_t *subject);

/* {0, NULL} when the subject has none. */
cp_str_t cp_subject_value(const cp_subject_t *subject, cp_str_t name);

typedef struct {
    const cp_profile_t    *profile;
    const cp_issuer_t     *issuer;
    const cp_subject_t    *subject;
    const cp_public_key_t *key;
    cp_str_t               serial;            /* 16 bytes, see cp_serial_new() */
    int64_t                not_before_ms;
    int64_t                years;
} cp_tbs_t;

/* A serial number: 127 random bits, not zero, 16 bytes from the arena (the sign bit is clear). */
cp_str_t cp_serial_new(cp_arena_t *arena);

/* The last second of a validity of so many years in UTC (29 February gives 28). */
int64_t cp_years_after(int64_t not_before_ms, int64_t years);

/* Builds the TBSCertificate; CP_E_INTERNAL when the subject lacks what the profile puts in. */
cp_code_t cp_tbs_write(const cp_tbs_t *tbs, cp_arena_t *arena, cp_str_t *bytes);

/* SEQUENCE { tbs, algorithm, signature }: a certificate or a CRL. */
cp_code_t cp_signed_write(cp_str_t tbs, cp_str_t algorithm, cp_str_t signature, cp_arena_t *arena, cp_str_t *der);

/* Degenerate SignedData (RFC 5652 section 5.1): the certificates without a signature, for import (".p7b"). */
cp_code_t cp_p7b_write(const cp_str_t *certificates, size_t count, cp_arena_t *arena, cp_str_t *der);

/* One PEM block (RFC 7468). */
cp_str_t cp_pem_write(cp_arena_t *arena, const char *label, cp_str_t der);

/* What a CRL says of one certificate. */
typedef struct {
    cp_str_t  serial;          /* big-endian */
    int64_t   revoked_ms;
    int64_t   reason;          /* CRLReason; 0 is left out (RFC 5280 section 5.3.1) */
} cp_crl_entry_t;

typedef struct {
    const cp_issuer_t    *issuer;
    int64_t               number;
    int64_t               this_update_ms;
    int64_t               next_update_ms;
    const cp_crl_entry_t *entries;
    size_t                count;
} cp_crl_t;

/* Builds the TBSCertList, version 2. */
cp_code_t cp_crl_write(const cp_crl_t *crl, cp_arena_t *arena, cp_str_t *bytes);

struct cp_der_s;

/* The extension that names the issuer's key; used by both. */
void cp_authority_key_write(struct cp_der_s *der, const cp_issuer_t *issuer);

#endif
