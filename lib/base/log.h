/*
 * The log seam. The level says who has to act: CLIENT (the client's fault), ERROR (this request failed),
 * ALERT (our bug, or a person must look). Never a name, number, phone, code, token or key in a message.
 */
#ifndef CP_LOG_H
#define CP_LOG_H

typedef enum {
    CP_LOG_DEBUG,
    CP_LOG_CLIENT,
    CP_LOG_NOTICE,
    CP_LOG_ERROR,
    CP_LOG_ALERT
} cp_log_level_t;

/* Writes one line; CR, LF and other controls in the arguments are the callee's to escape. Defined by each program. */
void cp_log(cp_log_level_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
