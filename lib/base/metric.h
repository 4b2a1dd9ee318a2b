/*
 * What an operator watches besides the answers of operations: events that are counted, never whose they were. A program
 * that shows them says where they go; elsewhere they are dropped.
 */
#ifndef CP_METRIC_H
#define CP_METRIC_H

#include <stddef.h>

/* X(name, word, what it counts) */
#define CP_METRICS(X)                                                                                                  \
    X(SMS_SENT,         "sms_sent",         "codes handed to the message provider")                                    \
    X(SMS_RETURNED,     "sms_returned",     "codes that came back")                                                    \
    X(SMS_LIMITED,      "sms_limited",      "codes refused by a limit of their number, address or network")            \
    X(SMS_OVER_BUDGET,  "sms_over_budget",  "codes refused by the budget of all")                                      \
    X(SMS_STOPPED,      "sms_stopped",      "codes refused because their number segment returns too few")              \
    X(CAPTCHA_GIVEN,    "captcha_given",    "captchas given")                                                          \
    X(CAPTCHA_RIGHT,    "captcha_right",    "captchas answered")                                                       \
    X(CAPTCHA_WRONG,    "captcha_wrong",    "captchas answered wrongly")                                               \
    X(PASSWORD_RIGHT,   "password_right",   "passwords that signed in")                                                \
    X(PASSWORD_WRONG,   "password_wrong",   "passwords that did not")                                                  \
    X(PASSWORD_DELAYED, "password_delayed", "passwords not looked at because of those before")                         \
    X(PASSWORD_ALARMS,  "password_alarms",  "times that too few passwords were right")                                 \
    X(FILE_INSPECTED,   "file_inspected",   "uploads that were decoded and copied")                                    \
    X(FILE_REFUSED,     "file_refused",     "uploads that could not be decoded, or hold what none may")                \
    X(INSPECTOR_AWAY,   "inspector_away",   "files that the inspector had no answer for, uploads and marks")

#define CP_METRIC_NAME(name, word, help)  CP_METRIC_##name,
typedef enum { CP_METRICS(CP_METRIC_NAME) CP_METRIC_END } cp_metric_t;
#undef CP_METRIC_NAME

/* Counts one. Safe on any thread. */
void cp_metric(cp_metric_t metric);

/* Where they go; once, before there are threads. The function must be safe on any thread. */
void cp_metric_into(void (*sink)(cp_metric_t metric));

/* "sms_sent" */
const char *cp_metric_word(cp_metric_t metric);

#endif
