/*
 * Sessions: a cookie of 256 random bits; Redis holds only its SHA-256, with whom it stands for.
 * The event loop reads them, pool threads write them: both through the functions here.
 */
#ifndef CP_SESSION_H
#define CP_SESSION_H

#include "call/call.h"

#define CP_SESSION_COOKIE   "__Host-caportal"
#define CP_SESSION_TOKEN    43    /* characters of the token: 256 bits in base64url */
#define CP_SESSION_KIND     "session"

/* The session's name in Redis behind the prefix: SHA-256 of the token in hexadecimal, 64 characters into `key`.
 * False when the token cannot be one of ours (length, alphabet): no look-up is needed. Pure. */
bool cp_session_key(cp_str_t token, char key[65]);

/* The record as stored, from the arena; and back into `who` (slices of `record`), false when it is none of ours. Pure. */
cp_str_t cp_session_encode(cp_arena_t *arena, const cp_principal_t *who, int64_t seen_ms);
bool     cp_session_decode(cp_str_t record, cp_principal_t *who, int64_t *seen_ms);

/* Whether the session still lives, and whether its record should be written again because it was seen. Pure. */
bool cp_session_alive(const cp_session_conf_t *conf, const cp_principal_t *who, int64_t seen_ms, int64_t now_ms);

/*
 * Starts a session for call->who (account, account_id, method are set): a new token, the old session of this call
 * ended, the record in Redis, the cookie in the answer. CP_E_REDIS when it cannot be stored.
 */
cp_code_t cp_session_start(cp_call_t *call);

/* Ends the call's session, or all of its account, and clears the cookie. */
cp_code_t cp_session_end(cp_call_t *call);
cp_code_t cp_session_end_all(cp_call_t *call);

#endif
