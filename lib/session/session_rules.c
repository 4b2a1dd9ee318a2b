#include "session/session.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

/* The form of a record: version, account, its public id, the unit's or "-", method, start, last use, with a space
 * between. */
#define VERSION   "1"
#define NO_UNIT   "-"
#define MEMBERS   7

#define REWRITE_MS  (60 * 1000)


static bool
is_base64url(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}


bool
cp_session_key(cp_str_t token, char key[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    size_t        i;

    if (token.len != CP_SESSION_TOKEN) {
        return false;
    }

    for (i = 0; i < token.len; i++) {
        if (!is_base64url(token.data[i])) {
            return false;
        }
    }

    /* libsodium's takes no memory, which OpenSSL's does. */
    crypto_hash_sha256(digest, (const unsigned char *) token.data, token.len);
    sodium_bin2hex(key, 65, digest, sizeof(digest));

    return true;
}


size_t
cp_session_encode(const cp_principal_t *who, int64_t seen_ms, char *record)
{
    cp_str_t unit = who->unit_id.len == 0 ? CP_STR(NO_UNIT) : who->unit_id;
    int      n;

    n = snprintf(record, CP_SESSION_RECORD_MAX, VERSION " %lld %.*s %.*s %.*s %lld %lld", (long long) who->account,
                 (int) who->account_id.len, who->account_id.data, (int) unit.len, unit.data, (int) who->method.len,
                 who->method.data, (long long) who->since_ms, (long long) seen_ms);

    return n > 0 && n < CP_SESSION_RECORD_MAX ? (size_t) n : 0;
}


/* Cuts at single spaces into exactly MEMBERS parts, none of them empty. */
static bool
cut(cp_str_t record, cp_str_t parts[MEMBERS])
{
    char   *p = record.data, *end = record.data + record.len, *space;
    size_t  i;

    for (i = 0; i < MEMBERS; i++) {
        space = p == end ? NULL : memchr(p, ' ', (size_t) (end - p));
        if ((space == NULL) != (i == MEMBERS - 1)) {
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


bool
cp_session_decode(cp_str_t record, cp_principal_t *who, int64_t *seen_ms)
{
    cp_str_t parts[MEMBERS];

    *who = (cp_principal_t) { 0 };

    if (record.data == NULL || record.len > CP_SESSION_RECORD_MAX || !cut(record, parts)
        || !cp_str_is(parts[0], VERSION) || !cp_str_number(parts[1], &who->account)
        || !cp_str_number(parts[5], &who->since_ms) || !cp_str_number(parts[6], seen_ms) || who->account == 0)
    {
        *who = (cp_principal_t) { 0 };
        return false;
    }

    who->account_id = parts[2];
    who->unit_id = cp_str_is(parts[3], NO_UNIT) ? CP_STR_NULL : parts[3];
    who->method = parts[4];

    return true;
}


bool
cp_session_alive(const cp_session_conf_t *conf, const cp_principal_t *who, int64_t seen_ms, int64_t now_ms)
{
    return now_ms < seen_ms + (int64_t) conf->idle_s * 1000
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
