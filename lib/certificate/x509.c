#include "x509.h"

#include <string.h>

#include "der.h"

/* AlgorithmIdentifiers of what our issuers sign: ecdsa-with-SHA256, sha256WithRSAEncryption. */
#define ECDSA_SHA256  "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define RSA_SHA256    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"

#define KEY_CERT_SIGN  0x04
#define CRL_SIGN       0x02


/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool
read_extension(cp_str_t fields, cp_x509_extension_t *extension)
{
    cp_str_t critical;

    extension->critical = false;

    if (!cp_der_take(&fields, CP_DER_OID, &extension->oid)) {
        return false;
    }
    if (cp_der_is_next(fields, CP_DER_BOOLEAN)) {
        if (!cp_der_take(&fields, CP_DER_BOOLEAN, &critical) || !cp_str_eq(critical, CP_STR("\xff"))) {
            return false;
        }
        extension->critical = true;
    }

    return cp_der_take(&fields, CP_DER_OCTETS, &extension->value) && fields.len == 0;
}


static bool
read_extensions(cp_str_t fields, cp_x509_t *x509)
{
    cp_str_t list, one;

    if (!cp_der_take(&fields, CP_DER_SEQUENCE, &list) || fields.len != 0 || list.len == 0) {
        return false;
    }

    while (list.len != 0) {
        cp_x509_extension_t *extension = &x509->extensions[x509->extension_count];

        if (x509->extension_count == CP_X509_EXTENSIONS || !cp_der_take(&list, CP_DER_SEQUENCE, &one)
            || !read_extension(one, extension) || cp_x509_extension(x509, extension->oid) != NULL)
        {
            return false;
        }
        x509->extension_count++;
    }

    return true;
}


bool
cp_x509_read_tbs(cp_str_t tbs, cp_x509_t *x509)
{
    cp_str_t rest = tbs, fields, version, validity, extensions;

    memset(x509, 0, sizeof(*x509));
    x509->tbs = tbs;

    return cp_der_take(&rest, CP_DER_SEQUENCE, &fields) && rest.len == 0
           && cp_der_take(&fields, CP_DER_EXPLICIT(0), &version) && cp_str_eq(version, CP_STR("\x02\x01\x02"))
           && cp_der_take(&fields, CP_DER_INTEGER, &x509->serial)
           && cp_der_take_whole(&fields, CP_DER_SEQUENCE, &x509->algorithm)
           && cp_der_take_whole(&fields, CP_DER_SEQUENCE, &x509->issuer)
           && cp_der_take(&fields, CP_DER_SEQUENCE, &validity)
           && cp_der_take_time(&validity, &x509->not_before_ms) && cp_der_take_time(&validity, &x509->not_after_ms)
           && validity.len == 0
           && cp_der_take_whole(&fields, CP_DER_SEQUENCE, &x509->subject)
           && cp_der_take_whole(&fields, CP_DER_SEQUENCE, &x509->spki)
           && cp_der_take(&fields, CP_DER_EXPLICIT(3), &extensions) && fields.len == 0
           && read_extensions(extensions, x509);
}


bool
cp_x509_read(cp_str_t der, cp_x509_t *x509)
{
    cp_str_t rest = der, fields, tbs, algorithm, signature;

    if (!cp_der_take(&rest, CP_DER_SEQUENCE, &fields) || rest.len != 0
        || !cp_der_take_whole(&fields, CP_DER_SEQUENCE, &tbs)
        || !cp_der_take_whole(&fields, CP_DER_SEQUENCE, &algorithm) || !cp_der_take_bits(&fields, &signature)
        || fields.len != 0 || !cp_x509_read_tbs(tbs, x509) || !cp_str_eq(algorithm, x509->algorithm))
    {
        return false;
    }

    x509->signature = signature;
    return true;
}


const cp_x509_extension_t *
cp_x509_extension(const cp_x509_t *x509, cp_str_t oid)
{
    size_t i;

    for (i = 0; i < x509->extension_count; i++) {
        if (cp_str_eq(x509->extensions[i].oid, oid)) {
            return &x509->extensions[i];
        }
    }

    return NULL;
}


bool
cp_x509_is_for_clients(const cp_x509_t *x509)
{
    const cp_x509_extension_t *extension = cp_x509_extension(x509, CP_OID_PURPOSES);
    cp_str_t                   value, list, oid;

    if (extension == NULL) {
        return false;
    }

    value = extension->value;
    if (!cp_der_take(&value, CP_DER_SEQUENCE, &list) || value.len != 0) {
        return false;
    }

    while (cp_der_take(&list, CP_DER_OID, &oid)) {
        if (cp_str_eq(oid, CP_OID_CLIENT_AUTH)) {
            return true;
        }
    }

    return false;
}


static bool
is_ca(const cp_x509_t *x509)
{
    const cp_x509_extension_t *basic = cp_x509_extension(x509, CP_OID_BASIC);
    const cp_x509_extension_t *usage = cp_x509_extension(x509, CP_OID_KEY_USAGE);
    cp_str_t                   value, fields, ca, bits;

    if (basic == NULL || usage == NULL) {
        return false;
    }

    value = basic->value;
    if (!cp_der_take(&value, CP_DER_SEQUENCE, &fields) || !cp_der_take(&fields, CP_DER_BOOLEAN, &ca)
        || !cp_str_eq(ca, CP_STR("\xff")))
    {
        return false;
    }

    value = usage->value;
    return cp_der_take(&value, CP_DER_BITS, &bits) && bits.len >= 2
           && ((unsigned char) bits.data[1] & (KEY_CERT_SIGN | CRL_SIGN)) == (KEY_CERT_SIGN | CRL_SIGN);
}


const char *
cp_issuer_read(cp_str_t name, cp_str_t der, cp_issuer_t *issuer)
{
    const cp_x509_extension_t *id;
    cp_csr_fault_t             fault;
    cp_x509_t                  x509;
    cp_str_t                   value;

    memset(issuer, 0, sizeof(*issuer));
    issuer->name = name;
    issuer->certificate = der;

    if (!cp_x509_read(der, &x509)) {
        return "its certificate is not an X.509 version 3 certificate in DER";
    }
    if (!is_ca(&x509)) {
        return "its certificate may not sign certificates and CRLs (basicConstraints, keyUsage)";
    }

    id = cp_x509_extension(&x509, CP_OID_KEY_ID);
    value = id == NULL ? CP_STR_NULL : id->value;
    if (id == NULL || !cp_der_take(&value, CP_DER_OCTETS, &issuer->key_id) || issuer->key_id.len == 0) {
        return "its certificate has no subject key identifier";
    }

    fault = cp_public_key_read(x509.spki, &issuer->key);
    if (fault != CP_CSR_GOOD || issuer->key.kind == CP_KEY_SM2) {
        return "its key is neither P-256 nor RSA of 2048, 3072 or 4096 bits, or is weak";
    }

    issuer->subject = x509.subject;
    issuer->not_before_ms = x509.not_before_ms;
    issuer->not_after_ms = x509.not_after_ms;
    issuer->algorithm = issuer->key.kind == CP_KEY_P256 ? CP_STR(ECDSA_SHA256) : CP_STR(RSA_SHA256);

    return NULL;
}
