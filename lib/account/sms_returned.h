/*
 * Codes that came back. The script that uses one up notes it in a list; who sends the next code takes the notes and
 * marks the rows, before anything is concluded from them. So signing in writes no row for it. A note is taken at most
 * once: a code that is lost with Redis counts as one that did not come back, never as two that did.
 */
#ifndef CP_SMS_RETURNED_H
#define CP_SMS_RETURNED_H

#include "account/sms_code_store.h"
#include "redis/limit.h"

/* Has a claim noted when it is good. `name`: the number's blind index in hexadecimal. CP_E_NO_MEMORY. */
cp_code_t cp_sms_returned_note(cp_call_t *call, cp_str_t name, const char *purpose, cp_limit_code_t *claim);

/* Takes the notes and marks their rows, in a transaction of its own. */
cp_code_t cp_sms_returned_mark(cp_call_t *call);

#endif
