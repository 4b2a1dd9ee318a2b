/*
 * Sessions: a cookie that names an account and holds 256 random bits; Redis holds only their SHA-256, with whom they
 * stand for. The event loop reads sessions, pool threads write them: both through the functions here.
 *
 * One key an account, `sessions:<public id>` behind the prefix: a hash whose fields are SHA-256 of the secrets (32
 * bytes) and whose values are records. One DEL ends all of an account's sessions, wherever they are cached.
 */
#ifndef CP_SESSION_H
#define CP_SESSION_H

#include "call/call.h"
#include "redis/limit.h"

#define CP_SESSION_COOKIE      "__Host-caportal"
#define CP_SESSION_KIND        "sessions"
#define CP_SESSION_SECRET      43     /* characters: 256 bits in base64url, the front of the cookie */
#define CP_SESSION_TOKEN       (CP_SESSION_SECRET + CP_ACCOUNT_ID)
#define CP_SESSION_KEY         32     /* bytes */
#define CP_SESSION_RECORD_MAX  256    /* bytes */
#define CP_SESSION_MOST        20     /* an account keeps its newest */
#define CP_SESSION_ID          16     /* characters of the name that a session is shown under */
#define CP_SESSION_DEVICE      32     /* bytes at most */
#define CP_SESSION_PLACE       48     /* bytes at most */

/*
 * Cuts a cookie's value: the account's public id (a slice of `token`) and the session's key, CP_SESSION_KEY bytes.
 * False when the value cannot be one of ours (length, alphabet): no look-up is needed. Pure, takes no memory.
 */
bool cp_session_parse(cp_str_t token, cp_str_t *account_id, unsigned char *key);

/*
 * The record as stored: writes it into `record` (CP_SESSION_RECORD_MAX bytes) and returns its length, 0 when a member
 * is too long. Pure, takes no memory.
 */
size_t cp_session_encode(const cp_principal_t *who, int64_t seen_ms, char *record);

/*
 * A record back into `who`: account, unit_id, method, device and place (slices of `record`), since_ms, proved_ms,
 * certificate; the rest is cleared, account_id and session_key are the reader's to set. False when it is none of ours.
 * Pure, takes no memory.
 */
bool cp_session_decode(cp_str_t record, cp_principal_t *who, int64_t *seen_ms);

/*
 * Whether the session still lives: used within idle_s and begun within absolute_s; not so when it was used in a future
 * that no other node's clock explains: ours was put back, and nobody knows how long it stood idle. Pure.
 */
bool cp_session_alive(const cp_session_conf_t *conf, const cp_principal_t *who, int64_t seen_ms, int64_t now_ms);

/*
 * Whether the record should be written again because it was seen: at most once a minute, or a tenth of idle_s where
 * that is less. Pure.
 */
bool cp_session_is_stale(const cp_session_conf_t *conf, int64_t seen_ms, int64_t now_ms);

/* When the session ends if it is not used again, and how long (ms) Redis is to keep a record written now. Pure. */
int64_t cp_session_expires(const cp_session_conf_t *conf, int64_t since_ms, int64_t now_ms);
int64_t cp_session_ttl(const cp_session_conf_t *conf, int64_t since_ms, int64_t now_ms);

/* The name that a session is shown under: CP_SESSION_ID characters made from its key, which they do not tell. */
cp_str_t cp_session_id(cp_arena_t *arena, cp_str_t key);

/*
 * The device that a User-Agent tells, as a record keeps it: "Chrome,Windows", "微信,Android", "Windows", "unknown"; from
 * the arena or static. Only words of ours, whatever the header holds; at most CP_SESSION_DEVICE bytes. Pure.
 */
cp_str_t cp_session_device(cp_arena_t *arena, cp_str_t user_agent);

/* The same as it is shown: "Chrome, Windows". */
cp_str_t cp_session_device_text(cp_arena_t *arena, cp_str_t device);

/*
 * The place of a client: what the operator named it, without bytes that are no text and cut to CP_SESSION_PLACE bytes;
 * where nothing is left, the network of its address: "203.0.113.*", "2001:db8:1:*" (/48). From the arena; {0, NULL}
 * when there is neither. Pure.
 */
cp_str_t cp_session_place(cp_arena_t *arena, cp_str_t named, cp_str_t address);

/*
 * Lua: writes a record that is still there again, and nothing that was ended meanwhile. KEYS: the account's hash.
 * ARGV: the field, the record, its life in ms.
 */
extern const char cp_session_touch_script[];

/*
 * Lua: the same for one that was only seen: nothing happens when the record is not any more what it was, because it was
 * ended or written again by somebody who knew more. ARGV: the field, the record as it was, the record, its life in ms.
 */
extern const char cp_session_renew_script[];

/*
 * Starts a session for call->who (account, account_id, unit_id, method, certificate are set; device and place are the
 * call's): a new token, the session that this call came with ended, the record in Redis, the cookie in the answer.
 * CP_E_REDIS when it cannot be stored.
 */
cp_code_t cp_session_start(cp_call_t *call);

/* The same, using up the code that it is for: either both are done, or neither. CP_E_BAD_CODE as by cp_limit_redeem(). */
cp_code_t cp_session_start_by_code(cp_call_t *call, const cp_limit_code_t *code);

/* Makes `unit` (public id; {0, NULL}: none) the one that the session acts for: the record is written again. */
cp_code_t cp_session_set_unit(cp_call_t *call, cp_str_t unit);

/*
 * Notes in the session that who sits there has just proved again to be the account's holder. Operations with CP_FRESH
 * ask for that: see cp_session_proved().
 */
cp_code_t cp_session_prove(cp_call_t *call);

/* CP_OK when that happened within the last CP_SESSION_PROOF_S seconds, else CP_E_PROOF_REQUIRED. Pure. */
#define CP_SESSION_PROOF_S  300
cp_code_t cp_session_proved(const cp_principal_t *who, int64_t now_ms);

/*
 * Ends the call's session, or all of its account, and clears the cookie. This and all that ends sessions below: CP_OK
 * when they stay ended, also when Sentinel makes a replica the master; CP_E_REDIS when they are not known to (they may
 * be ended or not, or come back): the same again is what helps.
 */
cp_code_t cp_session_end(cp_call_t *call);
cp_code_t cp_session_end_all(cp_call_t *call);

/* Ends all of the account but the call's own. */
cp_code_t cp_session_end_others(cp_call_t *call);

/* Ends all sessions of any account, by its public id. For whoever disables, moves or resets one. */
cp_code_t cp_session_end_account(cp_call_t *call, cp_str_t account_id);

/* One session of an account. */
typedef struct {
    cp_principal_t  who;         /* session_key set */
    int64_t         seen_ms;
} cp_session_line_t;

/* The account's living sessions, in no order; from the arena. */
cp_code_t cp_session_list(cp_call_t *call, cp_str_t account_id, cp_session_line_t **lines, size_t *count);

/* Whether a session of the account is still there, by its key. */
cp_code_t cp_session_is_there(cp_call_t *call, cp_str_t account_id, cp_str_t key, bool *is_there);

/* Ends one of them, by its key; one that is gone already is as good. */
cp_code_t cp_session_end_one(cp_call_t *call, cp_str_t account_id, cp_str_t key);

/* Ends those of an account that `match` picks (those of a unit, those begun with a certificate). */
typedef bool (*cp_session_match_fn)(const cp_principal_t *who, const void *data);
cp_code_t cp_session_end_matching(cp_call_t *call, cp_str_t account_id, cp_session_match_fn match, const void *data);

#endif
