/*
 * What stands against one more code by text message: limits of its number, of who asks and of all, counted at once in
 * Redis (atomically, over all nodes) and in MySQL (which a FLUSHALL does not reset); and the spend guard, which stops a
 * number segment whose codes do not come back.
 */
#ifndef CP_SMS_LIMITS_H
#define CP_SMS_LIMITS_H

#include "account/sms_code_store.h"
#include "redis/limit.h"

#define CP_SMS_LIMITS  7

/* The limits that are on, and what was counted of each; as taken, so that it can be given back. */
typedef struct {
    cp_limit_t        limits[CP_SMS_LIMITS];
    cp_limit_known_t  known[CP_SMS_LIMITS];
    unsigned          rows[CP_SMS_LIMITS];      /* of the table, for the log */
    size_t            count;
    unsigned          wait_s;                   /* until one more would be let through */
    int64_t           left_today;               /* codes for the number in the day to come; -1: not limited */
} cp_sms_taken_t;

/* Who it goes to and who asks. The number is one that cp_field_mobile() accepted. */
cp_code_t cp_sms_target(cp_call_t *call, cp_str_t phone, cp_sms_target_t *target);

/*
 * Marks the codes that came back (sms_returned.h), counts one more and stores `record`, or neither: CP_E_RATE_LIMITED
 * with call->retry_after_s; CP_E_BUSY likewise when it is the budget of all that is used up, which is logged;
 * CP_E_REDIS, CP_E_DATABASE: nobody knows, so none is sent.
 */
cp_code_t cp_sms_limits_take(cp_call_t *call, const cp_sms_target_t *target, const cp_limit_record_t *record,
                             cp_sms_taken_t *taken);

/* The message was not sent; `paid`: it may have been after all, so that only the wait for the next is forgotten. */
cp_code_t cp_sms_limits_give_back(cp_call_t *call, const cp_sms_taken_t *taken, bool paid);

/* Whether a captcha is demanded before a code, as caportal_captcha says. */
cp_code_t cp_sms_needs_captcha(cp_call_t *call, const cp_sms_target_t *target, bool *needed);

#endif
