/* Certificates that were issued: listing, downloading, signing in with one, revoking. */
#ifndef CP_CERTIFICATE_H
#define CP_CERTIFICATE_H

#include "base/crypto.h"
#include "call/call.h"
#include "certificate/x509.h"

typedef struct {
    int64_t   id;
    int64_t   account;
    cp_str_t  account_id;
    bool      account_active;
    cp_str_t  unit_id;         /* public id */
    bool      member;          /* the account still acts for the unit */
    cp_str_t  issuer;          /* its name */
    cp_str_t  serial;          /* lower-case hexadecimal, no leading zeros */
    cp_str_t  state;           /* "valid", "revoked", "superseded" */
    int64_t   not_before_ms;
    int64_t   not_after_ms;
} cp_certificate_t;

/* A certificate that somebody has shown. */
typedef struct {
    cp_x509_t      x509;       /* slices of the bytes shown */
    unsigned char  sha256[CP_SHA256_SIZE];
} cp_shown_t;

/*
 * The certificate of the TLS connection, checked as far as the TLS layer's verdict and its bytes go (client_rules.h); its
 * dates are for whoever knows its row. CP_E_CERT_MISSING also where the server does not ask for certificates.
 */
cp_code_t cp_certificate_shown(const cp_call_t *call, cp_shown_t *shown);

/*
 * The row of a certificate that was shown and may sign its holder in: not revoked, not superseded, within its dates, its
 * account active and still acting for its unit. Each refusal has its own code (CP_E_CERT_…) whose text says what the
 * holder can do; where there is no row that is CP_E_CERT_UNBOUND, or the dates' if they are wrong as well.
 */
cp_code_t cp_certificate_of_shown(cp_call_t *call, const cp_shown_t *shown, cp_certificate_t *certificate);

/* The same verdict on a row that was read already; NULL: there is none. Pure. */
cp_code_t cp_certificate_judge(const cp_shown_t *shown, const cp_certificate_t *certificate, int64_t now_ms);

/* Both at once, and whatever else the TLS layer found. */
cp_code_t cp_certificate_of_tls(cp_call_t *call, cp_certificate_t *certificate);

/* The same verdict on a row that is known by its id: whoever signed in with it may go on. CP_E_CERT_UNBOUND: none. */
cp_code_t cp_certificate_still_good(cp_call_t *call, int64_t id, cp_certificate_t *certificate);

/*
 * For a session that was begun with it a moment ago: CP_OK when it has not been revoked or superseded meanwhile.
 * Whoever revokes it from now on finds the session; whoever is about to is waited for.
 */
cp_code_t cp_certificate_stays(cp_call_t *call, int64_t id);

/* Whether the account holds a certificate that is valid now. */
cp_code_t cp_certificate_is_held(cp_call_t *call, int64_t account, int64_t now_ms, bool *held);

#endif
