/*
 * Challenges for keys that TLS cannot carry: SM2 tokens behind a local agent, keys in a phone. The client signs the bytes
 * of a message that names this server's origin, so that what a foreign page had signed is worth nothing here. A challenge
 * is good once, for two minutes and three tries.
 */
#ifndef CP_CHALLENGE_H
#define CP_CHALLENGE_H

#include "certificate/certificate.h"

#define CP_CHALLENGE_LIVE_S  120
#define CP_CHALLENGE_TRIES   3
#define CP_CHALLENGE_NONCE   43    /* characters of base64url: 256 bits */

typedef struct {
    cp_str_t  id;
    cp_str_t  nonce;
    cp_str_t  origin;
    int64_t   expires_ms;
} cp_challenge_t;

/*
 * The bytes to be signed, from the arena: four lines, each ended by one line feed,
 *     caportal challenge v1
 *     nonce: <43 characters of base64url>
 *     origin: https://hall.example.cn
 *     expires: 2026-03-09T10:04:00+08:00
 * The first tells these bytes from everything else that the key signs. Pure.
 */
cp_str_t cp_challenge_message(cp_arena_t *arena, const cp_challenge_t *challenge);

/* A new one for this server's origin: CP_E_BAD_ORIGIN, CP_E_RATE_LIMITED, CP_E_REDIS. */
cp_code_t cp_challenge_make(cp_call_t *call, cp_challenge_t *challenge);

/* Counts a try of it: CP_E_BAD_CHALLENGE when there is none, it has expired, is for another origin or had its tries. */
cp_code_t cp_challenge_try(cp_call_t *call, cp_str_t id, cp_challenge_t *challenge);

/* Uses it up: CP_E_BAD_CHALLENGE when somebody else was first. */
cp_code_t cp_challenge_redeem(cp_call_t *call, const cp_challenge_t *challenge);

/* What a client answers to one: the certificate in DER, or its serial number (lower-case hexadecimal), not both. */
typedef struct {
    cp_str_t  id;
    cp_str_t  certificate;
    cp_str_t  serial;
    cp_str_t  signature;
} cp_challenge_answer_t;

/*
 * Whose certificate signed the challenge, which is used up. CP_E_BAD_CHALLENGE, CP_E_BAD_SIGNATURE, CP_E_CERT_… as for a
 * certificate on a TLS connection.
 */
cp_code_t cp_challenge_verify(cp_call_t *call, const cp_challenge_answer_t *answer, cp_certificate_t *certificate);

#endif
