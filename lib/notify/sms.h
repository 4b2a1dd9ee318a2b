/* Text messages, through the operator's egress. */
#ifndef CP_SMS_H
#define CP_SMS_H

#include "call/call.h"

typedef enum {
    CP_SMS_SENT,
    CP_SMS_REFUSED,    /* the provider said no: nothing was sent */
    CP_SMS_UNKNOWN     /* no complete answer came: it may have been sent, so it must not be sent again by itself */
} cp_sms_fate_t;

/*
 * Sends the message with a code (the configured template, parameter {"code": …}) to a mainland number. *fate is always
 * set. CP_E_EGRESS the provider is away or refused; CP_E_RATE_LIMITED it has had enough for this number
 * (call->retry_after_s is set); CP_E_INVALID it does not know the number (field "phone" is marked).
 */
cp_code_t cp_sms_send_code(cp_call_t *call, cp_str_t phone, cp_str_t code, cp_sms_fate_t *fate);

/*
 * Sends the notice that something happened (the configured template, parameter {"event": …}; `event` is a text of ours
 * in which nothing needs escaping). Nothing is sent, and all is well, where no template for it is configured. Results as
 * above; asks no limits: whoever sends notices has seen to it that nobody can cause many.
 */
cp_code_t cp_sms_send_notice(cp_call_t *call, cp_str_t phone, const char *event);

#endif
