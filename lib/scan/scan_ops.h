/* Operations of signing in by scanning; the last, POST /api/sessions, is in session/sign_in_scan.c. */
#ifndef CP_SCAN_OPS_H
#define CP_SCAN_OPS_H

#include "call/call.h"

cp_code_t cp_op_scan_create(cp_call_t *call);     /* POST /api/scans, the browser that wants to sign in */
cp_code_t cp_op_scan_state(cp_call_t *call);      /* POST /api/scans/{scan}/state, likewise */
cp_code_t cp_op_scan_look(cp_call_t *call);       /* GET /api/scans/{scan}, the phone that is signed in */
cp_code_t cp_op_scan_approve(cp_call_t *call);    /* POST /api/scans/{scan}/approve, likewise */
cp_code_t cp_op_scan_refuse(cp_call_t *call);     /* POST /api/scans/{scan}/refuse, likewise */

#endif
