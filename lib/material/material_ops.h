/* The operations on materials. Each is one row of lib/api.c. */
#ifndef CP_MATERIAL_OPS_H
#define CP_MATERIAL_OPS_H

#include "call/call.h"

cp_code_t cp_op_material_put(cp_call_t *call);       /* PUT /api/orders/{no}/materials/{kind} */
cp_code_t cp_op_material_remove(cp_call_t *call);    /* DELETE /api/orders/{no}/materials/{kind} */
cp_code_t cp_op_material_list(cp_call_t *call);      /* GET /api/orders/{no}/materials */
cp_code_t cp_op_template_get(cp_call_t *call);       /* GET /api/templates/{hall}/{kind} */
cp_code_t cp_op_sample_get(cp_call_t *call);         /* GET /api/samples/{hall}/{kind} */

/* view_ops.c: of the owner below /api, of staff below /staff/api */
cp_code_t cp_op_material_view(cp_call_t *call);         /* GET …/orders/{no}/materials/{kind}?page= */
cp_code_t cp_op_material_thumbnail(cp_call_t *call);    /* GET …/orders/{no}/materials/{kind}/thumbnail */
cp_code_t cp_op_material_original(cp_call_t *call);     /* GET /staff/api/orders/{no}/materials/{kind}/original */

#endif
