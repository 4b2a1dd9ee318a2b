/*
 * What changes an account as a whole, in the open transaction. Where sessions end they end in the database, which every
 * operation asks, and in Redis, which guarded locations ask: CP_E_REDIS when it cannot be told, and nothing must be
 * committed then.
 */
#ifndef CP_ACCOUNT_CHANGE_H
#define CP_ACCOUNT_CHANGE_H

#include "account/account_store.h"

/* Ends all sessions of the account. */
cp_code_t cp_account_end_sessions(cp_call_t *call, const cp_account_t *account);

/* Gives it another number; CP_E_PHONE_TAKEN when another account has it. */
cp_code_t cp_account_set_phone(cp_call_t *call, const cp_account_t *account, cp_str_t phone);

/* Restricts by which ways (CP_SIGN_IN_…; CP_SIGN_IN_ANY) it may sign in. */
cp_code_t cp_account_set_ways(cp_call_t *call, const cp_account_t *account, unsigned ways);

/*
 * Disables it, which ends its sessions, or lets it in again, with the reason and the record; nothing happens to one
 * that is so already. The calling member of staff decides, or without one the operator. CP_E_CONFLICT when it is closed.
 */
cp_code_t cp_account_disable(cp_call_t *call, const cp_account_t *account, cp_str_t reason);
cp_code_t cp_account_enable(cp_call_t *call, const cp_account_t *account, cp_str_t reason);

#define CP_ACCOUNT_REASON  200    /* characters */

/*
 * Closes it for good: its sessions end, number and logins are free for others, the password is gone. What it did stays,
 * and its number with it, sealed. `why` ("holder", "company") goes into the record.
 */
cp_code_t cp_account_close(cp_call_t *call, const cp_account_t *account, const char *why);

#endif
