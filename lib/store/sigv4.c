#include "store/sigv4.h"

#include <string.h>

#include "base/crypto.h"

#define ALGORITHM  "AWS4-HMAC-SHA256"
#define DAY        8    /* characters of the time: "20130524" */


static cp_str_t
scope_of(cp_arena_t *arena, const cp_sigv4_t *by)
{
    return cp_str_printf(arena, "%.*s/%s/%s/aws4_request", DAY, by->time, by->region, by->service);
}


/* The key of one day, region and service: a chain of HMACs that begins with the secret. */
static cp_code_t
signing_key(cp_arena_t *arena, const cp_sigv4_t *by, unsigned char key[CP_SHA256_SIZE])
{
    const cp_str_t links[] = {
        cp_str_n(by->time, DAY), cp_str(by->region), cp_str(by->service), CP_STR("aws4_request"),
    };
    cp_str_t secret = cp_str_printf(arena, "AWS4%.*s", (int) by->secret.len, by->secret.data);
    size_t   i;

    if (secret.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        unsigned char next[CP_SHA256_SIZE];

        CP_TRY(cp_hmac(i == 0 ? secret : cp_str_n(key, CP_SHA256_SIZE), links[i], next));
        memcpy(key, next, sizeof(next));
    }

    return CP_OK;
}


cp_str_t
cp_sigv4_signature(cp_arena_t *arena, const cp_sigv4_t *by, cp_str_t canonical)
{
    unsigned char key[CP_SHA256_SIZE], mac[CP_SHA256_SIZE];
    cp_str_t      scope = scope_of(arena, by), digest = cp_sha256_hex(arena, canonical), text;

    if (scope.data == NULL || digest.data == NULL || signing_key(arena, by, key) != CP_OK) {
        return CP_STR_NULL;
    }

    text = cp_str_printf(arena, ALGORITHM "\n%s\n%s\n%s", by->time, scope.data, digest.data);
    if (text.data == NULL || cp_hmac(cp_str_n(key, sizeof(key)), text, mac) != CP_OK) {
        return CP_STR_NULL;
    }

    return cp_str_hex(arena, cp_str_n(mac, sizeof(mac)));
}


cp_str_t
cp_sigv4_authorization(cp_arena_t *arena, const cp_sigv4_t *by, const cp_canonical_t *request)
{
    cp_str_t canonical, signature, scope, lines, names;

    canonical = cp_canonical_request(arena, request);
    if (canonical.data == NULL || !cp_canonical_headers(arena, request, &lines, &names)) {
        return CP_STR_NULL;
    }

    signature = cp_sigv4_signature(arena, by, canonical);
    scope = scope_of(arena, by);
    if (signature.data == NULL || scope.data == NULL) {
        return CP_STR_NULL;
    }

    return cp_str_printf(arena, ALGORITHM " Credential=%.*s/%s,SignedHeaders=%s,Signature=%s", (int) by->key_id.len,
                         by->key_id.data, scope.data, names.data, signature.data);
}
