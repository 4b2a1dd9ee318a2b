/* The operations: one table, and how a request finds its row and runs it. */
#ifndef CP_API_H
#define CP_API_H

#include "call/call.h"

typedef enum {
    CP_POOL_DATABASE,
    CP_POOL_EGRESS,       /* waits for an outside party */
    CP_POOL_PASSWORD      /* hashes a password: few at a time, the rest refused */
} cp_pool_kind_t;

typedef enum {
    CP_BODY_NONE,
    CP_BODY_JSON,
    CP_BODY_RAW,          /* small, in memory */
    CP_BODY_UPLOAD        /* stored while it arrives, under the rule of its kind */
} cp_body_kind_t;

#define CP_IDEMPOTENT  0x01u    /* takes an Idempotency-Key */

typedef struct cp_operation_s {
    const char       *id;         /* "createOrder": its name in openapi.yaml, logs and metrics */
    const char       *method;
    const char       *path;       /* "/api/orders/{no}" */
    unsigned          callers;    /* CP_BY_… or CP_ROLE_… bits */
    cp_pool_kind_t    pool;
    cp_body_kind_t    body;
    size_t            body_max;   /* bytes; uploads: the catalogue's limit */
    unsigned          flags;
    const char       *upload;     /* the kind of an upload; NULL: the path's last parameter names it */
    cp_operation_fn   run;
} cp_operation_t;

extern const cp_operation_t cp_operations[];
extern const size_t         cp_operation_count;

/*
 * The row of a method and path (without query); the parameters, still percent-encoded, are slices of `path`.
 * NULL with CP_E_NOT_FOUND or CP_E_METHOD in *code; for the latter *allow has a bit for each index of cp_methods.
 */
const cp_operation_t *cp_api_find(cp_str_t method, cp_str_t path, cp_str_t params[CP_PARAMS_MAX], unsigned *allow,
                                  cp_code_t *code);

/* "GET", "POST" …, NULL at the end. */
extern const char *const cp_methods[];

/*
 * Runs the call's operation on this thread: who may call, the operation (again after a deadlock, at most three times),
 * the push after the commit. call->status and the answer or problem are set. Never fails otherwise.
 */
void cp_api_run(cp_call_t *call);

#endif
