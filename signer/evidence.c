#include "signer.h"

/* Ids of the last submission and decisions, by the event's kind; the approver and the finance officer hold the duty. */
static const char sql_evidence[] =
    "SELECT "
    "(SELECT COALESCE(MAX(e.id), 0) FROM order_event e WHERE e.order_id = o.id AND e.event IN ('submit', 'reject')), "
    "(SELECT COALESCE(MAX(e.id), 0) FROM order_event e JOIN order_duty d ON d.order_id = e.order_id "
    "AND d.staff_id = e.actor_id AND d.duty = 'review' "
    "WHERE e.order_id = o.id AND e.event = 'approve' AND e.actor_kind = 'staff'), "
    "(SELECT COALESCE(SUM(p.amount_fen), 0) FROM payment p JOIN order_duty d ON d.order_id = p.order_id "
    "AND d.staff_id = p.decided_by AND d.duty = 'finance' WHERE p.order_id = o.id AND p.state = 'confirmed'), "
    "(SELECT COUNT(*) FROM order_duty d WHERE d.order_id = o.id AND d.duty = 'production'), "
    "u.name, u.uscc "
    "FROM certificate_order o JOIN unit u ON u.id = o.unit_id WHERE o.id = ?";

static const char sql_key_used[] =
    "SELECT id FROM certificate WHERE spki_sha256 = ? AND order_id <> ? LIMIT 1";

typedef struct {
    int64_t   submitted;
    int64_t   approved;
    int64_t   paid_fen;
    int64_t   producers;
    cp_str_t  unit_name;
    cp_str_t  uscc;
} evidence_t;


static const char *
judge(const cp_order_t *order, const cp_ledger_t *ledger, const cp_subject_t *subject, const evidence_t *evidence)
{
    bool free = (order->facts & CP_IF_FREE) != 0;

    if (!cp_order_is_ready(order->state, order->facts)) {
        return "the order is not ready";
    }
    if (evidence->submitted == 0 || evidence->approved <= evidence->submitted) {
        return "no review approved the last submission";
    }
    if (free ? order->amount_fen != 0 : evidence->paid_fen < order->amount_fen || order->amount_fen <= 0) {
        return "no confirmed payment covers the amount";
    }
    if (cp_str_is(order->csr_by, "station") && evidence->producers == 0) {
        return "nobody of production uploaded the request";
    }
    if (!cp_str_eq(ledger->csr, order->csr) || !cp_str_eq(ledger->profile, order->profile)
        || ledger->years != order->years)
    {
        return "the ledger says something else than the order";
    }
    if (!cp_str_eq(cp_subject_value(subject, CP_STR("O")), evidence->unit_name)
        || !cp_str_eq(cp_subject_value(subject, CP_STR("CN")), evidence->unit_name)
        || !cp_str_eq(cp_subject_value(subject, CP_STR("uscc")), evidence->uscc)
        || !cp_str_is(cp_subject_value(subject, CP_STR("C")), "CN"))
    {
        return "the ledger names another unit than the order";
    }

    return NULL;
}


cp_code_t
signer_evidence(cp_db_t *db, const cp_order_t *order, const cp_ledger_t *ledger, const cp_subject_t *subject,
                cp_str_t spki_sha256, const char **why)
{
    evidence_t evidence;
    int64_t    other;
    cp_code_t  code;

    CP_TRY(cp_db_row(db, sql_evidence, "i>iiiiss", order->id, &evidence.submitted, &evidence.approved,
                     &evidence.paid_fen, &evidence.producers, &evidence.unit_name, &evidence.uscc));

    *why = judge(order, ledger, subject, &evidence);
    if (*why != NULL) {
        return CP_OK;
    }

    code = cp_db_row(db, sql_key_used, "si>i", spki_sha256, order->id, &other);
    if (code == CP_OK) {
        *why = "another order's certificate has this key";
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}
