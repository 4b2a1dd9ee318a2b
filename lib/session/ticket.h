/*
 * Tickets that carry a sign-in by certificate from the server that asks for certificates to the main one, whose cookie
 * the first cannot set. A ticket holds 256 random bits and is good once, for one minute, at one origin, and together
 * with the random `state` that the main server's page made: whoever is sent a link with somebody else's ticket has
 * another. Redis holds their hashes.
 */
#ifndef CP_TICKET_H
#define CP_TICKET_H

#include "call/call.h"

#define CP_TICKET_LIVE_S     60
#define CP_TICKET_STATE_MIN  22    /* characters of base64url: 128 bits */
#define CP_TICKET_STATE_MAX  128

/* A field's check: a state is base64url. */
cp_field_code_t cp_ticket_state_check(const cp_call_t *call, cp_str_t state);

/* A ticket for the certificate's holder, good at `origin`, one of cp_known_origin(). CP_E_REDIS. */
cp_code_t cp_ticket_make(cp_call_t *call, int64_t certificate, cp_str_t origin, cp_str_t state, cp_str_t *ticket);

/*
 * Uses a ticket up, whatever comes of it: the certificate's row id, or CP_E_BAD_TICKET when it is none, was used, has
 * expired or is for another origin or state. CP_E_REDIS.
 */
cp_code_t cp_ticket_redeem(cp_call_t *call, cp_str_t ticket, cp_str_t state, int64_t *certificate);

#endif
