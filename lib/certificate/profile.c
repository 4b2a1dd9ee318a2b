#include "profile.h"

#include <string.h>

#include "der.h"

#define OID(bytes)  { sizeof(bytes) - 1, (char *) (uintptr_t) (bytes) }

const cp_attribute_t cp_attributes[CP_ATTRIBUTES] = {
    { "C",  OID("\x55\x04\x06"), CP_DER_PRINTABLE },
    { "ST", OID("\x55\x04\x08"), CP_DER_UTF8 },
    { "L",  OID("\x55\x04\x07"), CP_DER_UTF8 },
    { "O",  OID("\x55\x04\x0a"), CP_DER_UTF8 },
    { "OU", OID("\x55\x04\x0b"), CP_DER_UTF8 },
    { "CN", OID("\x55\x04\x03"), CP_DER_UTF8 },
};

/* Bits of keyUsage that a subscriber may get: never keyCertSign or cRLSign. */
static const cp_word_t usage_words[] = {
    { "digital_signature", 0x80 },
    { "non_repudiation", 0x40 },
    { "key_encipherment", 0x20 },
    { "data_encipherment", 0x10 },
    { "key_agreement", 0x08 },
    { NULL, 0 }
};

static const struct {
    const char *name;
    cp_str_t    oid;
} purposes[] = {
    { "server_auth",      OID("\x2b\x06\x01\x05\x05\x07\x03\x01") },
    { "client_auth",      OID("\x2b\x06\x01\x05\x05\x07\x03\x02") },
    { "code_signing",     OID("\x2b\x06\x01\x05\x05\x07\x03\x03") },
    { "email_protection", OID("\x2b\x06\x01\x05\x05\x07\x03\x04") },
    { "time_stamping",    OID("\x2b\x06\x01\x05\x05\x07\x03\x08") },
};

static __thread cp_conf_fault_t last_fault;


/* `subject C ST? O CN;` in the one order that names have. */
static bool
set_subject(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
            cp_conf_fault_t *fault)
{
    cp_profile_t *profile = out;
    size_t        i, at = 0;

    (void) arena;
    (void) rule;

    for (i = 1; i < directive->count; i++) {
        cp_str_t word = directive->words[i];
        bool     optional = word.len != 0 && word.data[word.len - 1] == '?';

        word.len -= optional;
        while (at < CP_ATTRIBUTES && !cp_str_is(word, cp_attributes[at].name)) {
            at++;
        }
        if (at == CP_ATTRIBUTES) {
            return cp_conf_fail(fault, directive->line, "\"%s\" is no attribute or stands out of order "
                                "(C ST L O OU CN)", directive->words[i].data);
        }

        profile->parts[profile->part_count].attribute = &cp_attributes[at++];
        profile->parts[profile->part_count++].optional = optional;
    }

    if (strcmp(profile->parts[profile->part_count - 1].attribute->name, "CN") != 0
        || profile->parts[profile->part_count - 1].optional)
    {
        return cp_conf_fail(fault, directive->line, "a subject needs a CN");
    }

    return true;
}


static bool
set_words(const cp_conf_t *directive, const cp_word_t *words, unsigned *set, cp_conf_fault_t *fault)
{
    size_t   i;
    unsigned bit;

    for (i = 1; i < directive->count; i++) {
        bit = cp_word_bit(words, directive->words[i]);
        if (bit == 0 || (*set & bit) != 0) {
            return cp_conf_fail(fault, directive->line, "unknown or double word \"%s\" in \"%s\"",
                                directive->words[i].data, directive->words[0].data);
        }
        *set |= bit;
    }

    return true;
}


static bool
set_key(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out, cp_conf_fault_t *fault)
{
    (void) arena;
    (void) rule;

    return set_words(directive, cp_key_kind_words, &((cp_profile_t *) out)->keys, fault);
}


static bool
set_key_usage(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
              cp_conf_fault_t *fault)
{
    (void) arena;
    (void) rule;

    return set_words(directive, usage_words, &((cp_profile_t *) out)->key_usage, fault);
}


static bool
set_oid(cp_arena_t *arena, const cp_conf_t *directive, cp_str_t word, cp_str_t *oid, cp_conf_fault_t *fault)
{
    if (!cp_der_oid_of(arena, word, oid)) {
        return cp_conf_fail(fault, directive->line, "invalid object identifier \"%s\"", word.data);
    }

    return true;
}


static bool
set_purposes(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
             cp_conf_fault_t *fault)
{
    cp_profile_t *profile = out;
    cp_str_t     *oid;
    size_t        i, j;

    (void) rule;

    for (i = 1; i < directive->count; i++) {
        oid = &profile->purposes[profile->purpose_count++];

        for (j = 0; j < sizeof(purposes) / sizeof(purposes[0]) && !cp_str_is(directive->words[i], purposes[j].name); ) {
            j++;
        }
        if (j < sizeof(purposes) / sizeof(purposes[0])) {
            *oid = purposes[j].oid;
        } else if (!set_oid(arena, directive, directive->words[i], oid, fault)) {
            return false;
        }

        for (j = 0; j + 1 < profile->purpose_count; j++) {
            if (cp_str_eq(profile->purposes[j], *oid)) {
                return cp_conf_fail(fault, directive->line, "double purpose \"%s\"", directive->words[i].data);
            }
        }
    }

    return true;
}


static bool
set_policy(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
           cp_conf_fault_t *fault)
{
    cp_profile_t        *profile = out;
    cp_profile_policy_t *policy;

    (void) rule;

    if (profile->policy_count == CP_PROFILE_LIST) {
        return cp_conf_fail(fault, directive->line, "too many policies");
    }

    policy = &profile->policies[profile->policy_count++];
    policy->cps = directive->count > 2 ? directive->words[2] : CP_STR_NULL;

    return set_oid(arena, directive, directive->words[1], &policy->oid, fault);
}


/* `identifier uscc 1.2.156.10260.4.1.4 printable [explicit N | implicit N];` */
static bool
set_identifier(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
               cp_conf_fault_t *fault)
{
    cp_profile_t            *profile = out;
    cp_profile_identifier_t *identifier;
    int64_t                  number = 0;

    (void) rule;

    if (profile->identifier_count == CP_PROFILE_LIST) {
        return cp_conf_fail(fault, directive->line, "too many identifiers");
    }

    identifier = &profile->identifiers[profile->identifier_count++];
    identifier->field = directive->words[1];
    identifier->tag = cp_str_is(directive->words[3], "printable") ? CP_DER_PRINTABLE : CP_DER_UTF8;
    if (identifier->tag == CP_DER_UTF8 && !cp_str_is(directive->words[3], "utf8")) {
        return cp_conf_fail(fault, directive->line, "invalid string type \"%s\", expecting \"printable\" or \"utf8\"",
                            directive->words[3].data);
    }

    if (directive->count > 4) {
        identifier->implicit = cp_str_is(directive->words[4], "implicit");
        if (directive->count != 6 || !cp_str_number(directive->words[5], &number) || number > 30
            || (!identifier->implicit && !cp_str_is(directive->words[4], "explicit")))
        {
            return cp_conf_fail(fault, directive->line, "invalid tag, expecting \"explicit N\" or \"implicit N\"");
        }
        identifier->wrap = identifier->implicit ? CP_DER_CONTEXT((unsigned) number)
                                                : CP_DER_EXPLICIT((unsigned) number);
    }

    return set_oid(arena, directive, directive->words[2], &identifier->oid, fault);
}


static bool
set_url(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out, cp_conf_fault_t *fault)
{
    cp_str_t url = directive->words[1];
    size_t   i;

    if (!cp_str_starts(url, "http://") && !cp_str_starts(url, "https://")) {
        return cp_conf_fail(fault, directive->line, "\"%s\" is no http URL", url.data);
    }
    for (i = 0; i < url.len; i++) {
        if ((unsigned char) url.data[i] <= ' ' || (unsigned char) url.data[i] > '~') {
            return cp_conf_fail(fault, directive->line, "\"%s\" is no http URL", url.data);
        }
    }

    return cp_conf_set_str(arena, directive, rule, out, fault);
}


static bool
set_issuers(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
            cp_conf_fault_t *fault)
{
    cp_profile_t *profile = out;
    size_t        i;

    (void) arena;
    (void) rule;
    (void) fault;

    for (i = 1; i < directive->count; i++) {
        profile->issuers[profile->issuer_count++] = directive->words[i];
    }

    return true;
}


static bool
set_years(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
          cp_conf_fault_t *fault)
{
    cp_profile_t *profile = out;

    (void) arena;
    (void) rule;

    if (!cp_str_number(directive->words[1], &profile->years_min)
        || !cp_str_number(directive->words[directive->count - 1], &profile->years_max) || profile->years_min < 1
        || profile->years_max < profile->years_min || profile->years_max > 30)
    {
        return cp_conf_fail(fault, directive->line, "invalid years, expecting \"years MIN MAX\" from 1 to 30");
    }

    return true;
}


static const cp_conf_rule_t profile_rules[] = {
    { "subject", CP_CONF_REQUIRED, 1, CP_ATTRIBUTES, set_subject, 0, 0, 0 },
    { "key", CP_CONF_REQUIRED, 1, 4, set_key, 0, 0, 0 },
    { "key_usage", CP_CONF_REQUIRED, 1, 5, set_key_usage, 0, 0, 0 },
    { "extended_key_usage", 0, 1, CP_PROFILE_LIST, set_purposes, 0, 0, 0 },
    { "policy", CP_CONF_MANY, 1, 2, set_policy, 0, 0, 0 },
    { "identifier", CP_CONF_MANY, 3, 5, set_identifier, 0, 0, 0 },
    { "crl", 0, 1, 1, set_url, offsetof(cp_profile_t, crl), 0, 0 },
    { "aia", 0, 1, 1, set_url, offsetof(cp_profile_t, aia), 0, 0 },
    { "ocsp", 0, 1, 1, set_url, offsetof(cp_profile_t, ocsp), 0, 0 },
    { "issuer", 0, 1, CP_PROFILE_LIST, set_issuers, 0, 0, 0 },
    { "years", CP_CONF_REQUIRED, 1, 2, set_years, 0, 0, 0 },
    { "backdate", 0, 1, 1, cp_conf_set_time, offsetof(cp_profile_t, backdate_ms), 0, 24 * 3600 * 1000 },
    { "name_max", 0, 1, 1, cp_conf_set_number, offsetof(cp_profile_t, name_max), 1, 200 },
};


static bool
set_profile(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
            cp_conf_fault_t *fault)
{
    cp_profiles_t *all = out;
    cp_profile_t  *profile, **link;

    (void) rule;

    if (cp_profile_find(all, directive->words[1]) != NULL) {
        return cp_conf_fail(fault, directive->line, "profile \"%s\" is there twice", directive->words[1].data);
    }

    profile = cp_calloc(arena, 1, sizeof(cp_profile_t));
    if (profile == NULL) {
        return cp_conf_fail(fault, directive->line, "out of memory");
    }

    profile->name = directive->words[1];
    profile->backdate_ms = 300 * 1000;
    profile->name_max = 64;    /* ub-organization-name, ub-common-name (RFC 5280 appendix A.1) */

    for (link = &all->first; *link != NULL; link = &(*link)->next) { /* void */ }
    *link = profile;

    return cp_conf_apply(arena, directive->children, directive->line, profile_rules,
                         sizeof(profile_rules) / sizeof(profile_rules[0]), profile, fault);
}


static const cp_conf_rule_t file_rules[] = {
    { "profile", CP_CONF_BLOCK | CP_CONF_REQUIRED | CP_CONF_MANY, 1, 1, set_profile, 0, 0, 0 },
};


/* From a file, or from text where there is no path. */
static cp_profiles_t *
profiles_load(const char *path, cp_str_t text, const char **why, unsigned *line)
{
    cp_arena_t    *arena;
    cp_profiles_t *profiles;
    cp_conf_t     *list;
    bool           read;

    cp_conf_fail(&last_fault, 0, "out of memory");
    *why = last_fault.why;
    *line = 0;

    arena = cp_arena_new(0);
    profiles = arena == NULL ? NULL : cp_calloc(arena, 1, sizeof(cp_profiles_t));
    if (profiles == NULL) {
        cp_arena_free(arena);
        return NULL;
    }
    profiles->arena = arena;

    read = path != NULL ? cp_conf_read(arena, path, &list, &last_fault)
                        : cp_conf_parse(arena, text, &list, &last_fault);

    if (!read || !cp_conf_apply(arena, list, 1, file_rules, 1, profiles, &last_fault)) {
        *line = last_fault.line;
        cp_arena_free(arena);
        return NULL;
    }

    *why = NULL;
    return profiles;
}


cp_profiles_t *
cp_profiles_read(const char *path, const char **why, unsigned *line)
{
    return profiles_load(path, CP_STR_NULL, why, line);
}


cp_profiles_t *
cp_profiles_parse(cp_str_t text, const char **why, unsigned *line)
{
    return profiles_load(NULL, text, why, line);
}


void
cp_profiles_free(cp_profiles_t *profiles)
{
    if (profiles != NULL) {
        cp_arena_free(profiles->arena);
    }
}


const cp_profile_t *
cp_profile_find(const cp_profiles_t *profiles, cp_str_t name)
{
    const cp_profile_t *profile;

    for (profile = profiles->first; profile != NULL; profile = profile->next) {
        if (cp_str_eq(profile->name, name)) {
            return profile;
        }
    }

    return NULL;
}


bool
cp_profile_holds(const cp_profiles_t *profiles, cp_str_t profile, cp_str_t name)
{
    const cp_profile_t *found = profiles == NULL ? NULL : cp_profile_find(profiles, profile);

    return found == NULL || cp_str_chars(name) <= (size_t) found->name_max;
}


cp_str_t
cp_profile_url(cp_arena_t *arena, cp_str_t url, cp_str_t issuer)
{
    const char *mark = url.data == NULL ? NULL : strstr(url.data, "$issuer");

    if (mark == NULL) {
        return url;
    }

    return cp_str_printf(arena, "%.*s%.*s%s", (int) (mark - url.data), url.data, (int) issuer.len, issuer.data,
                         mark + sizeof("$issuer") - 1);
}
