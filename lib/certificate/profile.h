/*
 * Certificate profiles: what a certificate of a kind says, read from a file in nginx's syntax (conf/profiles.conf shows
 * every directive). The catalogue names them; the signer builds and lints by them.
 */
#ifndef CP_PROFILE_H
#define CP_PROFILE_H

#include "base/conf.h"
#include "certificate/key.h"

#define CP_PROFILE_LIST  8     /* entries of one list */

/* Attributes of a name (RFC 5280 appendix A.1), in the order in which GM/T 0015 puts them. */
typedef struct {
    const char *name;          /* "CN" */
    cp_str_t    oid;           /* content bytes */
    unsigned    tag;           /* PrintableString for C, UTF8String for the others */
} cp_attribute_t;

extern const cp_attribute_t cp_attributes[];
#define CP_ATTRIBUTES  6

typedef struct {
    const cp_attribute_t *attribute;
    bool                  optional;    /* left out when the subject has none */
} cp_profile_part_t;

/* A private extension that holds one string of the subject, such as the unit's code (GM/T 0015 section 5.2.4.3). */
typedef struct {
    cp_str_t  field;           /* "uscc": its name in the subject */
    cp_str_t  oid;
    unsigned  tag;             /* CP_DER_PRINTABLE or CP_DER_UTF8 */
    unsigned  wrap;            /* tag of an explicit [n] around it, of an implicit [n] in place of it; 0: none */
    bool      implicit;
} cp_profile_identifier_t;

typedef struct {
    cp_str_t  oid;
    cp_str_t  cps;             /* URI of the practice statement, or {0, NULL} */
} cp_profile_policy_t;

typedef struct cp_profile_s {
    cp_str_t                 name;
    cp_profile_part_t        parts[CP_ATTRIBUTES];
    size_t                   part_count;
    cp_profile_identifier_t  identifiers[CP_PROFILE_LIST];
    size_t                   identifier_count;
    unsigned                 keys;               /* CP_KEY_P256 … that are taken */
    unsigned                 key_usage;          /* bit n of RFC 5280 section 4.2.1.3 is 0x80 >> n */
    cp_str_t                 purposes[CP_PROFILE_LIST];    /* extended key usages: OIDs */
    size_t                   purpose_count;
    cp_profile_policy_t      policies[CP_PROFILE_LIST];
    size_t                   policy_count;
    cp_str_t                 crl;                /* URLs; `$issuer` in them stands for the issuer's name */
    cp_str_t                 aia;
    cp_str_t                 ocsp;
    cp_str_t                 issuers[CP_PROFILE_LIST];     /* none: any issuer of the signer */
    size_t                   issuer_count;
    int64_t                  years_min;
    int64_t                  years_max;
    int64_t                  backdate_ms;        /* notBefore lies so long before the signing: clocks differ */
    int64_t                  name_max;           /* characters of O, OU, CN */
    struct cp_profile_s     *next;
} cp_profile_t;

typedef struct cp_profiles_s {
    cp_arena_t   *arena;
    cp_profile_t *first;
} cp_profiles_t;

/*
 * Reads the file. NULL with *why (valid until the next call on this thread) and *line (0: the file as a whole) when it
 * is not in order. cp_profiles_free() releases it.
 */
cp_profiles_t *cp_profiles_read(const char *path, const char **why, unsigned *line);

/* The same from text. */
cp_profiles_t *cp_profiles_parse(cp_str_t text, const char **why, unsigned *line);

/* Accepts NULL. */
void cp_profiles_free(cp_profiles_t *profiles);

/* NULL when there is none of that name. */
const cp_profile_t *cp_profile_find(const cp_profiles_t *profiles, cp_str_t name);

/* Whether a certificate of the profile can hold the name of a unit; true when there is no such profile. */
bool cp_profile_holds(const cp_profiles_t *profiles, cp_str_t profile, cp_str_t name);

/* The URL with the issuer's name put in, from the arena. */
cp_str_t cp_profile_url(cp_arena_t *arena, cp_str_t url, cp_str_t issuer);

#endif
