/*
 * Signing in: one file a way, and what all ways end in. A way reads the body, finds out whose account it is and calls
 * cp_sign_in(); cp_op_session_create() chooses the way by `method`.
 */
#ifndef CP_SIGN_IN_H
#define CP_SIGN_IN_H

#include "account/account.h"
#include "certificate/certificate.h"
#include "redis/limit.h"

cp_code_t cp_sign_in_by_sms(cp_call_t *call);
cp_code_t cp_sign_in_by_password(cp_call_t *call);
cp_code_t cp_sign_in_by_certificate(cp_call_t *call);
cp_code_t cp_sign_in_by_ticket(cp_call_t *call);
cp_code_t cp_sign_in_by_challenge(cp_call_t *call);
cp_code_t cp_sign_in_by_scan(cp_call_t *call);

/* Whether some hall offers one of the ways (CP_SIGN_IN_…), or there are no halls. */
bool cp_sign_in_is_offered(const cp_call_t *call, unsigned ways);

/* The way (CP_SIGN_IN_…) must be one that some hall offers, where there are halls: else `method` is a bad field. */
cp_code_t cp_sign_in_offered(cp_call_t *call, unsigned way);

/* Whether the account's holder lets it be signed in to by a method ("sms", "password", "certificate" …). Pure. */
bool cp_sign_in_allowed(const cp_account_t *account, const char *method);

/* Records that somebody was refused; `object_id` is "unknown" where there is no account. */
cp_code_t cp_sign_in_refused(cp_call_t *call, const char *method, cp_str_t object_id);

/* Records a refusal where `code` (401) says that what was shown does not sign in; the code, or why not even that. */
cp_code_t cp_sign_in_refusal(cp_call_t *call, const char *method, cp_code_t code);

/*
 * The record of it, the session with its cookie, the answer. `certificate` is the one that proved who it is, whose unit
 * the session then acts for; NULL where none did. CP_E_FORBIDDEN for an account that is not active; where its holder
 * does not let it be signed in to by this method, the code of a wrong proof of that kind.
 */
cp_code_t cp_sign_in(cp_call_t *call, const cp_account_t *account, const char *method,
                     const cp_certificate_t *certificate);

/* The same by a code, which is used up with the session's start and not before; CP_E_BAD_CODE when it is not right. */
cp_code_t cp_sign_in_by_code(cp_call_t *call, const cp_account_t *account, const char *method,
                             const cp_limit_code_t *code);

#endif
