/* The forms in which a certificate is handed out. */
#include <stdio.h>
#include <string.h>

#include "der.h"
#include "tbs.h"

#define OID_DATA         CP_STR("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")
#define OID_SIGNED_DATA  CP_STR("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")

#define PEM_LINE  64


cp_code_t
cp_p7b_write(const cp_str_t *certificates, size_t count, cp_arena_t *arena, cp_str_t *bytes)
{
    cp_der_t der;
    size_t   i, size = 64;

    for (i = 0; i < count; i++) {
        size += certificates[i].len;
    }

    cp_der_init(&der, arena, size);
    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_der_put(&der, CP_DER_OID, OID_SIGNED_DATA);
    cp_der_begin(&der, CP_DER_EXPLICIT(0));

    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_der_number(&der, CP_DER_INTEGER, 1);
    cp_der_put(&der, CP_DER_SET, CP_STR(""));       /* digestAlgorithms */
    cp_der_begin(&der, CP_DER_SEQUENCE);            /* encapContentInfo without content */
    cp_der_put(&der, CP_DER_OID, OID_DATA);
    cp_der_end(&der);
    cp_der_begin(&der, CP_DER_EXPLICIT(0));
    for (i = 0; i < count; i++) {
        cp_der_raw(&der, certificates[i]);
    }
    cp_der_end(&der);
    cp_der_put(&der, CP_DER_SET, CP_STR(""));       /* signerInfos */
    cp_der_end(&der);

    cp_der_end(&der);
    cp_der_end(&der);

    return cp_der_finish(&der, bytes);
}


cp_str_t
cp_pem_write(cp_arena_t *arena, const char *label, cp_str_t der)
{
    cp_str_t text = cp_str_base64(arena, der);
    char    *out, *p;
    size_t   i, n, size;

    if (text.data == NULL) {
        return CP_STR_NULL;
    }

    size = text.len + text.len / PEM_LINE + 1 + 2 * strlen(label) + sizeof("-----BEGIN -----\n-----END -----\n");
    out = cp_alloc(arena, size);
    if (out == NULL) {
        return CP_STR_NULL;
    }

    p = out + snprintf(out, size, "-----BEGIN %s-----\n", label);
    for (i = 0; i < text.len; i += n) {
        n = text.len - i < PEM_LINE ? text.len - i : PEM_LINE;
        memcpy(p, text.data + i, n);
        p += n;
        *p++ = '\n';
    }
    p += snprintf(p, size - (size_t) (p - out), "-----END %s-----\n", label);

    return cp_str_n(out, (size_t) (p - out));
}
