#include "tbs.h"

#include <string.h>
#include <time.h>

#include "base/random.h"
#include "der.h"

#define SERIAL_SIZE  16


cp_code_t
cp_subject_read(cp_arena_t *arena, cp_str_t json, cp_subject_t *subject)
{
    json_t     *object, *value;
    const char *name;
    cp_code_t   code = CP_OK;

    subject->count = 0;

    object = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object) || json_object_size(object) > CP_SUBJECT_FIELDS) {
        json_decref(object);
        return CP_E_INTERNAL;
    }

    json_object_foreach(object, name, value) {
        size_t i = subject->count++;

        if (!json_is_string(value)) {
            code = CP_E_INTERNAL;
            break;
        }
        subject->names[i] = cp_str_dup(arena, cp_str(name));
        subject->values[i] = cp_str_dup(arena, cp_str_n(json_string_value(value), json_string_length(value)));
        if (subject->names[i].data == NULL || subject->values[i].data == NULL) {
            code = CP_E_NO_MEMORY;
            break;
        }
    }

    json_decref(object);

    return code;
}


cp_str_t
cp_subject_value(const cp_subject_t *subject, cp_str_t name)
{
    size_t i;

    for (i = 0; i < subject->count; i++) {
        if (cp_str_eq(subject->names[i], name)) {
            return subject->values[i];
        }
    }

    return CP_STR_NULL;
}


/* Which bits are random is seen from outside: forcing one would halve what is left (and did, in real authorities). */
cp_str_t
cp_serial_new(cp_arena_t *arena)
{
    unsigned char *serial, any;
    size_t         i;

    serial = cp_alloc(arena, SERIAL_SIZE);
    if (serial == NULL) {
        return CP_STR_NULL;
    }

    do {
        cp_random(serial, SERIAL_SIZE);
        serial[0] &= 0x7f;
        for (any = 0, i = 0; i < SERIAL_SIZE; i++) {
            any |= serial[i];
        }
    } while (any == 0);

    return cp_str_n(serial, SERIAL_SIZE);
}


int64_t
cp_years_after(int64_t not_before_ms, int64_t years)
{
    time_t    at = (time_t) (not_before_ms / 1000);
    struct tm tm;
    int       day;

    gmtime_r(&at, &tm);
    day = tm.tm_mday;
    tm.tm_year += (int) years;
    at = timegm(&tm);

    if (tm.tm_mday != day) {
        at -= 24 * 3600;
    }

    return ((int64_t) at - 1) * 1000;
}


static void
write_subject(cp_der_t *der, const cp_tbs_t *tbs)
{
    size_t i;

    cp_der_begin(der, CP_DER_SEQUENCE);

    for (i = 0; i < tbs->profile->part_count; i++) {
        const cp_profile_part_t *part = &tbs->profile->parts[i];
        cp_str_t                 value = cp_subject_value(tbs->subject, cp_str(part->attribute->name));

        if (value.len == 0) {
            der->failed |= !part->optional;
            continue;
        }

        cp_der_begin(der, CP_DER_SET);
        cp_der_begin(der, CP_DER_SEQUENCE);
        cp_der_put(der, CP_DER_OID, part->attribute->oid);
        cp_der_put(der, part->attribute->tag, value);
        cp_der_end(der);
        cp_der_end(der);
    }

    cp_der_end(der);
}


static void
begin_extension(cp_der_t *der, cp_str_t oid, bool critical)
{
    cp_der_begin(der, CP_DER_SEQUENCE);
    cp_der_put(der, CP_DER_OID, oid);
    if (critical) {
        cp_der_true(der);
    }
    cp_der_begin(der, CP_DER_OCTETS);
}


static void
end_extension(cp_der_t *der)
{
    cp_der_end(der);
    cp_der_end(der);
}


void
cp_authority_key_write(cp_der_t *der, const cp_issuer_t *issuer)
{
    begin_extension(der, CP_OID_AUTHORITY_KEY, false);
    cp_der_begin(der, CP_DER_SEQUENCE);
    cp_der_put(der, CP_DER_CONTEXT(0), issuer->key_id);
    cp_der_end(der);
    end_extension(der);
}


static void
write_key_id(cp_der_t *der, const cp_tbs_t *tbs)
{
    unsigned char id[20];

    der->failed |= cp_public_key_id(tbs->key, id) != CP_OK;

    begin_extension(der, CP_OID_KEY_ID, false);
    cp_der_put(der, CP_DER_OCTETS, cp_str_n(id, sizeof(id)));
    end_extension(der);
}


/* Of a named bit list the trailing zero bits are not part (X.690 section 11.2.2). */
static void
write_key_usage(cp_der_t *der, unsigned usage)
{
    unsigned char byte = (unsigned char) usage;
    unsigned      unused = (unsigned) __builtin_ctz(usage | 0x100);

    begin_extension(der, CP_OID_KEY_USAGE, true);
    cp_der_bits(der, cp_str_n(&byte, 1), unused);
    end_extension(der);
}


/* cA is FALSE by DEFAULT: an empty sequence. */
static void
write_basic_constraints(cp_der_t *der)
{
    begin_extension(der, CP_OID_BASIC, true);
    cp_der_put(der, CP_DER_SEQUENCE, CP_STR(""));
    end_extension(der);
}


static void
write_purposes(cp_der_t *der, const cp_profile_t *profile)
{
    size_t i;

    if (profile->purpose_count == 0) {
        return;
    }

    begin_extension(der, CP_OID_PURPOSES, false);
    cp_der_begin(der, CP_DER_SEQUENCE);
    for (i = 0; i < profile->purpose_count; i++) {
        cp_der_put(der, CP_DER_OID, profile->purposes[i]);
    }
    cp_der_end(der);
    end_extension(der);
}


static void
write_policies(cp_der_t *der, const cp_profile_t *profile)
{
    size_t i;

    if (profile->policy_count == 0) {
        return;
    }

    begin_extension(der, CP_OID_POLICIES, false);
    cp_der_begin(der, CP_DER_SEQUENCE);
    for (i = 0; i < profile->policy_count; i++) {
        cp_der_begin(der, CP_DER_SEQUENCE);
        cp_der_put(der, CP_DER_OID, profile->policies[i].oid);
        if (profile->policies[i].cps.data != NULL) {
            cp_der_begin(der, CP_DER_SEQUENCE);
            cp_der_begin(der, CP_DER_SEQUENCE);
            cp_der_put(der, CP_DER_OID, CP_OID_CPS);
            cp_der_put(der, CP_DER_IA5, profile->policies[i].cps);
            cp_der_end(der);
            cp_der_end(der);
        }
        cp_der_end(der);
    }
    cp_der_end(der);
    end_extension(der);
}


/* One distribution point with a full name (RFC 5280 section 4.2.1.13). */
static void
write_crl_points(cp_der_t *der, cp_arena_t *arena, const cp_tbs_t *tbs)
{
    if (tbs->profile->crl.data == NULL) {
        return;
    }

    begin_extension(der, CP_OID_CRL_POINTS, false);
    cp_der_begin(der, CP_DER_SEQUENCE);
    cp_der_begin(der, CP_DER_SEQUENCE);
    cp_der_begin(der, CP_DER_EXPLICIT(0));
    cp_der_begin(der, CP_DER_EXPLICIT(0));
    cp_der_put(der, CP_DER_CONTEXT(6), cp_profile_url(arena, tbs->profile->crl, tbs->issuer->name));
    cp_der_end(der);
    cp_der_end(der);
    cp_der_end(der);
    cp_der_end(der);
    end_extension(der);
}


static void
write_access(cp_der_t *der, cp_arena_t *arena, cp_str_t method, cp_str_t url, cp_str_t issuer)
{
    if (url.data == NULL) {
        return;
    }

    cp_der_begin(der, CP_DER_SEQUENCE);
    cp_der_put(der, CP_DER_OID, method);
    cp_der_put(der, CP_DER_CONTEXT(6), cp_profile_url(arena, url, issuer));
    cp_der_end(der);
}


static void
write_authority_info(cp_der_t *der, cp_arena_t *arena, const cp_tbs_t *tbs)
{
    if (tbs->profile->aia.data == NULL && tbs->profile->ocsp.data == NULL) {
        return;
    }

    begin_extension(der, CP_OID_AUTHORITY_INFO, false);
    cp_der_begin(der, CP_DER_SEQUENCE);
    write_access(der, arena, CP_OID_OCSP, tbs->profile->ocsp, tbs->issuer->name);
    write_access(der, arena, CP_OID_CA_ISSUERS, tbs->profile->aia, tbs->issuer->name);
    cp_der_end(der);
    end_extension(der);
}


static void
write_identifiers(cp_der_t *der, const cp_tbs_t *tbs)
{
    size_t i;

    for (i = 0; i < tbs->profile->identifier_count; i++) {
        const cp_profile_identifier_t *identifier = &tbs->profile->identifiers[i];
        cp_str_t                       value = cp_subject_value(tbs->subject, identifier->field);

        if (value.len == 0) {
            der->failed = true;
            return;
        }

        begin_extension(der, identifier->oid, false);
        if (identifier->implicit) {
            cp_der_put(der, identifier->wrap, value);
        } else if (identifier->wrap != 0) {
            cp_der_begin(der, identifier->wrap);
            cp_der_put(der, identifier->tag, value);
            cp_der_end(der);
        } else {
            cp_der_put(der, identifier->tag, value);
        }
        end_extension(der);
    }
}


static void
write_extensions(cp_der_t *der, cp_arena_t *arena, const cp_tbs_t *tbs)
{
    cp_der_begin(der, CP_DER_EXPLICIT(3));
    cp_der_begin(der, CP_DER_SEQUENCE);

    cp_authority_key_write(der, tbs->issuer);
    write_key_id(der, tbs);
    write_key_usage(der, tbs->profile->key_usage);
    write_basic_constraints(der);
    write_purposes(der, tbs->profile);
    write_policies(der, tbs->profile);
    write_crl_points(der, arena, tbs);
    write_authority_info(der, arena, tbs);
    write_identifiers(der, tbs);

    cp_der_end(der);
    cp_der_end(der);
}


cp_code_t
cp_tbs_write(const cp_tbs_t *tbs, cp_arena_t *arena, cp_str_t *bytes)
{
    cp_der_t der;

    cp_der_init(&der, arena, 2048);

    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_der_begin(&der, CP_DER_EXPLICIT(0));
    cp_der_number(&der, CP_DER_INTEGER, 2);
    cp_der_end(&der);
    cp_der_magnitude(&der, tbs->serial);
    cp_der_raw(&der, tbs->issuer->algorithm);
    cp_der_raw(&der, tbs->issuer->subject);

    cp_der_begin(&der, CP_DER_SEQUENCE);
    cp_der_time(&der, tbs->not_before_ms);
    cp_der_time(&der, cp_years_after(tbs->not_before_ms, tbs->years));
    cp_der_end(&der);

    write_subject(&der, tbs);
    cp_der_raw(&der, tbs->key->spki);
    write_extensions(&der, arena, tbs);
    cp_der_end(&der);

    return cp_der_finish(&der, bytes);
}


cp_code_t
cp_signed_write(cp_str_t tbs, cp_str_t algorithm, cp_str_t signature, cp_arena_t *arena, cp_str_t *der)
{
    cp_der_t out;

    cp_der_init(&out, arena, tbs.len + algorithm.len + signature.len + 32);
    cp_der_begin(&out, CP_DER_SEQUENCE);
    cp_der_raw(&out, tbs);
    cp_der_raw(&out, algorithm);
    cp_der_bits(&out, signature, 0);
    cp_der_end(&out);

    return cp_der_finish(&out, der);
}
