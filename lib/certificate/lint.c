#include "lint.h"

#include <string.h>

#include "der.h"

#define SERIAL_MIN  8       /* octets; fewer than 64 random bits come with less likelihood than 2^-60 */
#define SERIAL_MAX  20      /* RFC 5280 section 4.1.2.2 */
#define TBS_MAX     7000    /* with the largest signature it still fits the column */


static const char *
lint_serial(const cp_x509_t *x509, cp_str_t expected)
{
    cp_str_t serial = x509->serial;

    if (serial.len < SERIAL_MIN || serial.len > SERIAL_MAX || ((unsigned char) serial.data[0] & 0x80) != 0) {
        return "serial number is not positive or has a wrong length";
    }

    while (expected.len > 1 && expected.data[0] == 0 && ((unsigned char) expected.data[1] & 0x80) == 0) {
        expected.data++;
        expected.len--;
    }

    return cp_str_eq(serial, expected) ? NULL : "serial number is not the reserved one";
}


static const char *
lint_validity(const cp_x509_t *x509, const cp_lint_t *lint)
{
    const cp_tbs_t *expected = lint->expected;

    if (x509->not_before_ms < lint->earliest_ms / 1000 * 1000 || x509->not_before_ms > lint->latest_ms) {
        return "notBefore is not the time of issuance";
    }
    if (expected->years < expected->profile->years_min || expected->years > expected->profile->years_max) {
        return "the profile does not allow so many years";
    }
    if (x509->not_after_ms != cp_years_after(x509->not_before_ms, expected->years)) {
        return "notAfter is not the end of the years sold";
    }
    if (x509->not_before_ms < expected->issuer->not_before_ms || x509->not_after_ms > expected->issuer->not_after_ms) {
        return "validity exceeds the issuer's";
    }

    return NULL;
}


static bool
is_printable(cp_str_t s)
{
    static const char others[] = " '()+,-./:=?";
    size_t            i;

    for (i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
              || (c != '\0' && strchr(others, c) != NULL)))
        {
            return false;
        }
    }

    return true;
}


/* One RelativeDistinguishedName with one attribute, as the profile's part wants it. */
static const char *
lint_rdn(cp_str_t *rest, const cp_profile_part_t *part, cp_str_t expected, int64_t name_max)
{
    cp_str_t       set, pair, oid;
    cp_der_value_t value;

    if (!cp_der_take(rest, CP_DER_SET, &set) || !cp_der_take(&set, CP_DER_SEQUENCE, &pair) || set.len != 0
        || !cp_der_take(&pair, CP_DER_OID, &oid) || !cp_der_next(&pair, &value) || pair.len != 0)
    {
        return "subject is malformed";
    }
    if (!cp_str_eq(oid, part->attribute->oid)) {
        return "subject has an attribute missing, foreign or out of order";
    }
    if (value.tag != part->attribute->tag) {
        return "subject has an attribute of the wrong string type";
    }
    if (value.tag == CP_DER_PRINTABLE ? value.content.len != 2 || !is_printable(value.content)
                                      : !cp_str_is_text(value.content)
                                        || cp_str_chars(value.content) > (size_t) name_max)
    {
        return "subject has an attribute with characters or a length that is not allowed";
    }

    return cp_str_eq(value.content, expected) ? NULL : "subject is not the verified one";
}


static const char *
lint_subject(const cp_x509_t *x509, const cp_tbs_t *expected)
{
    cp_str_t    rest = x509->subject, fields;
    const char *fault;
    size_t      i;

    if (!cp_der_take(&rest, CP_DER_SEQUENCE, &fields)) {
        return "subject is malformed";
    }

    for (i = 0; i < expected->profile->part_count; i++) {
        const cp_profile_part_t *part = &expected->profile->parts[i];
        cp_str_t                 value = cp_subject_value(expected->subject, cp_str(part->attribute->name));

        if (value.len == 0 && part->optional) {
            continue;
        }
        fault = lint_rdn(&fields, part, value, expected->profile->name_max);
        if (fault != NULL) {
            return fault;
        }
    }

    return fields.len == 0 ? NULL : "subject has more attributes than the profile";
}


static const char *
lint_key(const cp_x509_t *x509, const cp_tbs_t *expected)
{
    cp_public_key_t key;

    if (!cp_str_eq(x509->spki, expected->key->spki)) {
        return "public key is not the one whose possession was proved";
    }
    if (cp_public_key_read(x509->spki, &key) != CP_CSR_GOOD) {
        return "public key is weak";
    }

    return (expected->profile->keys & key.kind) != 0 ? NULL : "the profile does not allow this kind of key";
}


/* ---- Extensions: each takes the value and says whether it is what the profile asks for. */

typedef bool (*extension_fn)(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena);


static bool
good_authority_key(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    cp_str_t fields, id;

    (void) arena;

    return cp_der_take(&value, CP_DER_SEQUENCE, &fields) && value.len == 0
           && cp_der_take(&fields, CP_DER_CONTEXT(0), &id) && fields.len == 0
           && cp_str_eq(id, expected->issuer->key_id);
}


static bool
good_key_id(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    unsigned char id[20];
    cp_str_t      found;

    (void) arena;

    return cp_public_key_id(expected->key, id) == CP_OK && cp_der_take(&value, CP_DER_OCTETS, &found)
           && value.len == 0 && cp_str_eq(found, cp_str_n(id, sizeof(id)));
}


static bool
good_key_usage(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    unsigned usage = expected->profile->key_usage, unused = 0;
    cp_str_t bits;

    (void) arena;

    while (unused < 8 && (usage >> unused & 1) == 0) {
        unused++;
    }

    return cp_der_take(&value, CP_DER_BITS, &bits) && value.len == 0 && bits.len == 2
           && (unsigned char) bits.data[0] == unused && (unsigned char) bits.data[1] == usage;
}


static bool
good_basic(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    (void) expected;
    (void) arena;

    return cp_str_eq(value, CP_STR("\x30\x00"));
}


static bool
good_purposes(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    cp_str_t list, oid;
    size_t   i;

    (void) arena;

    if (!cp_der_take(&value, CP_DER_SEQUENCE, &list) || value.len != 0) {
        return false;
    }
    for (i = 0; i < expected->profile->purpose_count; i++) {
        if (!cp_der_take(&list, CP_DER_OID, &oid) || !cp_str_eq(oid, expected->profile->purposes[i])) {
            return false;
        }
    }

    return list.len == 0;
}


static bool
good_policy(cp_str_t fields, const cp_profile_policy_t *policy)
{
    cp_str_t oid, qualifiers, qualifier, id, uri;

    if (!cp_der_take(&fields, CP_DER_OID, &oid) || !cp_str_eq(oid, policy->oid)) {
        return false;
    }
    if (policy->cps.data == NULL) {
        return fields.len == 0;
    }

    return cp_der_take(&fields, CP_DER_SEQUENCE, &qualifiers) && fields.len == 0
           && cp_der_take(&qualifiers, CP_DER_SEQUENCE, &qualifier) && qualifiers.len == 0
           && cp_der_take(&qualifier, CP_DER_OID, &id) && cp_str_eq(id, CP_OID_CPS)
           && cp_der_take(&qualifier, CP_DER_IA5, &uri) && qualifier.len == 0 && cp_str_eq(uri, policy->cps);
}


static bool
good_policies(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    cp_str_t list, one;
    size_t   i;

    (void) arena;

    if (!cp_der_take(&value, CP_DER_SEQUENCE, &list) || value.len != 0) {
        return false;
    }
    for (i = 0; i < expected->profile->policy_count; i++) {
        if (!cp_der_take(&list, CP_DER_SEQUENCE, &one) || !good_policy(one, &expected->profile->policies[i])) {
            return false;
        }
    }

    return list.len == 0;
}


static bool
good_url(cp_str_t found, cp_str_t wanted, const cp_tbs_t *expected, cp_arena_t *arena)
{
    cp_str_t url = cp_profile_url(arena, wanted, expected->issuer->name);

    return url.data != NULL && cp_str_eq(found, url);
}


static bool
good_crl_points(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    cp_str_t list, point, name, full, url;

    return cp_der_take(&value, CP_DER_SEQUENCE, &list) && value.len == 0
           && cp_der_take(&list, CP_DER_SEQUENCE, &point) && list.len == 0
           && cp_der_take(&point, CP_DER_EXPLICIT(0), &name) && point.len == 0
           && cp_der_take(&name, CP_DER_EXPLICIT(0), &full) && name.len == 0
           && cp_der_take(&full, CP_DER_CONTEXT(6), &url) && full.len == 0
           && good_url(url, expected->profile->crl, expected, arena);
}


static bool
good_access(cp_str_t *list, cp_str_t method, cp_str_t wanted, const cp_tbs_t *expected, cp_arena_t *arena)
{
    cp_str_t one, oid, url;

    if (wanted.data == NULL) {
        return true;
    }

    return cp_der_take(list, CP_DER_SEQUENCE, &one) && cp_der_take(&one, CP_DER_OID, &oid) && cp_str_eq(oid, method)
           && cp_der_take(&one, CP_DER_CONTEXT(6), &url) && one.len == 0 && good_url(url, wanted, expected, arena);
}


static bool
good_authority_info(cp_str_t value, const cp_tbs_t *expected, cp_arena_t *arena)
{
    cp_str_t list;

    return cp_der_take(&value, CP_DER_SEQUENCE, &list) && value.len == 0
           && good_access(&list, CP_OID_OCSP, expected->profile->ocsp, expected, arena)
           && good_access(&list, CP_OID_CA_ISSUERS, expected->profile->aia, expected, arena) && list.len == 0;
}


static bool
good_identifier(cp_str_t value, const cp_profile_identifier_t *identifier, cp_str_t wanted)
{
    cp_str_t inner;

    if (identifier->wrap != 0 && !identifier->implicit) {
        if (!cp_der_take(&value, identifier->wrap, &inner) || value.len != 0) {
            return false;
        }
        value = inner;
    }

    return cp_der_take(&value, identifier->implicit ? identifier->wrap : identifier->tag, &inner) && value.len == 0
           && inner.len != 0 && cp_str_eq(inner, wanted)
           && (identifier->tag == CP_DER_PRINTABLE ? is_printable(inner) : cp_str_is_text(inner));
}


static const char *
lint_identifiers(const cp_x509_t *x509, const cp_tbs_t *expected, size_t *count)
{
    const cp_x509_extension_t *extension;
    size_t                     i;

    for (i = 0; i < expected->profile->identifier_count; i++) {
        const cp_profile_identifier_t *identifier = &expected->profile->identifiers[i];

        extension = cp_x509_extension(x509, identifier->oid);
        if (extension == NULL || extension->critical
            || !good_identifier(extension->value, identifier, cp_subject_value(expected->subject, identifier->field)))
        {
            return "an identifier of the subject is missing or wrong";
        }
        (*count)++;
    }

    return NULL;
}


static const char *
lint_extensions(const cp_x509_t *x509, const cp_tbs_t *expected, cp_arena_t *arena)
{
    const cp_profile_t *profile = expected->profile;
    const struct {
        cp_str_t     oid;
        bool         wanted;
        bool         critical;
        extension_fn good;
        const char  *fault;
    } rows[] = {
        { CP_OID_AUTHORITY_KEY, true, false, good_authority_key, "authority key identifier is missing or wrong" },
        { CP_OID_KEY_ID, true, false, good_key_id, "subject key identifier is missing or wrong" },
        { CP_OID_KEY_USAGE, true, true, good_key_usage, "key usage is missing or wrong" },
        { CP_OID_BASIC, true, true, good_basic, "basic constraints are missing or wrong" },
        { CP_OID_PURPOSES, profile->purpose_count != 0, false, good_purposes, "extended key usage is wrong" },
        { CP_OID_POLICIES, profile->policy_count != 0, false, good_policies, "certificate policies are wrong" },
        { CP_OID_CRL_POINTS, profile->crl.data != NULL, false, good_crl_points, "CRL distribution point is wrong" },
        { CP_OID_AUTHORITY_INFO, profile->aia.data != NULL || profile->ocsp.data != NULL, false, good_authority_info,
          "authority information access is wrong" },
    };
    const cp_x509_extension_t *extension;
    const char                *fault;
    size_t                     i, count = 0;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        extension = cp_x509_extension(x509, rows[i].oid);

        if ((extension != NULL) != rows[i].wanted
            || (extension != NULL && (extension->critical != rows[i].critical
                                      || !rows[i].good(extension->value, expected, arena))))
        {
            return rows[i].fault;
        }
        count += extension != NULL;
    }

    fault = lint_identifiers(x509, expected, &count);
    if (fault != NULL) {
        return fault;
    }

    return count == x509->extension_count ? NULL : "there is an extension that the profile does not know";
}


const char *
cp_lint(cp_str_t tbs, const cp_lint_t *lint, cp_arena_t *arena)
{
    const cp_tbs_t *expected = lint->expected;
    const char     *fault;
    cp_x509_t       x509;

    if (tbs.len > TBS_MAX) {
        return "larger than a certificate may be";
    }
    if (!cp_der_check(tbs, true)) {
        return "not canonical DER";
    }
    if (!cp_x509_read_tbs(tbs, &x509)) {
        return "not a TBSCertificate of version 3";
    }

    if (!cp_str_eq(x509.algorithm, expected->issuer->algorithm)) {
        return "signature algorithm is not the issuer's";
    }
    if (!cp_str_eq(x509.issuer, expected->issuer->subject)) {
        return "issuer is not the issuer's subject";
    }

    fault = lint_serial(&x509, expected->serial);
    fault = fault != NULL ? fault : lint_validity(&x509, lint);
    fault = fault != NULL ? fault : lint_subject(&x509, expected);
    fault = fault != NULL ? fault : lint_key(&x509, expected);

    return fault != NULL ? fault : lint_extensions(&x509, expected, arena);
}
