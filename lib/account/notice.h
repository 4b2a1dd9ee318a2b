/*
 * What the holder of an account is told by text message because somebody changed what guards it, or wants something of
 * them: to the number that the account had, so that a thief cannot keep it from them. Sent after the answer; one that
 * cannot be sent is logged.
 */
#ifndef CP_NOTICE_H
#define CP_NOTICE_H

#include "call/call.h"

typedef enum {
    CP_NOTICE_PHONE_CHANGED,        /* the account has another number */
    CP_NOTICE_PHONE_APPLIED,        /* somebody applied for another number */
    CP_NOTICE_PHONE_REFUSED,        /* to the applicant */
    CP_NOTICE_PASSWORD_RESET,
    CP_NOTICE_CLOSED,
    CP_NOTICE_CERTIFICATE_REVOKED,
    CP_NOTICE_UNIT_ADMINISTRATOR,   /* a unit of theirs has another administrator */
    CP_NOTICE_UNIT_REMOVED,
    CP_NOTICE_UNIT_INVITED,         /* to a number, whether it has an account or not */
    CP_NOTICE_UNIT_ASKED,           /* to the administrator */
    CP_NOTICE_UNIT_DECIDED          /* to who asked */
} cp_notice_t;

/* To one number or two; {0, NULL}: none. CP_E_NO_MEMORY. */
cp_code_t cp_notice_later(cp_call_t *call, cp_notice_t notice, cp_str_t phone, cp_str_t other);

/* At once, on a thread that may wait for the provider: for what follows an answer already. */
void cp_notice_send(cp_call_t *call, cp_notice_t notice, cp_str_t phone);

#endif
