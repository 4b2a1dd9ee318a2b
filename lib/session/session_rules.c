#include "session/session.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

/* The form of a record: the members below with a space between; the place, which may hold spaces, is last. The two
 * times come first so that a script in Redis finds them. */
#define VERSION   "2"
#define NONE      "-"

enum { FORM, SINCE, SEEN, ACCOUNT, UNIT, METHOD, PROVED, CERTIFICATE, DEVICE, PLACE, MEMBERS };

#define REWRITE_MS  (60 * 1000)
#define AHEAD_MS    (5 * 60 * 1000)    /* as far as nodes' clocks may differ */


bool
cp_session_parse(cp_str_t token, cp_str_t *account_id, unsigned char *key)
{
    _Static_assert(CP_SESSION_KEY == crypto_hash_sha256_BYTES, "a key is a SHA-256");

    if (token.len != CP_SESSION_TOKEN || !cp_str_is_base64url(token)) {
        return false;
    }

    /* libsodium's takes no memory, which OpenSSL's does. */
    crypto_hash_sha256(key, (const unsigned char *) token.data, CP_SESSION_SECRET);
    *account_id = cp_str_n(token.data + CP_SESSION_SECRET, CP_ACCOUNT_ID);

    return true;
}


size_t
cp_session_encode(const cp_principal_t *who, int64_t seen_ms, char *record)
{
    const cp_str_t none = CP_STR(NONE);
    cp_str_t       unit = who->unit_id.len == 0 ? none : who->unit_id;
    cp_str_t       device = who->device.len == 0 ? none : who->device;
    cp_str_t       place = who->place.len == 0 ? none : who->place;
    int            n;

    n = snprintf(record, CP_SESSION_RECORD_MAX, VERSION " %lld %lld %lld %.*s %.*s %lld %lld %.*s %.*s",
                 (long long) who->since_ms, (long long) seen_ms, (long long) who->account, (int) unit.len, unit.data,
                 (int) who->method.len, who->method.data, (long long) who->proved_ms, (long long) who->certificate,
                 (int) device.len, device.data, (int) place.len, place.data);

    return n > 0 && n < CP_SESSION_RECORD_MAX ? (size_t) n : 0;
}


/* Cuts at single spaces into exactly MEMBERS parts, none of them empty. */
static bool
cut(cp_str_t record, cp_str_t parts[MEMBERS])
{
    char   *p = record.data, *end = record.data + record.len, *space;
    size_t  i;

    for (i = 0; i < MEMBERS; i++) {
        space = p == end || i == MEMBERS - 1 ? NULL : memchr(p, ' ', (size_t) (end - p));
        if (space == NULL && i != MEMBERS - 1) {
            return false;
        }

        space = space == NULL ? end : space;
        parts[i] = cp_str_n(p, (size_t) (space - p));
        if (parts[i].len == 0) {
            return false;
        }
        p = space == end ? end : space + 1;
    }

    return true;
}


static cp_str_t
or_null(cp_str_t part)
{
    return cp_str_is(part, NONE) ? CP_STR_NULL : part;
}


bool
cp_session_decode(cp_str_t record, cp_principal_t *who, int64_t *seen_ms)
{
    cp_str_t parts[MEMBERS];

    *who = (cp_principal_t) { 0 };

    if (record.data == NULL || record.len > CP_SESSION_RECORD_MAX || !cut(record, parts)
        || !cp_str_is(parts[FORM], VERSION) || !cp_str_number(parts[SINCE], &who->since_ms)
        || !cp_str_number(parts[SEEN], seen_ms) || !cp_str_number(parts[ACCOUNT], &who->account)
        || !cp_str_number(parts[PROVED], &who->proved_ms) || !cp_str_number(parts[CERTIFICATE], &who->certificate)
        || who->account == 0)
    {
        *who = (cp_principal_t) { 0 };
        return false;
    }

    who->unit_id = or_null(parts[UNIT]);
    who->method = parts[METHOD];
    who->device = or_null(parts[DEVICE]);
    who->place = or_null(parts[PLACE]);

    return true;
}


bool
cp_session_alive(const cp_session_conf_t *conf, const cp_principal_t *who, int64_t seen_ms, int64_t now_ms)
{
    return now_ms > seen_ms - AHEAD_MS && now_ms < seen_ms + (int64_t) conf->idle_s * 1000
           && now_ms < who->since_ms + (int64_t) conf->absolute_s * 1000;
}


bool
cp_session_is_stale(const cp_session_conf_t *conf, int64_t seen_ms, int64_t now_ms)
{
    int64_t tenth = (int64_t) conf->idle_s * 100;

    return now_ms - seen_ms >= (tenth < REWRITE_MS ? tenth : REWRITE_MS);
}


int64_t
cp_session_expires(const cp_session_conf_t *conf, int64_t since_ms, int64_t now_ms)
{
    int64_t idle = now_ms + (int64_t) conf->idle_s * 1000, absolute = since_ms + (int64_t) conf->absolute_s * 1000;

    return idle < absolute ? idle : absolute;
}


int64_t
cp_session_ttl(const cp_session_conf_t *conf, int64_t since_ms, int64_t now_ms)
{
    int64_t left = cp_session_expires(conf, since_ms, now_ms) - now_ms;

    return left > 0 ? left : 1;
}


cp_str_t
cp_session_id(cp_arena_t *arena, cp_str_t key)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    cp_str_t      id = { CP_SESSION_ID, cp_alloc(arena, CP_SESSION_ID + 1) };

    if (id.data == NULL) {
        return CP_STR_NULL;
    }

    crypto_hash_sha256(digest, (const unsigned char *) key.data, key.len);
    sodium_bin2base64(id.data, CP_SESSION_ID + 1, digest, CP_SESSION_ID / 4 * 3,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);

    return id;
}


cp_code_t
cp_session_proved(const cp_principal_t *who, int64_t now_ms)
{
    int64_t age = now_ms - who->proved_ms;

    return who->proved_ms != 0 && age >= 0 && age < CP_SESSION_PROOF_S * 1000 ? CP_OK : CP_E_PROOF_REQUIRED;
}
