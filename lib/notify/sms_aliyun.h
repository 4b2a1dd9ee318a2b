/*
 * Aliyun's request signature, version 3 (ACS3-HMAC-SHA256; help.aliyun.com "V3 request structure and signature").
 * Pure: everything that goes into the signature is a parameter.
 */
#ifndef CP_SMS_ALIYUN_H
#define CP_SMS_ALIYUN_H

#include "base/crypto.h"

#define CP_ACS3_PAIRS_MAX  16

typedef struct {
    cp_str_t  name;
    cp_str_t  value;
} cp_pair_t;

typedef struct {
    const char      *method;
    cp_str_t         path;            /* already escaped: "/" */
    const cp_pair_t *query;           /* not escaped, in any order */
    size_t           query_count;
    const cp_pair_t *headers;         /* all are signed; names in lower case, in any order */
    size_t           header_count;
    cp_str_t         body;
} cp_acs3_request_t;

/* Everything but RFC 3986's unreserved characters as %XX; {0, NULL} when memory is out. */
cp_str_t cp_acs3_escape(cp_arena_t *arena, cp_str_t text);

/* The query as it is sent and signed: pairs escaped and sorted. {0, NULL} when memory is out or pairs are too many. */
cp_str_t cp_acs3_query(cp_arena_t *arena, const cp_pair_t *query, size_t count);

/* The canonical request; {0, NULL} as above. */
cp_str_t cp_acs3_canonical(cp_arena_t *arena, const cp_acs3_request_t *request);

/* Lower-case hexadecimal signature of a canonical request under the access key's secret. */
cp_str_t cp_acs3_signature(cp_arena_t *arena, cp_str_t secret, cp_str_t canonical);

/* The value of the Authorization header; {0, NULL} as above. */
cp_str_t cp_acs3_authorization(cp_arena_t *arena, cp_str_t key_id, cp_str_t secret, const cp_acs3_request_t *request);

#endif
