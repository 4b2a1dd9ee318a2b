/* What signing in reads and writes in one statement each. */
#ifndef CP_SIGN_IN_STORE_H
#define CP_SIGN_IN_STORE_H

#include "account/account.h"
#include "audit/audit.h"
#include "certificate/certificate.h"

/* Whose certificate it is that was shown. */
typedef struct {
    cp_certificate_t  certificate;
    cp_account_t      account;       /* its sole_unit is not read: the certificate names the unit */
    bool              staff;         /* it is a member's of staff as well, who goes first */
} cp_holder_t;

/* By the SHA-256 of its bytes. CP_E_NOT_FOUND: we did not issue it. */
cp_code_t cp_sign_in_holder(cp_call_t *call, cp_str_t sha256, cp_holder_t *holder);

/*
 * Writes the record of a session that was begun a moment ago, if what it stands on still is so: the account is active
 * and has ended no sessions since it was read, the certificate of call->who is valid, the account acts for the unit of
 * call->who (both where there is one). *stands: it is so, and recorded. Whoever is about to change one of them is
 * waited for; whoever changes it later finds the session. CP_E_RETRY.
 */
cp_code_t cp_sign_in_record(cp_call_t *call, const cp_account_t *account, const cp_audit_row_t *row, bool *stands);

#endif
