/*
 * Sessions of members of staff, where the operator wants them (caportal_staff_session): beside the certificate, which is
 * looked at with each call, one needs a session that was begun with it on this server and has limits of its own.
 *
 * A member has one, for the certificate is on one USB-Key: signing in anew ends the one before. Its record in Redis is
 * bound to the certificate and to the member's row as it was, so that a change of roles ends it without being told.
 */
#ifndef CP_STAFF_SESSION_H
#define CP_STAFF_SESSION_H

#include "call/call.h"

#define CP_STAFF_COOKIE  "__Host-caportal-staff"

typedef struct {
    int64_t  since_ms;
    int64_t  expires_ms;    /* if it is not used again */
} cp_staff_session_t;

/* Whether staff need one. */
bool cp_staff_session_wanted(const cp_call_t *call);

/* Begins the session of call->who.staff: a new token, the record in Redis, the cookie in the answer. CP_E_REDIS. */
cp_code_t cp_staff_session_start(cp_call_t *call);

/*
 * CP_OK where none is needed, or call->staff_token is that of call->who.staff's, which is noted to be used; else
 * CP_E_UNAUTHENTICATED, CP_E_REDIS. `session` (NULL: not wanted) is cleared where none is needed.
 */
cp_code_t cp_staff_session_check(cp_call_t *call, cp_staff_session_t *session);

/* Ends it and clears the cookie. */
cp_code_t cp_staff_session_end(cp_call_t *call);

#endif
