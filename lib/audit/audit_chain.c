/* Sealing the audit rows, and walking the chain of seals. */
#include <string.h>

#include "audit/audit.h"
#include "audit/audit_store.h"
#include "base/clock.h"

#define SEALS_AT_ONCE  256


/* Chains the rows that stand under no seal yet; a seal without rows is not written. */
static cp_code_t
chain_unsealed(cp_db_t *db, cp_arena_t *arena, cp_str_t key, int64_t most, unsigned char state[CP_SHA256_SIZE],
               cp_audit_seal_t *seal)
{
    cp_audit_row_t row;
    cp_rows_t     *rows;

    CP_TRY(cp_audit_unsealed_rows(db, most, &rows));

    while (cp_audit_next_row(rows, &row) == CP_OK) {
        CP_TRY(cp_audit_chain_row(arena, key, state, &row));
        seal->last_row = row.id;
        seal->row_count++;
    }

    return CP_OK;
}


static cp_code_t
seal_rows(cp_db_t *db, cp_arena_t *arena, cp_str_t key, int64_t most, int64_t *count)
{
    unsigned char   previous[CP_SHA256_SIZE], state[CP_SHA256_SIZE];
    cp_audit_seal_t seal = { .created_ms = cp_now_ms() };
    int64_t         marked;
    cp_code_t       code;

    CP_TRY(cp_audit_last_seal(db, &seal.id, previous));
    seal.id++;

    memcpy(state, previous, sizeof(state));
    CP_TRY(chain_unsealed(db, arena, key, most, state, &seal));

    *count = seal.row_count;
    if (seal.row_count == 0) {
        return CP_OK;
    }

    CP_TRY(cp_audit_chain_seal(key, state, &seal));

    /* A second sealer wrote this seal first: it has these rows. */
    code = cp_audit_insert_seal(db, &seal, cp_str_n(previous, sizeof(previous)), cp_str_n(state, sizeof(state)));
    if (code == CP_E_DUPLICATE) {
        return CP_E_RETRY;
    }
    CP_TRY(code);

    /* A row with a smaller id was committed since they were read: it must not slip under a seal without being in it. */
    CP_TRY(cp_audit_mark_sealed(db, seal.id, seal.last_row, &marked));

    return marked == seal.row_count ? CP_OK : CP_E_RETRY;
}


cp_code_t
cp_audit_seal(cp_db_t *db, cp_arena_t *arena, cp_str_t key, int64_t most, int64_t *count)
{
    cp_code_t code;

    *count = 0;
    CP_TRY(cp_db_begin(db));

    code = seal_rows(db, arena, key, most, count);
    if (code == CP_OK) {
        code = cp_db_commit(db);
    }
    if (code != CP_OK) {
        *count = 0;
        cp_db_rollback(db);
    }

    return code;
}


static cp_code_t
fault(cp_arena_t *arena, cp_audit_report_t *report, const char *what, int64_t id)
{
    cp_str_t number = cp_str_printf(arena, "%lld", (long long) id);

    report->where = cp_str_printf(arena, "%s %.*s", what, (int) number.len, number.data == NULL ? "" : number.data);

    return report->where.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* What the walk carries from seal to seal. */
typedef struct {
    cp_db_t            *db;
    cp_arena_t         *arena;      /* of the report */
    cp_str_t            key;
    cp_audit_report_t  *report;
    unsigned char       state[CP_SHA256_SIZE];
} walk_t;


/* Checks one seal; a fault is written into the report. Rows and what is made of them live in `scratch`. */
static cp_code_t
check_seal(walk_t *walk, cp_arena_t *scratch, const cp_audit_seal_t *seal, cp_str_t previous, cp_str_t hash)
{
    cp_audit_row_t row = { 0 };
    cp_rows_t     *rows;
    int64_t        count = 0;

    if (seal->id != walk->report->seals + 1) {
        return fault(walk->arena, walk->report, "missing seal", walk->report->seals + 1);
    }
    if (!cp_str_eq(previous, cp_str_n(walk->state, sizeof(walk->state)))) {
        return fault(walk->arena, walk->report, "broken link before seal", seal->id);
    }

    CP_TRY(cp_audit_sealed_rows(walk->db, seal->id, &rows));
    while (cp_audit_next_row(rows, &row) == CP_OK) {
        CP_TRY(cp_audit_chain_row(scratch, walk->key, walk->state, &row));
        count++;
    }

    if (count != seal->row_count) {
        return fault(walk->arena, walk->report,
                     count < seal->row_count ? "row removed under seal" : "row added under seal", seal->id);
    }
    if (row.id != seal->last_row) {
        return fault(walk->arena, walk->report, "last row moved under seal", seal->id);
    }

    CP_TRY(cp_audit_chain_seal(walk->key, walk->state, seal));
    if (!cp_str_eq(hash, cp_str_n(walk->state, sizeof(walk->state)))) {
        return fault(walk->arena, walk->report, "row or seal changed under seal", seal->id);
    }

    walk->report->rows += count;
    walk->report->seals++;

    return CP_OK;
}


/* One seal with an arena of its own: the chain may be longer than memory. */
static cp_code_t
check_in_scratch(walk_t *walk, const cp_audit_seal_t *seal, cp_str_t previous, cp_str_t hash)
{
    cp_arena_t *scratch = cp_arena_new(0), *before;
    cp_code_t   code;

    if (scratch == NULL) {
        return CP_E_NO_MEMORY;
    }

    before = cp_db_results_into(walk->db, scratch);
    code = check_seal(walk, scratch, seal, previous, hash);
    cp_db_results_into(walk->db, before);
    cp_arena_free(scratch);

    return code;
}


static cp_code_t
check_seals(walk_t *walk)
{
    cp_audit_seal_t seal;
    cp_str_t        previous, hash;
    cp_rows_t      *rows;
    int64_t         taken;

    do {
        taken = 0;
        CP_TRY(cp_audit_seals(walk->db, walk->report->seals, SEALS_AT_ONCE, &rows));

        while (walk->report->where.data == NULL && cp_audit_next_seal(rows, &seal, &previous, &hash) == CP_OK) {
            CP_TRY(check_in_scratch(walk, &seal, previous, hash));
            taken++;
        }
    } while (taken == SEALS_AT_ONCE && walk->report->where.data == NULL);

    return CP_OK;
}


cp_code_t
cp_audit_verify(cp_db_t *db, cp_arena_t *arena, cp_str_t key, cp_audit_report_t *report)
{
    walk_t    walk = { .db = db, .arena = arena, .key = key, .report = report };
    int64_t   row;
    cp_code_t code;

    memset(report, 0, sizeof(*report));

    CP_TRY(check_seals(&walk));
    CP_TRY(cp_audit_count_unsealed(db, &report->unsealed));

    if (report->where.data != NULL) {
        return CP_OK;
    }

    code = cp_audit_find_stray(db, &row);
    if (code == CP_E_NOT_FOUND) {
        return CP_OK;
    }

    return code == CP_OK ? fault(arena, report, "no seal for row", row) : code;
}
