#include "certificate/client_rules.h"

#include "certificate/der.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

/* Bits of keyUsage's first byte (RFC 5280 section 4.2.1.3). */
#define DIGITAL_SIGNATURE  0x80u
#define ENCRYPTION         0x38u    /* keyEncipherment, dataEncipherment, keyAgreement */
#define KEY_CERT_SIGN      0x04u

#define BYTES(literal)  { sizeof(literal) - 1, (char *) (uintptr_t) (literal) }

/* OIDs of signatures whose digest collides: md2, md5 and sha1 with RSA, ECDSA with SHA-1, DSA with SHA-1. */
static const cp_str_t weak_signatures[] = {
    BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"),
    BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), BYTES("\x2a\x86\x48\xce\x3d\x04\x01"),
    BYTES("\x2a\x86\x48\xce\x38\x04\x03"),
};

/* AlgorithmIdentifiers of EC keys on P-384 and P-521: we issue none, but staff may come with another authority's. */
static const cp_str_t larger_curves[] = {
    BYTES("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"),
    BYTES("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"),
};

/* The critical extensions of an end entity that are looked at here or by the TLS layer (id-ce 15, 17, 19, 32, 37). */
static const cp_str_t known_critical[] = {
    BYTES("\x55\x1d\x0f"), BYTES("\x55\x1d\x11"), BYTES("\x55\x1d\x13"), BYTES("\x55\x1d\x20"), BYTES("\x55\x1d\x25"),
};


cp_code_t
cp_client_verdict(cp_tls_verdict_t verdict)
{
    static const cp_code_t codes[CP_TLS_VERDICTS] = {
        [CP_TLS_NO_CERTIFICATE] = CP_E_CERT_MISSING,
        [CP_TLS_VERIFIED] = CP_OK,
        [CP_TLS_SELF_SIGNED] = CP_E_CERT_SELF_SIGNED,
        [CP_TLS_FORGED] = CP_E_CERT_FORGED,
        [CP_TLS_UNTRUSTED] = CP_E_CERT_UNTRUSTED,
        [CP_TLS_REVOKED] = CP_E_CERT_REVOKED,
        [CP_TLS_WEAK] = CP_E_CERT_WEAK,
        [CP_TLS_UNSUPPORTED] = CP_E_CERT_UNSUPPORTED,
        [CP_TLS_PURPOSE] = CP_E_CERT_PURPOSE,
        [CP_TLS_STATUS_UNKNOWN] = CP_E_CERT_STATUS,
        [CP_TLS_NOT_YET_VALID] = CP_E_CERT_NOT_YET,
        [CP_TLS_EXPIRED] = CP_E_CERT_EXPIRED,
    };

    return (size_t) verdict < COUNT(codes) ? codes[verdict] : CP_E_CERT_UNTRUSTED;
}


static bool
is_listed(cp_str_t bytes, const cp_str_t *list, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (cp_str_eq(bytes, list[i])) {
            return true;
        }
    }

    return false;
}


/* keyUsage's first byte; all uses where there is no such extension, none where it cannot be read. */
static unsigned
key_usage(const cp_x509_t *x509)
{
    const cp_x509_extension_t *extension = cp_x509_extension(x509, CP_OID_KEY_USAGE);
    cp_str_t                   value, bits;

    if (extension == NULL) {
        return DIGITAL_SIGNATURE;
    }

    value = extension->value;
    if (!cp_der_take(&value, CP_DER_BITS, &bits) || value.len != 0 || bits.len < 2) {
        return 0;
    }

    return (unsigned char) bits.data[1];
}


static bool
says_ca(const cp_x509_t *x509)
{
    const cp_x509_extension_t *extension = cp_x509_extension(x509, CP_OID_BASIC);
    cp_str_t                   value, fields;

    if (extension == NULL) {
        return false;
    }

    /* What cannot be read is no end entity's. */
    value = extension->value;
    return !cp_der_take(&value, CP_DER_SEQUENCE, &fields) || cp_der_is_next(fields, CP_DER_BOOLEAN);
}


cp_code_t
cp_client_use(const cp_x509_t *x509)
{
    unsigned usage = key_usage(x509);

    if (says_ca(x509) || (usage & KEY_CERT_SIGN) != 0) {
        return CP_E_CERT_IS_CA;
    }
    if ((usage & DIGITAL_SIGNATURE) == 0) {
        return (usage & ENCRYPTION) != 0 ? CP_E_CERT_ENCRYPTION : CP_E_CERT_KEY_USAGE;
    }

    return cp_x509_is_for_clients(x509) ? CP_OK : CP_E_CERT_PURPOSE;
}


/* The OID of an AlgorithmIdentifier. */
static cp_str_t
oid_of(cp_str_t algorithm)
{
    cp_str_t fields, oid;

    return cp_der_take(&algorithm, CP_DER_SEQUENCE, &fields) && cp_der_take(&fields, CP_DER_OID, &oid) ? oid
                                                                                                       : CP_STR_NULL;
}


static bool
is_larger_curve(cp_str_t spki)
{
    cp_str_t fields, algorithm;

    return cp_der_take(&spki, CP_DER_SEQUENCE, &fields) && cp_der_take_whole(&fields, CP_DER_SEQUENCE, &algorithm)
           && is_listed(algorithm, larger_curves, COUNT(larger_curves));
}


static cp_code_t
key_strength(cp_str_t spki)
{
    cp_public_key_t key;
    cp_csr_fault_t  fault = cp_public_key_read(spki, &key);

    if (fault == CP_CSR_GOOD || (fault == CP_CSR_KEY_TYPE && is_larger_curve(spki))) {
        return CP_OK;
    }

    if (fault == CP_CSR_MEMORY) {
        return CP_E_NO_MEMORY;
    }

    /* Lengths that we do not certify are not weak for that. */
    return cp_csr_fault(fault)->code == CP_E_WEAK_KEY && fault != CP_CSR_LENGTH ? CP_E_CERT_WEAK
                                                                              : CP_E_CERT_UNSUPPORTED;
}


cp_code_t
cp_client_strength(const cp_x509_t *x509)
{
    size_t i;

    if (is_listed(oid_of(x509->algorithm), weak_signatures, COUNT(weak_signatures))) {
        return CP_E_CERT_WEAK;
    }

    CP_TRY(key_strength(x509->spki));

    for (i = 0; i < x509->extension_count; i++) {
        if (x509->extensions[i].critical
            && !is_listed(x509->extensions[i].oid, known_critical, COUNT(known_critical)))
        {
            return CP_E_CERT_UNSUPPORTED;
        }
    }

    return CP_OK;
}


cp_code_t
cp_client_dates(const cp_x509_t *x509, int64_t now_ms)
{
    if (now_ms < x509->not_before_ms) {
        return CP_E_CERT_NOT_YET;
    }

    return now_ms > x509->not_after_ms + 999 ? CP_E_CERT_EXPIRED : CP_OK;
}
