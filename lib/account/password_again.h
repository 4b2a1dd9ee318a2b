/*
 * The password of an account asked for once more, in its open session: who sits at somebody else's must not find it
 * out by trying. Whatever asks for it, guesses count together.
 */
#ifndef CP_PASSWORD_AGAIN_H
#define CP_PASSWORD_AGAIN_H

#include "account/account.h"

/* CP_OK, CP_E_BAD_CREDENTIALS, CP_E_RATE_LIMITED after ten wrong ones in 15 minutes; CP_E_BUSY, CP_E_REDIS. */
cp_code_t cp_password_again(cp_call_t *call, const cp_account_t *account, cp_str_t password);

#endif
