/*
 * Aliyun's request signature, version 3 (ACS3-HMAC-SHA256; help.aliyun.com "V3 request structure and signature").
 * Pure: everything that goes into the signature is a parameter.
 */
#ifndef CP_SMS_ALIYUN_H
#define CP_SMS_ALIYUN_H

#include "base/crypto.h"
#include "egress/canonical.h"

/* Lower-case hexadecimal signature of a canonical request under the access key's secret; {0, NULL}: memory is out. */
cp_str_t cp_acs3_signature(cp_arena_t *arena, cp_str_t secret, cp_str_t canonical);

/* The value of the Authorization header; {0, NULL} as above. */
cp_str_t cp_acs3_authorization(cp_arena_t *arena, cp_str_t key_id, cp_str_t secret, const cp_canonical_t *request);

#endif
