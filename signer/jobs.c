/*
 * From a committed ledger row to a certificate, in three steps: prepare (transaction A writes serial number and
 * to-be-signed bytes), sign, record (transaction B). Killed anywhere, the next run goes on from the stored row and
 * signs the same bytes; only one certificate of it can be stored.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "certificate/csr.h"
#include "signer.h"

#define ATTEMPTS       5
#define TRIES          3           /* of one run, after a deadlock */
#define CLOCK_SLACK    86400000    /* ms that the clock may have moved since a row was written or prepared */

typedef struct {
    int64_t              id;
    bool                 ready;        /* to be signed and recorded */
    cp_ledger_t          ledger;
    cp_order_t           order;
    const cp_profile_t  *profile;
    signer_issuer_t     *issuer;
    cp_subject_t         subject;
    cp_csr_t             csr;
    cp_x509_t            x509;         /* of the to-be-signed bytes */
    cp_str_t             der;
    const char          *why;          /* why the row can never be issued */
} job_t;

typedef struct {
    signer_t   *signer;
    cp_call_t   call;              /* of nobody: the system */
    cp_arena_t *arena;
    job_t      *jobs;
    size_t      count;
} run_t;


static bool
is_rsa(unsigned kind)
{
    return kind != CP_KEY_P256;
}


static bool
is_candidate(const cp_profile_t *profile, const signer_issuer_t *issuer)
{
    size_t i;

    for (i = 0; i < profile->issuer_count; i++) {
        if (cp_str_eq(profile->issuers[i], issuer->name)) {
            return true;
        }
    }

    return profile->issuer_count == 0;
}


/* The first issuer that the profile allows with a key of the subject's family, else the first that it allows. */
static signer_issuer_t *
choose_issuer(signer_t *signer, const cp_profile_t *profile, unsigned kind)
{
    signer_issuer_t *first = NULL;
    size_t           i;

    for (i = 0; i < signer->issuer_count; i++) {
        signer_issuer_t *issuer = &signer->issuers[i];

        if (!is_candidate(profile, issuer)) {
            continue;
        }
        if (is_rsa(issuer->issuer.key.kind) == is_rsa(kind)) {
            return issuer;
        }
        first = first == NULL ? issuer : first;
    }

    return first;
}


static const char *
lint(run_t *run, job_t *job, int64_t earliest_ms, int64_t latest_ms)
{
    cp_tbs_t  expected = { job->profile, &job->issuer->issuer, &job->subject, &job->csr.key, job->ledger.serial, 0,
                           job->ledger.years };
    cp_lint_t terms = { &expected, earliest_ms, latest_ms };

    return cp_lint(job->ledger.tbs, &terms, run->arena);
}


/* A little in the past, for clocks that are late; not before the issuer's own beginning. */
static int64_t
begin_of_validity(const job_t *job, int64_t now_ms)
{
    int64_t begin_ms = (now_ms - job->profile->backdate_ms) / 1000 * 1000;

    return begin_ms > job->issuer->issuer.not_before_ms ? begin_ms : job->issuer->issuer.not_before_ms;
}


/* Chooses serial number and validity, builds, lints, and writes the row: after the commit the bytes are fixed. */
static cp_code_t
reserve(run_t *run, job_t *job)
{
    cp_tbs_t tbs;
    int64_t  now_ms = cp_now_ms();

    CP_TRY(signer_evidence(run->call.db, &job->order, &job->ledger, &job->subject, job->csr.spki_sha256, &job->why));
    if (job->why != NULL) {
        return CP_OK;
    }

    job->issuer = choose_issuer(run->signer, job->profile, job->csr.key.kind);
    if (job->issuer == NULL) {
        job->why = "no issuer for the profile";
        return CP_OK;
    }

    job->ledger.issuer = job->issuer->name;
    job->ledger.serial = cp_serial_new(run->arena);
    if (job->ledger.serial.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    tbs = (cp_tbs_t) { job->profile, &job->issuer->issuer, &job->subject, &job->csr.key, job->ledger.serial,
                       begin_of_validity(job, now_ms), job->ledger.years };
    if (cp_tbs_write(&tbs, run->arena, &job->ledger.tbs) != CP_OK) {
        job->why = "the subject lacks what the profile asks for";
        return CP_OK;
    }

    job->why = lint(run, job, tbs.not_before_ms, tbs.not_before_ms);
    if (job->why != NULL) {
        return CP_OK;
    }

    CP_TRY(cp_ledger_prepared(run->call.db, &job->ledger, now_ms));

    return cp_order_apply(&run->call, &job->order, CP_ORDER_ON_ISSUE_START, NULL);
}


/* A row that was prepared by a run which did not come to its end. */
static cp_code_t
resume(run_t *run, job_t *job)
{
    job->issuer = signer_issuer_find(run->signer, job->ledger.issuer);
    if (job->issuer == NULL) {
        cp_log(CP_LOG_ALERT, "issuance %lld waits for the issuer %.*s, which is not configured", (long long) job->id,
               (int) job->ledger.issuer.len, job->ledger.issuer.data);
        return CP_E_BUSY;
    }

    if (job->order.state != CP_ORDER_ISSUING) {
        job->why = "the order is not being issued";
        return CP_OK;
    }

    job->why = lint(run, job, job->ledger.created_ms - job->profile->backdate_ms - CLOCK_SLACK,
                    cp_now_ms() + CLOCK_SLACK);
    return CP_OK;
}


/* Moves the row out of the way and the order back to where production can act. */
static cp_code_t
put_aside(run_t *run, job_t *job, const char *why)
{
    CP_TRY(cp_ledger_failed(run->call.db, job->id, cp_str(why), cp_now_ms()));

    if (job->order.state == CP_ORDER_ISSUING) {
        CP_TRY(cp_order_apply(&run->call, &job->order, CP_ORDER_ON_ISSUE_FAIL, NULL));
    }
    CP_TRY(cp_audit(&run->call, "issuance.fail", "order", job->order.no,
                    json_pack("{s:I, s:s}", "issuance", (json_int_t) job->id, "why", why)));

    cp_log(CP_LOG_ALERT, "issuance %lld was put aside: %s", (long long) job->id, why);

    return CP_OK;
}


/* The order is locked before the ledger's row, as in the web tier. */
static cp_code_t
lock_job(run_t *run, job_t *job)
{
    int64_t order;

    CP_TRY(cp_ledger_order(run->call.db, job->id, &order));
    CP_TRY(cp_order_by_id(&run->call, order, true, &job->order));

    return cp_ledger_lock(run->call.db, job->id, &job->ledger);
}


static cp_code_t
read_job(run_t *run, job_t *job)
{
    cp_csr_fault_t fault;
    cp_code_t      code;

    job->profile = cp_profile_find(run->signer->profiles, job->ledger.profile);
    if (job->profile == NULL) {
        job->why = "its profile is not configured";
        return CP_OK;
    }

    code = cp_subject_read(run->arena, job->ledger.subject, &job->subject);
    if (code != CP_OK) {
        job->why = "its subject is malformed";
        return code == CP_E_INTERNAL ? CP_OK : code;
    }

    fault = cp_csr_check(job->ledger.csr, run->arena, &job->csr);
    if (fault != CP_CSR_GOOD) {
        job->why = cp_csr_fault(fault)->en;
        return fault == CP_CSR_MEMORY ? CP_E_NO_MEMORY : CP_OK;
    }

    return CP_OK;
}


static cp_code_t
prepare(run_t *run, job_t *job)
{
    cp_code_t code;

    code = lock_job(run, job);
    if (code != CP_OK) {
        return code == CP_E_NOT_FOUND ? CP_OK : code;
    }
    if (job->ledger.state == CP_LEDGER_ISSUED || job->ledger.state == CP_LEDGER_FAILED) {
        return CP_OK;
    }

    CP_TRY(read_job(run, job));
    if (job->why == NULL) {
        CP_TRY(job->ledger.state == CP_LEDGER_PREPARED ? resume(run, job) : reserve(run, job));
    }
    if (job->why != NULL) {
        return put_aside(run, job, job->why);
    }

    job->ready = cp_x509_read_tbs(job->ledger.tbs, &job->x509);

    return job->ready ? CP_OK : CP_E_INTERNAL;
}


static cp_code_t
sign(run_t *run, job_t *job)
{
    cp_str_t signature;

    CP_TRY(signer_sign(run->arena, job->issuer, job->ledger.tbs, &signature));

    return cp_signed_write(job->ledger.tbs, job->issuer->issuer.algorithm, signature, run->arena, &job->der);
}


static const char sql_certificate[] =
    "INSERT INTO certificate (issuance_id, order_id, account_id, unit_id, issuer, serial, sha256, spki_sha256, der, "
    "not_before, not_after, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'valid', ?)";


static cp_code_t
insert_certificate(run_t *run, job_t *job)
{
    unsigned char sha256[CP_SHA256_SIZE];
    cp_str_t      serial = cp_str_hex(run->arena, job->ledger.serial);

    CP_TRY(cp_sha256(job->der, sha256));
    if (serial.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    while (serial.len > 1 && serial.data[0] == '0') {
        serial.data++;
        serial.len--;
    }

    return cp_db_exec(run->call.db, sql_certificate, "iiiisssssiii", job->id, job->order.id, job->order.account,
                      job->order.unit, job->issuer->name, serial, cp_str_n(sha256, sizeof(sha256)),
                      job->csr.spki_sha256, job->der, job->x509.not_before_ms, job->x509.not_after_ms, cp_now_ms());
}


static cp_code_t
record(run_t *run, job_t *job)
{
    cp_code_t code;

    CP_TRY(cp_order_by_id(&run->call, job->order.id, true, &job->order));

    /* Another signer took the same row and stored its certificate: ours is dropped. */
    code = cp_ledger_issued(run->call.db, job->id, cp_now_ms());
    if (code != CP_OK) {
        job->ready = false;
        return code == CP_E_WRONG_STATE ? CP_OK : code;
    }

    CP_TRY(insert_certificate(run, job));

    return cp_order_apply(&run->call, &job->order, CP_ORDER_ON_ISSUE_DONE, NULL);
}


static cp_code_t
each(run_t *run, cp_code_t (*step)(run_t *run, job_t *job), bool ready_only)
{
    size_t i;

    for (i = 0; i < run->count; i++) {
        if (!ready_only || run->jobs[i].ready) {
            CP_TRY(step(run, &run->jobs[i]));
        }
    }

    return CP_OK;
}


static cp_code_t
in_transaction(run_t *run, cp_code_t (*step)(run_t *run, job_t *job), bool ready_only)
{
    cp_code_t code;

    CP_TRY(cp_db_begin(run->call.db));

    code = each(run, step, ready_only);
    if (code == CP_OK) {
        code = cp_db_commit(run->call.db);
    }
    if (code != CP_OK) {
        cp_db_rollback(run->call.db);
    }

    return code;
}


static size_t
ready_jobs(const run_t *run)
{
    size_t i, count = 0;

    for (i = 0; i < run->count; i++) {
        count += run->jobs[i].ready;
    }

    return count;
}


static cp_code_t
issue(run_t *run)
{
    CP_TRY(cp_call_db(&run->call));
    CP_TRY(in_transaction(run, prepare, false));

    if (ready_jobs(run) == 0) {
        return CP_OK;
    }

    CP_TRY(each(run, sign, true));
    CP_TRY(in_transaction(run, record, true));

    cp_log(CP_LOG_NOTICE, "issued %zu of %zu", ready_jobs(run), run->count);

    return CP_OK;
}


static bool
run_open(run_t *run, signer_t *signer, const int64_t *ids, size_t count)
{
    size_t i;

    memset(run, 0, sizeof(*run));
    run->signer = signer;
    run->count = count;

    run->arena = cp_arena_new(64 * 1024);
    run->jobs = run->arena == NULL ? NULL : cp_calloc(run->arena, count, sizeof(job_t));
    if (run->jobs == NULL) {
        cp_arena_free(run->arena);
        return false;
    }

    run->call.app = &signer->app;
    run->call.arena = run->arena;
    for (i = 0; i < count; i++) {
        run->jobs[i].id = ids[i];
    }

    return true;
}


static cp_code_t
run_once(signer_t *signer, const int64_t *ids, size_t count)
{
    run_t     run;
    cp_code_t code;

    if (!run_open(&run, signer, ids, count)) {
        return CP_E_NO_MEMORY;
    }

    code = issue(&run);
    cp_arena_free(run.arena);

    return code;
}


/* Counts a failed attempt; the last one puts the row aside. */
static cp_code_t
count_attempt(run_t *run, job_t *job)
{
    int64_t   now_ms = cp_now_ms(), pause_ms;
    cp_code_t code;

    code = lock_job(run, job);
    if (code != CP_OK) {
        return code == CP_E_NOT_FOUND ? CP_OK : code;
    }
    if (job->ledger.attempts + 1 >= ATTEMPTS) {
        return put_aside(run, job, "it failed too often");
    }

    pause_ms = 1000LL << job->ledger.attempts;

    return cp_ledger_attempt(run->call.db, job->id, CP_STR("internal"),
                             now_ms - run->signer->sweep_after_ms + pause_ms, now_ms);
}


static void
note_failure(signer_t *signer, int64_t id)
{
    run_t run;

    if (!run_open(&run, signer, &id, 1)) {
        return;
    }

    if (cp_call_db(&run.call) != CP_OK || in_transaction(&run, count_attempt, false) != CP_OK) {
        cp_log(CP_LOG_ERROR, "issuance %lld failed, which could not be noted", (long long) id);
    }
    cp_arena_free(run.arena);
}


/* Failures of the surroundings are nobody's fault: the row waits. Any other is counted against it. */
static bool
is_ours(cp_code_t code)
{
    return code == CP_E_DATABASE || code == CP_E_RETRY || code == CP_E_BUSY || code == CP_E_NO_MEMORY;
}


static void
run_alone(signer_t *signer, int64_t id)
{
    cp_code_t code = CP_E_RETRY;
    int       i;

    for (i = 0; i < TRIES && code == CP_E_RETRY; i++) {
        code = run_once(signer, &id, 1);
    }
    if (code == CP_OK) {
        return;
    }

    cp_log(CP_LOG_ERROR, "issuance %lld failed: %s", (long long) id, code == CP_E_RETRY ? "deadlock"
                                                                                        : cp_error(code)->code);
    if (!is_ours(code)) {
        note_failure(signer, id);
    }
}


static int
by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


void
signer_run(signer_t *signer, int64_t *ids, size_t count)
{
    size_t    i, n = 0;
    cp_code_t code;

    /* In one order, so that two signers do not lock crosswise; each once. */
    qsort(ids, count, sizeof(int64_t), by_id);
    for (i = 0; i < count; i++) {
        if (i == 0 || ids[i] != ids[i - 1]) {
            ids[n++] = ids[i];
        }
    }

    if (n > 1) {
        code = run_once(signer, ids, n);
        if (code == CP_OK || code == CP_E_DATABASE || code == CP_E_BUSY) {
            return;
        }
        cp_log(CP_LOG_NOTICE, "a batch of %zu failed and is run one by one", n);
    }

    for (i = 0; i < n; i++) {
        run_alone(signer, ids[i]);
    }
}
