/*
 * One-time codes by text message: six digits, good for five minutes, five tries and one use, bound to the number and
 * the purpose they were sent for. Redis holds an authentication code of them under a name that does not show the
 * number.
 */
#ifndef CP_SMS_CODE_H
#define CP_SMS_CODE_H

#include "call/call.h"
#include "redis/limit.h"

#define CP_SMS_CODE_DIGITS    6
#define CP_SMS_CODE_LIVE_S    300
#define CP_SMS_CODE_RESEND_S  60

/* What a code is for. The words are those of the API. */
#define CP_SMS_FOR_LOGIN           0x01u
#define CP_SMS_FOR_RESET_PASSWORD  0x02u
#define CP_SMS_FOR_CHANGE_PHONE    0x04u
#define CP_SMS_FOR_CONFIRM         0x08u    /* that who sits at a session is the account's holder */

extern const cp_word_t cp_sms_purpose_words[];

/*
 * Makes a code, stores and sends it. `subject` is what in particular it is for, so that it is good for the request that
 * asked for it and no other (ASVS 5.0 6.6.2): the id of an account, of an application; "" for signing in. CP_E_RATE_LIMITED with call->retry_after_s when this number or this address had
 * too many; CP_E_REDIS without Redis: then none is sent. When the provider fails the code is withdrawn, so that the
 * next one may be asked for at once.
 */
cp_code_t cp_sms_code_send(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject);

/* What a code would be redeemed by, for whoever uses it up in one step with something else. Asks nobody. */
cp_code_t cp_sms_code_claim(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code,
                            cp_limit_code_t *claim);

/* Redeems a code: CP_OK once, else CP_E_BAD_CODE. */
cp_code_t cp_sms_code_redeem(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code);

#endif
