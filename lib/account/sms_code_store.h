/* The rows of codes that were sent: what is counted of a number, an address, a network, a number segment. */
#ifndef CP_SMS_CODE_STORE_H
#define CP_SMS_CODE_STORE_H

#include "call/address.h"

/* Whom codes are counted by. */
typedef enum {
    CP_SMS_BY_NUMBER,
    CP_SMS_BY_ADDRESS,
    CP_SMS_BY_NETWORK,
    CP_SMS_BY_ALL          /* not counted in rows */
} cp_sms_by_t;

/* Everything about a code to be sent that it is counted by. */
typedef struct {
    cp_str_t      phone;
    cp_str_t      index;       /* blind index of the number, as accounts have it */
    cp_str_t      name;        /* the same in hexadecimal */
    cp_str_t      segment;     /* the number's first seven digits */
    cp_address_t  address;     /* of who asks */
} cp_sms_target_t;

#define CP_SMS_SEGMENT  7

/* How many codes were sent since `since_ms`, and when the first of them was; 0 of none. */
cp_code_t cp_sms_count(cp_call_t *call, const cp_sms_target_t *target, cp_sms_by_t by, int64_t since_ms, int64_t *count,
                       int64_t *oldest_ms);

/*
 * Of the codes sent to the segment since `since_ms`: those that came back or had until `due_ms` to do so, how many came
 * back, and when the first was sent.
 */
cp_code_t cp_sms_count_returned(cp_call_t *call, cp_str_t segment, int64_t since_ms, int64_t due_ms, int64_t *count,
                                int64_t *returned, int64_t *oldest_ms);

/* The row of a code that is about to be sent; removes a few that are older than two days. Not in a transaction. */
cp_code_t cp_sms_insert(cp_call_t *call, const cp_sms_target_t *target, const char *purpose, int64_t *id);

/* The code was not sent. */
cp_code_t cp_sms_remove(cp_call_t *call, int64_t id);

/* The newest code of the number and purpose that has not come back did. */
cp_code_t cp_sms_mark_returned(cp_call_t *call, cp_str_t index, const char *purpose);

#endif
