/* THE TABLE of operations. A row here is the whole of what makes a URL exist. */
#include "api.h"

#include "portal/portal_ops.h"

#define KB  1024u

/* The columns: id, method, path, who may call, pool, body, its limit in bytes, flags, upload kind, function. */
const cp_operation_t cp_operations[] = {

    /* the installation */
    { "getCatalog", "GET", "/api/catalog", CP_BY_PUBLIC, CP_POOL_DATABASE, CP_BODY_NONE, 0, 0, NULL, cp_op_catalog },
    { "getHealth", "GET", "/healthz", CP_BY_PUBLIC, CP_POOL_DATABASE, CP_BODY_NONE, 0, 0, NULL, cp_op_health },

};

const size_t cp_operation_count = sizeof(cp_operations) / sizeof(cp_operations[0]);
