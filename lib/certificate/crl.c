#include "der.h"
#include "tbs.h"

#define REASON_UNSPECIFIED  0


static void
write_reason(cp_der_t *der, int64_t reason)
{
    if (reason == REASON_UNSPECIFIED) {
        return;
    }

    cp_der_begin(der, CP_DER_SEQUENCE);
    cp_der_begin(der, CP_DER_SEQUENCE);
    cp_der_put(der, CP_DER_OID, CP_OID_CRL_REASON);
    cp_der_begin(der, CP_DER_OCTETS);
    cp_der_number(der, CP_DER_ENUMERATED, reason);
    cp_der_end(der);
    cp_der_end(der);
    cp_der_end(der);
}


/* revokedCertificates is absent when there are none (RFC 5280 section 5.1.2.6). */
static void
write_entries(cp_der_t *der, const cp_crl_t *crl)
{
    size_t i;

    if (crl->count == 0) {
        return;
    }

    cp_der_begin(der, CP_DER_SEQUENCE);
    for (i = 0; i < crl->count; i++) {
        cp_der_begin(der, CP_DER_SEQUENCE);
        cp_der_magnitude(der, crl->entries[i].serial);
        cp_der_time(der, crl->entries[i].revoked_ms);
        write_reason(der, crl->entries[i].reason);
        cp_der_end(der);
    }
    cp_der_end(der);
}


cp_code_t
cp_crl_write(const cp_crl_t *crl, cp_arena_t *arena, cp_str_t *bytes)
{
    cp_der_t der;

    cp_der_init(&der, arena, 512 + crl->count * 64);

    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_der_number(&der, CP_DER_INTEGER, 1);    /* version 2 */
    cp_der_raw(&der, crl->issuer->algorithm);
    cp_der_raw(&der, crl->issuer->subject);
    cp_der_time(&der, crl->this_update_ms);
    cp_der_time(&der, crl->next_update_ms);
    write_entries(&der, crl);

    cp_der_begin(&der, CP_DER_EXPLICIT(0));
    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_authority_key_write(&der, crl->issuer);
    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_der_put(&der, CP_DER_OID, CP_OID_CRL_NUMBER);
    cp_der_begin(&der, CP_DER_OCTETS);
    cp_der_number(&der, CP_DER_INTEGER, crl->number);
    cp_der_end(&der);
    cp_der_end(&der);
    cp_der_end(&der);
    cp_der_end(&der);
    cp_der_end(&der);

    return cp_der_finish(&der, bytes);
}
