/*
 * What stands before a password is looked at (SECURITY: stuffing, spraying, guessing): failures are counted by login,
 * by login and address, by address and by password. A captcha is demanded after a few of them, of whoever; delays grow
 * only for who fails from one address at one login, so that no stranger elsewhere locks anybody out. Logins that nobody
 * has are counted the same, with the same work.
 */
#ifndef CP_PASSWORD_GUARD_H
#define CP_PASSWORD_GUARD_H

#include "call/call.h"

#define CP_GUARD_KEYS  5

/* One attempt, from its count until what came of it. */
typedef struct {
    cp_str_t  keys[CP_GUARD_KEYS];    /* in Redis */
    cp_str_t  attempt;                /* its name in the counts while it is under way */
    bool      delays;                 /* the attempt has begun a delay */
} cp_password_guard_t;

typedef enum {
    CP_GUARD_SUCCESS,
    CP_GUARD_FAILURE,
    CP_GUARD_ABORTED     /* the password was not looked at */
} cp_guard_outcome_t;

/*
 * Counts an attempt as a failure before any work is done for it, so that many at once cannot slip under a limit.
 * CP_E_RATE_LIMITED with call->retry_after_s while a delay lasts: nothing was counted. CP_E_CAPTCHA_REQUIRED,
 * CP_E_BAD_CAPTCHA where one is demanded (caportal_captcha password=): nothing was counted; `captcha_id` and
 * `captcha_answer` may be {0, NULL}. CP_E_REDIS: nothing is looked at without Redis.
 */
cp_code_t cp_password_guard_enter(cp_call_t *call, cp_str_t login, cp_str_t captcha_id, cp_str_t captcha_answer,
                                  cp_str_t password, cp_password_guard_t *guard);

/*
 * What came of it, once after each cp_password_guard_enter() that was CP_OK. CP_E_REDIS when that cannot be written: the
 * caller must not tell the outcome then. What nobody ends (a killed worker) counts for 15 s more, as if it was wrong.
 */
cp_code_t cp_password_guard_leave(cp_call_t *call, const cp_password_guard_t *guard, cp_guard_outcome_t outcome);

#endif
