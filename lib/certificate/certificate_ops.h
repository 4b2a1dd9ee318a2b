/* The operations on certificates. Each is one row of lib/api.c. */
#ifndef CP_CERTIFICATE_OPS_H
#define CP_CERTIFICATE_OPS_H

#include "call/call.h"

cp_code_t cp_op_certificate_list(cp_call_t *call);        /* GET /api/certificates */
cp_code_t cp_op_certificate_read(cp_call_t *call);        /* GET /api/certificates/{serial} */
cp_code_t cp_op_certificate_revoke(cp_call_t *call);         /* POST /api/certificates/{serial}/revoke */
cp_code_t cp_op_desk_certificate_revoke(cp_call_t *call); /* POST /staff/api/certificates/{serial}/revoke */
cp_code_t cp_op_crl(cp_call_t *call);                     /* GET /crl/{issuer}.crl */
cp_code_t cp_op_issuer(cp_call_t *call);                  /* GET /api/issuers/{issuer} */

#endif
