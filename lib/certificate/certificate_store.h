#ifndef CP_CERTIFICATE_STORE_H
#define CP_CERTIFICATE_STORE_H

#include "certificate/certificate.h"
#include "call/page.h"

/* One line of a list of certificates. */
typedef struct {
    int64_t   id;
    cp_str_t  serial;
    cp_str_t  issuer;
    cp_str_t  state;
    int64_t   not_before_ms;
    int64_t   not_after_ms;
    int64_t   revoked_ms;      /* 0: not */
    int64_t   reason;
    cp_str_t  order;           /* its number */
    cp_str_t  project;
    cp_str_t  product;
    cp_str_t  unit;            /* public id */
    cp_str_t  unit_name;
} cp_certificate_line_t;

/* An account's, of units that it still acts for, or a unit's; newest first, one row more than the page holds. */
cp_code_t cp_certificate_lines(cp_call_t *call, int64_t account, const cp_page_t *page, cp_rows_t **rows);
cp_code_t cp_certificate_lines_of_unit(cp_call_t *call, int64_t unit, const cp_page_t *page, cp_rows_t **rows);
cp_code_t cp_certificate_next_line(cp_rows_t *rows, cp_certificate_line_t *line);

/*
 * A certificate that the account holds, or that is of a unit which it administers, with its issuer's (both DER).
 * CP_E_NOT_FOUND for others'.
 */
cp_code_t cp_certificate_download(cp_call_t *call, int64_t account, cp_str_t serial, cp_str_t *der, cp_str_t *issuer);

/*
 * The columns of a certificate that was shown, and where they are from: `c`, its account `a`, unit `u` and membership
 * `m`. Such a row is taken by CP_CERTIFICATE_TAKE(certificate, raw), then cp_certificate_take().
 */
#define CP_CERTIFICATE_COLUMNS                                                                                         \
    "c.id, c.account_id, a.public_id, a.state = 'active', u.public_id, m.account_id IS NOT NULL, c.issuer, c.serial, " \
    "c.state, c.not_before, c.not_after"
#define CP_CERTIFICATE_FROM                                                                                            \
    "FROM certificate c JOIN account a ON a.id = c.account_id JOIN unit u ON u.id = c.unit_id "                        \
    "LEFT JOIN unit_member m ON m.unit_id = c.unit_id AND m.account_id = c.account_id "
#define CP_CERTIFICATE_TYPES  "iisisisssii"

typedef struct {
    int64_t  active;
    int64_t  member;
} cp_certificate_raw_t;

#define CP_CERTIFICATE_TAKE(c, raw)                                                                                    \
    &(c)->id, &(c)->account, &(c)->account_id, &(raw)->active, &(c)->unit_id, &(raw)->member, &(c)->issuer,            \
    &(c)->serial, &(c)->state, &(c)->not_before_ms, &(c)->not_after_ms

void cp_certificate_take(const cp_certificate_raw_t *raw, cp_certificate_t *certificate);

/* The row of a certificate that was shown; CP_E_NOT_FOUND. */
cp_code_t cp_certificate_by_sha256(cp_call_t *call, cp_str_t sha256, cp_certificate_t *certificate);
cp_code_t cp_certificate_by_id(cp_call_t *call, int64_t id, cp_certificate_t *certificate);

/*
 * The certificate (DER) of that serial number: CP_E_CERT_UNBOUND when there is none, or one of each of several issuers.
 */
cp_code_t cp_certificate_by_serial(cp_call_t *call, cp_str_t serial, cp_str_t *der);

/* All issuers' certificates (DER). */
cp_code_t cp_issuers(cp_call_t *call, cp_rows_t **rows);
cp_code_t cp_issuers_next(cp_rows_t *rows, cp_str_t *der);

/* What a revocation touches. */
typedef struct {
    int64_t   id;
    int64_t   order;
    cp_str_t  issuer;
    cp_str_t  state;
    int64_t   account;
    cp_str_t  account_id;
} cp_revocable_t;

/* Whether the account may see the certificate, as with cp_certificate_download(): CP_OK or CP_E_NOT_FOUND. */
cp_code_t cp_certificate_is_seen(cp_call_t *call, int64_t account, cp_str_t serial);

/* The state; who is about to change it is waited for. */
cp_code_t cp_certificate_hold(cp_call_t *call, int64_t id, cp_str_t *state);

/* The certificate of that serial, locked. */
cp_code_t cp_certificate_lock(cp_call_t *call, cp_str_t serial, cp_revocable_t *revocable);
cp_code_t cp_certificate_revoke(cp_call_t *call, int64_t id, int64_t reason, int64_t now_ms);

/* The newest CRL and the certificate of an issuer. */
cp_code_t cp_crl_newest(cp_call_t *call, cp_str_t issuer, cp_str_t *der);
cp_code_t cp_issuer_certificate(cp_call_t *call, cp_str_t issuer, cp_str_t *der);

#endif
