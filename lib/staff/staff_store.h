/* All SQL on staff and their duties. */
#ifndef CP_STAFF_STORE_H
#define CP_STAFF_STORE_H

#include "staff/staff.h"

typedef struct {
    int64_t   id;
    cp_str_t  public_id;
    int64_t   roles;
    cp_str_t  state;                /* "active", "disabled" */
    int64_t   changed_ms;
    cp_str_t  certificate_state;    /* where we issued it: "valid", "revoked", "superseded"; else {0, NULL} */
} cp_staff_member_t;

/* CP_E_NOT_FOUND when the certificate is nobody's. */
cp_code_t cp_staff_by_certificate(cp_call_t *call, cp_str_t sha256, cp_staff_member_t *member);

typedef struct {
    cp_str_t  person_index;         /* of the caller, {0, NULL}: not known */
    cp_str_t  duty;                 /* that they did on the order, {0, NULL}: none */
} cp_staff_duty_t;

cp_code_t cp_staff_find_duty(cp_call_t *call, int64_t order, cp_staff_duty_t *duty);
cp_code_t cp_staff_insert_duty(cp_call_t *call, int64_t order, const char *duty);

/* The sealed name of the calling member, opened. */
cp_code_t cp_staff_name(cp_call_t *call, cp_str_t *name);

#endif
