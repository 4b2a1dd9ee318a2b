/*
 * One-time codes by text message: six digits, good for five minutes, five tries and one use, bound to the number, the
 * purpose and the request they were sent for. Redis holds an authentication code of them under a name that does not
 * show the number; MySQL how many were sent (sms_limits.h), not what.
 */
#ifndef CP_SMS_CODE_H
#define CP_SMS_CODE_H

#include "account/sms_code_store.h"
#include "redis/limit.h"

#define CP_SMS_CODE_DIGITS    6
#define CP_SMS_CODE_LIVE_S    300
#define CP_SMS_CODE_TRIES     5
#define CP_SMS_REQUEST_MAX    64    /* characters of what binds a code to its asker */

/* What a code is for. The words are those of the API. */
#define CP_SMS_FOR_LOGIN           0x01u
#define CP_SMS_FOR_RESET_PASSWORD  0x02u
#define CP_SMS_FOR_CHANGE_PHONE    0x04u
#define CP_SMS_FOR_CONFIRM         0x08u    /* that who sits at a session is the account's holder */
#define CP_SMS_FOR_LOST_PHONE      0x10u    /* a new number for an account whose number is lost */

extern const cp_word_t cp_sms_purpose_words[];

/* A code that is on its way. */
typedef struct {
    unsigned  resend_after_s;    /* until the next would be sent; 0: at once */
    int64_t   left_today;        /* more codes for the number in the day to come; -1: as many as one likes */
    cp_str_t  request;           /* what the asker may say with the code, see cp_sms_code_bind() */
} cp_sms_sent_t;

/*
 * Makes a code, stores and sends it. `subject` is what in particular it is for, so that it is good for the request that
 * asked for it and no other (ASVS 5.0 6.6.2): the id of an account, of an application; "" for signing in.
 * CP_E_RATE_LIMITED with call->retry_after_s when this number, who asks or its network had too many, or the number's
 * segment is stopped; CP_E_BUSY when all had; CP_E_REDIS without Redis, CP_E_DATABASE without MySQL: then none is sent.
 * When the provider fails the code is withdrawn, so that the next one may be asked for at once. Not in a transaction.
 * A captcha is the operation's own matter.
 */
cp_code_t cp_sms_code_send(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject);

/* The same to a number whose target is known already, and what came of it. */
cp_code_t cp_sms_code_send_to(cp_call_t *call, const cp_sms_target_t *target, unsigned purpose, cp_str_t subject,
                              cp_sms_sent_t *sent);

/* {resend_after, expires_in, tries, request, codes_left_today}: what an operation that sent one answers. */
cp_code_t cp_sms_code_sent(cp_call_t *call, const cp_sms_sent_t *sent, json_t **json);

/* What a code would be redeemed by, for whoever uses it up in one step with something else. Asks nobody. */
cp_code_t cp_sms_code_claim(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code,
                            cp_limit_code_t *claim);

/* The claim is good only if `request` is what the asker for this very code was told. */
cp_code_t cp_sms_code_bind(cp_call_t *call, cp_str_t request, cp_limit_code_t *claim);

/* After a claim that was refused: the problem tells the tries that are left. */
void cp_sms_code_refused(cp_call_t *call, const cp_limit_code_t *claim);

/*
 * Redeems a code: CP_OK once, else CP_E_BAD_CODE with `tries_left` in the problem. Before a transaction begins, for the
 * code is used up whatever becomes of it.
 */
cp_code_t cp_sms_code_redeem(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code);

#endif
