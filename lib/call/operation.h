/* One row of the table of operations. */
#ifndef CP_OPERATION_H
#define CP_OPERATION_H

#include "call/call.h"

typedef enum {
    CP_POOL_DATABASE,
    CP_POOL_EGRESS,       /* waits for an outside party */
    CP_POOL_PASSWORD,     /* hashes a password: few at a time, the rest refused */
    CP_POOL_INSPECTOR     /* waits for the inspector: as many files as it decodes at once */
} cp_pool_kind_t;

/* The pool by what stands in the body, on the event loop: pure, and quick for any body. */
typedef cp_pool_kind_t (*cp_pool_choice_fn)(const cp_call_t *call);

typedef enum {
    CP_BODY_NONE,
    CP_BODY_JSON,
    CP_BODY_RAW,          /* small, in memory */
    CP_BODY_UPLOAD,       /* stored while it arrives, under the rule of its kind */
    CP_BODY_FORM          /* the same, in a form (RFC 7578) */
} cp_body_kind_t;

#define CP_IDEMPOTENT  0x01u    /* takes an Idempotency-Key */
#define CP_FRESH       0x02u    /* the session's holder must have proved again, minutes ago, who they are */

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
    cp_pool_choice_fn choose;     /* NULL: it is always `pool` */
} cp_operation_t;

#endif
