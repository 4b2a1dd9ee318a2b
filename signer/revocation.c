/* The issuers' rows and their CRLs. */
#include <string.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "signer.h"

/* A certificate stays on the list until after its end (RFC 5280 section 3.3: on one CRL beyond it at least). */
#define KEPT_MS    (30 * 24 * 3600 * 1000LL)
#define KEPT_CRLS  48

/* Bytes signed and never stored may be out there: the serial numbers of rows put aside are revoked. */
#define LISTED                                                                                                         \
    "FROM (SELECT serial, revoked_at, reason FROM certificate WHERE issuer = ? AND revoked_at IS NOT NULL "            \
    "AND not_after >= ? UNION ALL SELECT LOWER(HEX(serial)), updated_at, 5 FROM issuance WHERE issuer = ? "            \
    "AND state = 'failed' AND serial IS NOT NULL) listed"

static const char sql_entries[] = "SELECT serial, revoked_at, reason " LISTED " ORDER BY revoked_at, serial";
static const char sql_count[] = "SELECT COUNT(*) " LISTED;

static const char sql_newest[] =
    "SELECT number, this_update, entries FROM crl WHERE issuer = ? ORDER BY number DESC LIMIT 1";
static const char sql_insert[] =
    "INSERT INTO crl (issuer, number, this_update, next_update, entries, der) VALUES (?, ?, ?, ?, ?, ?)";
static const char sql_remove_old[] = "DELETE FROM crl WHERE issuer = ? AND number <= ?";

static const char sql_issuer[] = "SELECT certificate FROM issuer WHERE name = ?";
static const char sql_issuer_insert[] = "INSERT INTO issuer (name, certificate, created_at) VALUES (?, ?, ?)";

typedef struct {
    int64_t  number;
    int64_t  this_update_ms;
    int64_t  entries;
} newest_t;


static cp_code_t
read_entries(cp_call_t *call, cp_str_t issuer, int64_t from_ms, cp_crl_t *crl)
{
    cp_crl_entry_t *entries;
    cp_rows_t      *rows;
    cp_str_t        hex;
    int64_t         count;

    CP_TRY(cp_db_row(call->db, sql_count, "sis>i", issuer, from_ms, issuer, &count));
    CP_TRY(cp_db_query(call->db, &rows, sql_entries, "sis>sii", issuer, from_ms, issuer));

    entries = cp_calloc(call->arena, (size_t) count + 1, sizeof(cp_crl_entry_t));
    if (entries == NULL) {
        return CP_E_NO_MEMORY;
    }

    crl->entries = entries;
    for (crl->count = 0; crl->count < (size_t) count; crl->count++) {
        cp_crl_entry_t *entry = &entries[crl->count];

        if (cp_db_next(rows, &hex, &entry->revoked_ms, &entry->reason) != CP_OK) {
            break;
        }
        if (hex.len % 2 != 0) {
            hex = cp_str_printf(call->arena, "0%.*s", (int) hex.len, hex.data);
        }
        if (!cp_str_unhex(call->arena, hex, &entry->serial)) {
            return CP_E_INTERNAL;
        }
    }

    return CP_OK;
}


static cp_code_t
make_crl(signer_t *signer, cp_call_t *call, signer_issuer_t *issuer, int64_t number)
{
    cp_crl_t crl = { .issuer = &issuer->issuer, .number = number };
    cp_str_t tbs, signature, der;

    crl.this_update_ms = cp_now_ms() / 1000 * 1000;
    crl.next_update_ms = crl.this_update_ms + signer->crl_life_ms / 1000 * 1000;

    CP_TRY(read_entries(call, issuer->name, crl.this_update_ms - KEPT_MS, &crl));
    CP_TRY(cp_crl_write(&crl, call->arena, &tbs));
    CP_TRY(signer_sign(call->arena, issuer, tbs, &signature));
    CP_TRY(cp_signed_write(tbs, issuer->issuer.algorithm, signature, call->arena, &der));

    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_db_exec(call->db, sql_insert, "siiiis", issuer->name, number, crl.this_update_ms, crl.next_update_ms,
                      (int64_t) crl.count, der));
    CP_TRY(cp_db_exec(call->db, sql_remove_old, "si", issuer->name, number - KEPT_CRLS));
    CP_TRY(cp_audit(call, "crl.issue", "issuer", issuer->name,
                    json_pack("{s:I, s:I}", "number", (json_int_t) number, "entries", (json_int_t) crl.count)));
    CP_TRY(cp_db_commit(call->db));

    cp_log(CP_LOG_NOTICE, "CRL %lld of %s names %zu", (long long) number, issuer->name.data, crl.count);

    return CP_OK;
}


static cp_code_t
renew_crl(signer_t *signer, cp_call_t *call, signer_issuer_t *issuer, bool changed)
{
    newest_t  newest = { 0, 0, -1 };
    int64_t   count, now_ms = cp_now_ms();
    cp_code_t code;

    CP_TRY(cp_call_db(call));

    code = cp_db_row(call->db, sql_newest, "s>iii", issuer->name, &newest.number, &newest.this_update_ms,
                     &newest.entries);
    if (code != CP_OK && code != CP_E_NOT_FOUND) {
        return code;
    }

    CP_TRY(cp_db_row(call->db, sql_count, "sis>i", issuer->name, now_ms - KEPT_MS, issuer->name, &count));

    if (!changed && count == newest.entries && now_ms - newest.this_update_ms < signer->crl_interval_ms
        && now_ms >= newest.this_update_ms)
    {
        return CP_OK;
    }

    return make_crl(signer, call, issuer, newest.number + 1);
}


void
signer_crls(signer_t *signer, bool changed)
{
    cp_call_t call;
    cp_code_t code;
    size_t    i;

    for (i = 0; i < signer->issuer_count; i++) {
        memset(&call, 0, sizeof(call));
        call.app = &signer->app;
        call.arena = cp_arena_new(64 * 1024);
        if (call.arena == NULL) {
            return;
        }

        /* A number that another signer took first is no loss: its list is as new. */
        code = renew_crl(signer, &call, &signer->issuers[i], changed);
        if (code != CP_OK && code != CP_E_DUPLICATE) {
            cp_log(CP_LOG_ERROR, "no CRL of %s: %s", signer->issuers[i].name.data,
                   code == CP_E_RETRY ? "deadlock" : cp_error(code)->code);
        }
        if (call.db != NULL) {
            cp_db_rollback(call.db);
        }
        cp_arena_free(call.arena);
    }
}


static cp_code_t
store_issuer(cp_db_t *db, const signer_issuer_t *issuer)
{
    cp_str_t  stored;
    cp_code_t code;

    code = cp_db_row(db, sql_issuer, "s>s", issuer->name, &stored);
    if (code == CP_E_NOT_FOUND) {
        code = cp_db_exec(db, sql_issuer_insert, "ssi", issuer->name, issuer->issuer.certificate, cp_now_ms());
        if (code != CP_E_DUPLICATE) {
            return code;
        }
        code = cp_db_row(db, sql_issuer, "s>s", issuer->name, &stored);
    }
    if (code != CP_OK) {
        return code;
    }

    if (!cp_str_eq(stored, issuer->issuer.certificate)) {
        cp_log(CP_LOG_ALERT, "issuer %s stands in the database with another certificate: give the new one a new name",
               issuer->name.data);
        return CP_E_CONFLICT;
    }

    return CP_OK;
}


cp_code_t
signer_issuers_store(signer_t *signer)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_db_t    *db;
    cp_code_t   code = CP_E_NO_MEMORY;
    size_t      i;

    if (arena == NULL) {
        return code;
    }

    db = cp_db_use(&signer->app.db, arena, &code);
    for (i = 0; db != NULL && code == CP_OK && i < signer->issuer_count; i++) {
        code = store_issuer(db, &signer->issuers[i]);
    }
    cp_arena_free(arena);

    return code;
}
