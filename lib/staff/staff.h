/* Members of staff: each signs in with a certificate of their own and acts in the roles they were given. */
#ifndef CP_STAFF_H
#define CP_STAFF_H

#include "call/call.h"
#include "catalog/catalog.h"
#include "certificate/certificate.h"

extern const cp_word_t cp_role_words[];    /* reviewer finance producer shipper auditor administrator */

/*
 * Who is calling, by the TLS certificate (its SHA-256 names the row): fills call->who.staff, staff_… and roles.
 * Read at each call, so that a role taken away is gone at the next one. CP_E_CERT_… when there is no certificate, it may
 * not sign anybody in (cp_certificate_shown()), or it is no active member's: CP_E_CERT_UNBOUND when it is nobody's.
 */
cp_code_t cp_staff_authenticate(cp_call_t *call);

/* The same of a certificate that was looked at already. */
cp_code_t cp_staff_of_shown(cp_call_t *call, const cp_shown_t *shown);

/* Blind index of the calling member's ID number; {0, NULL} where it is not known. */
cp_code_t cp_staff_person_index(cp_call_t *call, cp_str_t *index);

/* The duties that different people must do on one order. Shipping belongs to production. */
typedef enum {
    CP_DUTY_REVIEW,
    CP_DUTY_FINANCE,
    CP_DUTY_PRODUCTION
} cp_duty_t;

/*
 * Records, in the open transaction, that the calling member does this duty on the order. CP_E_SAME_PERSON when they
 * did another duty on it, or are the person who entered it (`agent_index`: blind index of the agent's ID number).
 */
cp_code_t cp_staff_take_duty(cp_call_t *call, int64_t order, cp_str_t agent_index, cp_duty_t duty);

#endif
