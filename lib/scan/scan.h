/*
 * Signing in by scanning: a browser asks for a code to show, a phone that is signed in looks who asks and lets it in,
 * the browser redeems that once. What is shown names the scan and nothing more: the secret that redeems it never leaves
 * the browser that asked. Redis keeps it all, for two minutes.
 */
#ifndef CP_SCAN_H
#define CP_SCAN_H

#include "call/call.h"
#include "redis/limit.h"

#define CP_SCAN_LIVE_S  120

/* What is known of the browser that asks. */
typedef struct {
    cp_str_t  state;       /* "waiting", "seen", "approved", "refused" */
    cp_str_t  hall;        /* {0, NULL}: none was named */
    cp_str_t  device;      /* as in sessions */
    cp_str_t  place;       /* likewise */
    int64_t   asked_ms;
    int64_t   left_ms;     /* of its life */
} cp_scan_t;

/* What stands for the secret in Redis. */
cp_code_t cp_scan_mac(cp_call_t *call, cp_str_t secret, cp_str_t *mac);

/* A new scan of the call's client, waiting: its id. */
cp_code_t cp_scan_create(cp_call_t *call, cp_str_t hall, cp_str_t mac, cp_str_t *id);

/* The caller's account looks: from now on it alone sees the scan. CP_E_NOT_FOUND for others, and when it has ended. */
cp_code_t cp_scan_look(cp_call_t *call, cp_str_t id, cp_scan_t *scan);

/*
 * The caller lets the browser in, or not, once: CP_E_NOT_FOUND as above, CP_E_CONFLICT when the account has not looked
 * yet or has decided. cp_scan_undecide() takes it back.
 */
cp_code_t cp_scan_decide(cp_call_t *call, cp_str_t id, bool approve, cp_scan_t *scan);
cp_code_t cp_scan_undecide(cp_call_t *call, cp_str_t id);

/* The state for who has the secret; "expired" for all others, and for what is not there. */
cp_code_t cp_scan_state(cp_call_t *call, cp_str_t id, cp_str_t mac, cp_str_t *state);

/* Who let the browser in: account (row) and key of the session that did; and the claim to redeem. CP_E_BAD_CODE. */
typedef struct {
    int64_t          account;
    cp_str_t         session_key;
    cp_limit_code_t  code;
} cp_scan_claim_t;

cp_code_t cp_scan_claim(cp_call_t *call, cp_str_t id, cp_str_t mac, cp_scan_claim_t *claim);

/* A text as a QR code (ISO/IEC 18004, level M) in SVG, as a data URL (RFC 2397); {0, NULL} when memory is out. Pure. */
cp_str_t cp_scan_image(cp_arena_t *arena, cp_str_t text);

#endif
