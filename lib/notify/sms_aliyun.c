#include "notify/sms_aliyun.h"

#define ALGORITHM  "ACS3-HMAC-SHA256"


cp_str_t
cp_acs3_signature(cp_arena_t *arena, cp_str_t secret, cp_str_t canonical)
{
    unsigned char mac[CP_SHA256_SIZE];
    cp_str_t      digest, text;

    digest = cp_sha256_hex(arena, canonical);
    text = digest.data == NULL ? CP_STR_NULL : cp_str_printf(arena, ALGORITHM "\n%s", digest.data);
    if (text.data == NULL || cp_hmac(secret, text, mac) != CP_OK) {
        return CP_STR_NULL;
    }

    return cp_str_hex(arena, cp_str_n(mac, sizeof(mac)));
}


cp_str_t
cp_acs3_authorization(cp_arena_t *arena, cp_str_t key_id, cp_str_t secret, const cp_canonical_t *request)
{
    cp_str_t canonical, signature, lines, names;

    canonical = cp_canonical_request(arena, request);
    if (canonical.data == NULL || !cp_canonical_headers(arena, request, &lines, &names)) {
        return CP_STR_NULL;
    }

    signature = cp_acs3_signature(arena, secret, canonical);
    if (signature.data == NULL) {
        return CP_STR_NULL;
    }

    return cp_str_printf(arena, ALGORITHM " Credential=%.*s,SignedHeaders=%s,Signature=%s", (int) key_id.len,
                         key_id.data, names.data, signature.data);
}
