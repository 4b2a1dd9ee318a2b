/* A unit's open orders when the account that they belong to does not act for the unit any more. */
#include "audit/audit.h"
#include "base/clock.h"
#include "issuance/issuance_store.h"
#include "order/order.h"
#include "order/order_store.h"

/* What can still be done to them is the owner's; from `issuing` on nothing is, but to receive the parcel. */
static const char sql_open[] =
    "SELECT id, no, state IN ('draft', 'rejected'), csr_by FROM certificate_order "
    "WHERE account_id = ? AND unit_id = ? AND state IN ('draft', 'rejected', 'submitted', 'approved', 'paid') "
    "ORDER BY id FOR UPDATE";

static const char sql_move[] =
    "UPDATE certificate_order SET account_id = ?, version = version + 1, updated_at = ? WHERE id = ?";

static const char sql_drop_request[] =
    "UPDATE certificate_order SET csr = NULL, spki_sha256 = NULL, csr_by = NULL WHERE id = ?";

/* Whoever applies accepts the agreement, under their own name. */
static const char sql_begin_again[] =
    "UPDATE certificate_order SET person_id = ?, agent_index = ?, agreement_version = NULL, agreement_sha256 = NULL, "
    "agreement_at = NULL WHERE id = ?";

typedef struct {
    int64_t   id;
    cp_str_t  no;
    int64_t   editable;
    cp_str_t  csr_by;
} open_order_t;


/*
 * The holder of a certificate signs in as the account of its order: so a request of the old member's key must not go
 * along, and an order whose request the signer has stays where it is.
 */
static cp_code_t
hand_over(cp_call_t *call, const open_order_t *order, int64_t to, const cp_person_t *agent, int64_t *count)
{
    int64_t alive, aside;
    bool    drops = cp_str_is(order->csr_by, "holder");

    CP_TRY(cp_ledger_count(call->db, order->id, &alive, &aside));
    if (alive != 0) {
        return CP_OK;
    }

    CP_TRY(cp_db_exec(call->db, sql_move, "iii", to, cp_now_ms(), order->id));
    if (drops) {
        CP_TRY(cp_db_exec(call->db, sql_drop_request, "i", order->id));
    }
    if (order->editable != 0) {
        CP_TRY(cp_db_exec(call->db, sql_begin_again, "isi", agent->id, agent->index, order->id));
    }
    (*count)++;

    return cp_audit(call, "order.hand_over", "order", order->no, json_pack("{s:b}", "request_dropped", drops));
}


cp_code_t
cp_order_hand_over(cp_call_t *call, int64_t unit, int64_t from, int64_t to, const cp_person_t *agent, int64_t *count)
{
    open_order_t order;
    cp_rows_t   *rows;
    cp_code_t    code;

    *count = 0;
    CP_TRY(cp_db_query(call->db, &rows, sql_open, "ii>isis", from, unit));

    while ((code = cp_db_next(rows, &order.id, &order.no, &order.editable, &order.csr_by)) == CP_OK) {
        CP_TRY(hand_over(call, &order, to, agent, count));
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}
