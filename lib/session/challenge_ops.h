/* Challenges over HTTP. */
#ifndef CP_CHALLENGE_OPS_H
#define CP_CHALLENGE_OPS_H

#include "certificate/certificate.h"

cp_code_t cp_op_challenge_create(cp_call_t *call);    /* POST /api/challenges */

/*
 * Reads the body {"method", "challenge", "certificate" or "serial", "signature"} and verifies it: whose certificate
 * signed the challenge, which is used up. CP_E_INVALID and as cp_challenge_verify().
 */
cp_code_t cp_challenge_answered(cp_call_t *call, cp_certificate_t *certificate);

#endif
