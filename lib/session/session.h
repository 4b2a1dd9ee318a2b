/*
 * Sessions: a cookie of 256 random bits; Redis holds only its SHA-256, with whom it stands for.
 * The event loop reads them, pool threads write them: both through the functions here.
 *
 * Keys behind the prefix: `session:<SHA-256 of the token>` a record, and `sessions:<account's public id>` a sorted set
 * of the account's session keys by their start, so that all of them can be ended.
 */
#ifndef CP_SESSION_H
#define CP_SESSION_H

#include "call/call.h"

#define CP_SESSION_COOKIE   "__Host-caportal"
#define CP_SESSION_TOKEN    43    /* characters of the token: 256 bits in base64url */
#define CP_SESSION_KIND     "session"

/* The session's name in Redis behind the prefix: SHA-256 of the token in hexadecimal, 64 characters into `key`.
 * False when the token cannot be one of ours (length, alphabet): no look-up is needed. Pure, takes no memory. */
bool cp_session_key(cp_str_t token, char key[65]);

#define CP_SESSION_RECORD_MAX  256    /* bytes of a record */

/* The record as stored: writes it into `record` (CP_SESSION_RECORD_MAX bytes) and returns its length, 0 when a member
 * is too long. Pure, takes no memory. */
size_t cp_session_encode(const cp_principal_t *who, int64_t seen_ms, char *record);

/*
 * A record back into `who`: account, account_id, unit_id and method (slices of `record`), since_ms; the rest is
 * cleared, session_key is the reader's to set. False when it is none of ours. Pure, takes no memory.
 */
bool cp_session_decode(cp_str_t record, cp_principal_t *who, int64_t *seen_ms);

/* Whether the session still lives: used within idle_s and begun within absolute_s. Pure. */
bool cp_session_alive(const cp_session_conf_t *conf, const cp_principal_t *who, int64_t seen_ms, int64_t now_ms);

/*
 * Whether the record should be written again because it was seen: at most once a minute, or a tenth of idle_s where
 * that is less. Write it as `SET key record PX ttl XX`: without XX a session just ended would come back. Pure.
 */
bool cp_session_is_stale(const cp_session_conf_t *conf, int64_t seen_ms, int64_t now_ms);

/* When the session ends if it is not used again, and how long (ms) Redis is to keep a record written now. Pure. */
int64_t cp_session_expires(const cp_session_conf_t *conf, int64_t since_ms, int64_t now_ms);
int64_t cp_session_ttl(const cp_session_conf_t *conf, int64_t since_ms, int64_t now_ms);

/*
 * Starts a session for call->who (account, account_id, unit_id, method are set): a new token, the old session of this
 * call ended, the record in Redis, the cookie in the answer. An account keeps its newest 20 sessions. CP_E_REDIS when
 * it cannot be stored.
 */
cp_code_t cp_session_start(cp_call_t *call);

/* Makes `unit` (public id) the one that the session acts for: the record is written again. */
cp_code_t cp_session_set_unit(cp_call_t *call, cp_str_t unit);

/* Ends the call's session, or all of its account, and clears the cookie. */
cp_code_t cp_session_end(cp_call_t *call);
cp_code_t cp_session_end_all(cp_call_t *call);

/* Ends all of the account but the call's own. */
cp_code_t cp_session_end_others(cp_call_t *call);

#endif
