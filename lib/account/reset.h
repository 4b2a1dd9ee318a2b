/*
 * A password that was forgotten: somebody names a login, is shown a masked number, has a code sent to it and sets a new
 * password with that code. From outside none of it tells whether the login is anybody's: a login that is not, or whose
 * account may not be reset, is shown a number that is made up, always the same one, and no code ever fits.
 *
 * A reset is a record in Redis, under an id that nobody guesses; a Redis that forgets it costs a new beginning.
 */
#ifndef CP_RESET_H
#define CP_RESET_H

#include "account/login.h"
#include "account/sms_code.h"

#define CP_RESET_LIVE_S    600
#define CP_RESET_RESEND_S  60
#define CP_RESET_ID        22    /* characters */

typedef struct {
    cp_str_t  id;
    bool      real;       /* somebody's, who may set a password by it */
    int64_t   account;    /* row; of one that is not real that of another, for the same work */
    cp_str_t  login;      /* the name of the login in keys of Redis */
} cp_reset_t;

/* "138****8000" for a login that has no number to show: the same for the same login, under the key ring. */
cp_code_t cp_reset_pretend(cp_call_t *call, const cp_login_t *login, cp_str_t *masked);

/* Whether the account can be reset by a code: it is active, has a number, and its ways allow both. Pure. */
bool cp_reset_possible(const cp_account_t *account);

/* One for what was typed, which begins when it is stored; *masked is the number to show. */
cp_code_t cp_reset_prepare(cp_call_t *call, cp_str_t typed, cp_reset_t *reset, cp_str_t *masked);
cp_code_t cp_reset_store(cp_call_t *call, const cp_reset_t *reset);

/* Finds one that was begun; CP_E_NOT_FOUND when there is none, or its time is over. */
cp_code_t cp_reset_find(cp_call_t *call, cp_str_t id, cp_reset_t *reset);

/* It is done. */
cp_code_t cp_reset_end(cp_call_t *call, const cp_reset_t *reset);

/*
 * Has the code sent, after the answer: so neither what is answered nor when tells whether there is somebody to send it
 * to. CP_E_RATE_LIMITED by the login, whoever asks for it, and by who asks.
 */
cp_code_t cp_reset_send(cp_call_t *call, const cp_reset_t *reset);

#endif
