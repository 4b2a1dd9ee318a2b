/*
 * caportal-signer: claims committed issuance rows, checks their evidence, signs, records; makes CRLs; seals the audit
 * trail. One thread, no listener, no web credential.
 */
#ifndef SIGNER_H
#define SIGNER_H

#include <openssl/evp.h>

#include "base/conf.h"
#include "call/app.h"
#include "certificate/lint.h"
#include "issuance/issuance_store.h"

#define SIGNER_ISSUERS  8
#define SIGNER_BATCH    256

typedef struct PKCS11_ctx_st signer_token_t;

/* Where a key lives: in a PEM file, or on a token. */
typedef struct {
    const char *file;
    const char *module;        /* PKCS#11: path of the library */
    const char *token;         /* label */
    const char *object;        /* label of the private key */
    const char *pin_file;
} signer_key_conf_t;

typedef struct {
    cp_str_t           name;
    const char        *certificate_file;
    signer_key_conf_t  key_conf;
    unsigned           line;
    cp_issuer_t        issuer;
    EVP_PKEY          *key;        /* NULL: the token is away */
    void              *slots;      /* of the token, as libp11 gave them */
    unsigned           slot_count;
    signer_token_t    *token;
} signer_issuer_t;

typedef struct {
    cp_arena_t       *arena;       /* lives as long as the program */
    cp_app_t          app;
    const char       *database_password_file;
    const char       *redis_password_file;
    const char       *sentinel_password_file;
    const char       *profiles_file;
    cp_profiles_t    *profiles;
    signer_issuer_t   issuers[SIGNER_ISSUERS];
    size_t            issuer_count;
    const char       *audit_key_file;
    cp_str_t          audit_key;
    const char       *user;        /* NULL: stay who we are */
    cp_str_t          consumer;
    int64_t           batch;
    int64_t           crl_interval_ms;
    int64_t           crl_life_ms;
    int64_t           sweep_interval_ms;
    int64_t           sweep_after_ms;
} signer_t;

/* ---- config.c */

/* Reads the file; the fault says what is wrong at which line. */
bool signer_config_read(signer_t *signer, const char *path, cp_conf_fault_t *fault);

/* Loads what it names: secrets, profiles, issuers and their keys; checks all of it together. */
bool signer_config_load(signer_t *signer, cp_conf_fault_t *fault);

/* ---- secret.c */

/* The first line of a file that nobody but owner and group may read, without its end; NULL with what is wrong. */
const char *signer_secret(cp_arena_t *arena, const char *path, cp_str_t *secret);

/* ---- key.c */

/* Reads certificate and key and checks that they belong together; NULL, or what is wrong. */
const char *signer_issuer_load(cp_arena_t *arena, signer_issuer_t *issuer);
void        signer_issuer_close(signer_issuer_t *issuer);

/* Signs, by the issuer's algorithm, and verifies what came out. CP_E_BUSY: the token does not answer, try again. */
cp_code_t signer_sign(cp_arena_t *arena, signer_issuer_t *issuer, cp_str_t data, cp_str_t *signature);

/* The issuer of that name; NULL when it is not configured. */
signer_issuer_t *signer_issuer_find(signer_t *signer, cp_str_t name);

/* ---- jobs.c */

/* Brings the ledger rows to their end, as a batch or, where that fails, one by one. */
void signer_run(signer_t *signer, int64_t *ids, size_t count);

/* ---- evidence.c */

/*
 * Whether an order may be issued, from what people did and not from its state alone: reviewed, paid unless free, each
 * by someone else, the ledger's row saying what the order and the verified unit say, the key new. NULL in *why when it
 * may, else static text.
 */
cp_code_t signer_evidence(cp_db_t *db, const cp_order_t *order, const cp_ledger_t *ledger,
                          const cp_subject_t *subject, cp_str_t spki_sha256, const char **why);

/* ---- revocation.c */

/* Makes the CRL of each issuer whose list has changed or grown old; `changed`: of all. */
void signer_crls(signer_t *signer, bool changed);

/* Writes the issuers' rows; CP_E_CONFLICT when one stands for another certificate. */
cp_code_t signer_issuers_store(signer_t *signer);

/* ---- queue.c */

typedef struct {
    int64_t   ids[SIGNER_BATCH];
    size_t    count;
    cp_str_t  entries[SIGNER_BATCH];    /* of the stream, to be acknowledged; from the arena given */
    size_t    entry_count;
    bool      crl;                      /* a revocation was told */
    bool      lost;                     /* the group was gone and is made anew: everything may be missing */
} signer_claim_t;

/* Which entries are asked for. */
typedef enum {
    SIGNER_CLAIM_NEW,       /* waits up to a second */
    SIGNER_CLAIM_OWN,       /* given to this consumer before it was restarted */
    SIGNER_CLAIM_IDLE       /* given to another that does not finish them */
} signer_claim_kind_t;

cp_code_t signer_claim(signer_t *signer, cp_arena_t *arena, signer_claim_kind_t kind, signer_claim_t *claim);

/* Acknowledges and removes the entries: what is not done then is found by the sweeper. */
void signer_acknowledge(signer_t *signer, cp_arena_t *arena, const signer_claim_t *claim);

#endif
