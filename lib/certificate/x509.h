/* Certificates (RFC 5280 section 4) as slices of their bytes. */
#ifndef CP_X509_H
#define CP_X509_H

#include "certificate/key.h"

#define CP_X509_EXTENSIONS  24

typedef struct {
    cp_str_t  oid;
    bool      critical;
    cp_str_t  value;       /* what the OCTET STRING holds */
} cp_x509_extension_t;

typedef struct {
    cp_str_t             tbs;                 /* whole */
    cp_str_t             serial;              /* content of the INTEGER */
    cp_str_t             algorithm;           /* of the TBSCertificate, whole */
    cp_str_t             issuer;              /* Name, whole */
    int64_t              not_before_ms;
    int64_t              not_after_ms;
    cp_str_t             subject;             /* Name, whole */
    cp_str_t             spki;                /* whole */
    cp_x509_extension_t  extensions[CP_X509_EXTENSIONS];
    size_t               extension_count;
    cp_str_t             signature;           /* of the whole certificate; {0, NULL}: only a TBSCertificate was read */
} cp_x509_t;

/* Reads a TBSCertificate, version 3 only; false when it is malformed or anything follows. */
bool cp_x509_read_tbs(cp_str_t tbs, cp_x509_t *x509);

/* Reads a whole certificate; the signature is not verified. */
bool cp_x509_read(cp_str_t der, cp_x509_t *x509);

/* The extension of that OID (content bytes), NULL when there is none. */
const cp_x509_extension_t *cp_x509_extension(const cp_x509_t *x509, cp_str_t oid);

/* True when the extended key usage names clientAuth. */
bool cp_x509_is_for_clients(const cp_x509_t *x509);

/* OIDs of extensions (RFC 5280 section 4.2), content bytes. */
#define CP_OID_KEY_ID          CP_STR("\x55\x1d\x0e")
#define CP_OID_KEY_USAGE       CP_STR("\x55\x1d\x0f")
#define CP_OID_BASIC           CP_STR("\x55\x1d\x13")
#define CP_OID_CRL_NUMBER      CP_STR("\x55\x1d\x14")
#define CP_OID_CRL_REASON      CP_STR("\x55\x1d\x15")
#define CP_OID_CRL_POINTS      CP_STR("\x55\x1d\x1f")
#define CP_OID_POLICIES        CP_STR("\x55\x1d\x20")
#define CP_OID_AUTHORITY_KEY   CP_STR("\x55\x1d\x23")
#define CP_OID_PURPOSES        CP_STR("\x55\x1d\x25")
#define CP_OID_AUTHORITY_INFO  CP_STR("\x2b\x06\x01\x05\x05\x07\x01\x01")
#define CP_OID_OCSP            CP_STR("\x2b\x06\x01\x05\x05\x07\x30\x01")
#define CP_OID_CA_ISSUERS      CP_STR("\x2b\x06\x01\x05\x05\x07\x30\x02")
#define CP_OID_CPS             CP_STR("\x2b\x06\x01\x05\x05\x07\x02\x01")
#define CP_OID_CLIENT_AUTH     CP_STR("\x2b\x06\x01\x05\x05\x07\x03\x02")

/* A certificate that issues: what is taken from it. */
typedef struct {
    cp_str_t         name;             /* configured */
    cp_str_t         certificate;      /* DER */
    cp_str_t         subject;          /* Name, whole */
    cp_str_t         key_id;           /* its subject key identifier */
    cp_str_t         algorithm;        /* AlgorithmIdentifier of what it signs, whole */
    cp_public_key_t  key;
    int64_t          not_before_ms;
    int64_t          not_after_ms;
} cp_issuer_t;

/* Reads an issuer's certificate; NULL when it can issue certificates and CRLs, else why not (static text). */
const char *cp_issuer_read(cp_str_t name, cp_str_t der, cp_issuer_t *issuer);

#endif
