/*
 * The only way out: HTTP to a unix socket where nginx itself listens and proxies to the outside parties
 * (TLS, host names, time-outs and retries of each are written there). Blocking: for threads of the egress pool.
 */
#ifndef CP_EGRESS_H
#define CP_EGRESS_H

#include "base/error.h"
#include "base/str.h"

typedef struct {
    const char *socket;
    unsigned    timeout_ms;    /* of the whole exchange */
} cp_egress_conf_t;

typedef struct {
    const char     *method;
    cp_str_t        path;             /* with query: "/sms/?…" */
    const cp_str_t *headers;          /* complete lines "Name: value" */
    size_t          header_count;
    cp_str_t        body;
} cp_egress_request_t;

typedef struct {
    int      status;
    cp_str_t body;
} cp_egress_answer_t;

#define CP_EGRESS_ANSWER_MAX  (1024 * 1024)

/*
 * One exchange; the body is from the arena. CP_E_EGRESS when no complete answer came: whether the other party acted is
 * then unknown. Any HTTP status is an answer.
 */
cp_code_t cp_egress(const cp_egress_conf_t *conf, cp_arena_t *arena, const cp_egress_request_t *request,
                    cp_egress_answer_t *answer);

/* Once a process, before any thread. */
cp_code_t cp_egress_library_init(void);

#endif
