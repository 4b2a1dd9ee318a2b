#include "csr.h"

#include <string.h>

#include <openssl/evp.h>

#include "der.h"

#define PEM_MAX  (16 * 1024)


static cp_str_t
trim(cp_str_t s)
{
    while (s.len != 0 && strchr(" \t\r\n", s.data[0]) != NULL && s.data[0] != '\0') {
        s.data++;
        s.len--;
    }
    while (s.len != 0 && strchr(" \t\r\n", s.data[s.len - 1]) != NULL && s.data[s.len - 1] != '\0') {
        s.len--;
    }

    return s;
}


static bool
base64_decode(cp_arena_t *arena, cp_str_t text, cp_str_t *bytes)
{
    EVP_ENCODE_CTX *ctx;
    unsigned char  *out;
    int             n = 0, last = 0;
    bool            done;

    ctx = EVP_ENCODE_CTX_new();
    out = cp_alloc(arena, text.len + 3);
    if (ctx == NULL || out == NULL) {
        EVP_ENCODE_CTX_free(ctx);
        return false;
    }

    EVP_DecodeInit(ctx);
    done = EVP_DecodeUpdate(ctx, out, &n, (unsigned char *) text.data, (int) text.len) >= 0
           && EVP_DecodeFinal(ctx, out + n, &last) == 1;
    EVP_ENCODE_CTX_free(ctx);

    *bytes = cp_str_n(out, (size_t) n + (size_t) last);
    return done;
}


/* One PEM block (RFC 7468 section 7) with nothing but blanks around it. */
static bool
pem_decode(cp_arena_t *arena, cp_str_t text, cp_str_t *der)
{
    static const char *const labels[] = { "CERTIFICATE REQUEST-----", "NEW CERTIFICATE REQUEST-----" };

    size_t i, n;

    text = trim(text);

    for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        n = strlen(labels[i]);

        if (text.len > 11 + n + 9 + n && memcmp(text.data + 11, labels[i], n) == 0
            && memcmp(text.data + text.len - n - 9, "-----END ", 9) == 0
            && memcmp(text.data + text.len - n, labels[i], n) == 0)
        {
            text.data += 11 + n;
            text.len -= 11 + n + 9 + n;
            return base64_decode(arena, trim(text), der) && der->len != 0;
        }
    }

    return false;
}


/*
 * CertificationRequest ::= SEQUENCE { certificationRequestInfo SEQUENCE { version, subject, subjectPKInfo,
 * attributes [0] }, signatureAlgorithm, signature BIT STRING } (RFC 2986 section 4)
 */
static cp_csr_fault_t
read_request(cp_csr_t *csr, cp_str_t *info, cp_str_t *algorithm, cp_str_t *signature)
{
    cp_str_t       rest = csr->der, inner, fields, subject, version, spki;
    cp_der_value_t attributes;

    if (!cp_der_take(&rest, CP_DER_SEQUENCE, &inner)) {
        return CP_CSR_NOT_DER;
    }
    if (rest.len != 0) {
        return CP_CSR_TRAILING;
    }
    if (!cp_der_check(csr->der, false)) {
        return CP_CSR_NOT_DER;
    }

    if (!cp_der_take_whole(&inner, CP_DER_SEQUENCE, info) || !cp_der_take_whole(&inner, CP_DER_SEQUENCE, algorithm)
        || !cp_der_take_bits(&inner, signature) || inner.len != 0)
    {
        return CP_CSR_STRUCTURE;
    }

    rest = *info;
    if (!cp_der_take(&rest, CP_DER_SEQUENCE, &fields) || !cp_der_take(&fields, CP_DER_INTEGER, &version)) {
        return CP_CSR_STRUCTURE;
    }
    if (version.len != 1 || version.data[0] != 0) {
        return CP_CSR_VERSION;
    }

    if (!cp_der_take(&fields, CP_DER_SEQUENCE, &subject) || !cp_der_take_whole(&fields, CP_DER_SEQUENCE, &spki)) {
        return CP_CSR_STRUCTURE;
    }
    if (fields.len != 0
        && (!cp_der_next(&fields, &attributes) || attributes.tag != CP_DER_EXPLICIT(0) || fields.len != 0))
    {
        return CP_CSR_STRUCTURE;
    }

    return cp_public_key_read(spki, &csr->key);
}


cp_csr_fault_t
cp_csr_check(cp_str_t input, cp_arena_t *arena, cp_csr_t *csr)
{
    cp_str_t       info, algorithm, signature;
    unsigned char *digest;
    cp_csr_fault_t fault;

    memset(csr, 0, sizeof(*csr));
    csr->der = input;

    if (input.len > 0 && input.len <= PEM_MAX && (unsigned char) input.data[0] != CP_DER_SEQUENCE
        && !pem_decode(arena, input, &csr->der))
    {
        return CP_CSR_NOT_DER;
    }
    if (csr->der.len == 0 || csr->der.len > CP_CSR_MAX) {
        return CP_CSR_NOT_DER;
    }

    fault = read_request(csr, &info, &algorithm, &signature);
    if (fault != CP_CSR_GOOD) {
        return fault;
    }

    fault = cp_public_key_verify(&csr->key, algorithm, info, signature);
    if (fault != CP_CSR_GOOD) {
        return fault;
    }

    digest = cp_alloc(arena, CP_SHA256_SIZE);
    if (digest == NULL || cp_sha256(csr->key.spki, digest) != CP_OK) {
        return CP_CSR_MEMORY;
    }
    csr->spki_sha256 = cp_str_n(digest, CP_SHA256_SIZE);

    return CP_CSR_GOOD;
}
