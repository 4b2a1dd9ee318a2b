/* The lists of orders and of an order's events: the SQL of their pages. Each walks one index and stops at its limit. */
#include "order/order_store.h"

#define LINE                                                                                                           \
    "o.id, o.no, o.hall, o.project, o.product, o.service, o.state, o.delivery, o.amount_fen, o.paid_fen, o.version, "  \
    "o.claim_staff, o.claim_until, o.created_at, o.updated_at, o.submitted_at, u.public_id, u.name "                   \
    "FROM certificate_order o"
#define LINE_TYPES  "isssssssiiiiiiiiss"

#define WITH_UNIT   " STRAIGHT_JOIN unit u ON u.id = o.unit_id "
#define AS_MEMBER                                                                                                      \
    "STRAIGHT_JOIN unit_member m FORCE INDEX (PRIMARY) ON m.unit_id = o.unit_id AND m.account_id = o.account_id "
#define NARROWED    "AND (? IS NULL OR o.project = ?) AND o.created_at >= ? AND o.created_at < ? "

/* The index is named: on short tables the optimiser would rather read all of one and sort it. */
static const char sql_of_account[] =
    "SELECT " LINE " FORCE INDEX (order_account)" WITH_UNIT AS_MEMBER
    "WHERE o.account_id = ? AND o.id < ? " NARROWED "ORDER BY o.id DESC LIMIT ?";
static const char sql_of_account_state[] =
    "SELECT " LINE " FORCE INDEX (order_account_state)" WITH_UNIT AS_MEMBER
    "WHERE o.account_id = ? AND o.state = ? AND o.id < ? " NARROWED "ORDER BY o.id DESC LIMIT ?";

static const char sql_of_unit[] =
    "SELECT " LINE " FORCE INDEX (order_unit)" WITH_UNIT
    "WHERE o.unit_id = ? AND o.id < ? AND (? IS NULL OR o.state = ?) " NARROWED "ORDER BY o.id DESC LIMIT ?";

static const char sql_all[] =
    "SELECT " LINE " FORCE INDEX (PRIMARY)" WITH_UNIT "WHERE o.id > ? ORDER BY o.id LIMIT ?";
static const char sql_state[] =
    "SELECT " LINE " FORCE INDEX (order_state)" WITH_UNIT "WHERE o.state = ? AND o.id > ? ORDER BY o.id LIMIT ?";
static const char sql_project[] =
    "SELECT " LINE " FORCE INDEX (order_project)" WITH_UNIT "WHERE o.project = ? AND o.id > ? ORDER BY o.id LIMIT ?";
static const char sql_project_state[] =
    "SELECT " LINE " FORCE INDEX (order_project_state)" WITH_UNIT
    "WHERE o.project = ? AND o.state = ? AND o.id > ? ORDER BY o.id LIMIT ?";

static const char sql_events[] =
    "SELECT event, to_state, actor_kind, public_reason, created_at FROM order_event "
    "WHERE order_id = ? AND (? OR event <> 'edit') ORDER BY id LIMIT 1000";


cp_code_t
cp_order_lines_of(cp_call_t *call, int64_t account, const cp_order_filter_t *filter, const cp_page_t *page,
                  cp_rows_t **rows)
{
    int64_t before = page->after == 0 ? INT64_MAX : page->after;

    if (filter->state.data == NULL) {
        return cp_db_query(call->db, rows, sql_of_account, "iissiii>" LINE_TYPES, account, before, filter->project,
                           filter->project, filter->from_ms, filter->until_ms, page->limit + 1);
    }

    return cp_db_query(call->db, rows, sql_of_account_state, "isissiii>" LINE_TYPES, account, filter->state, before,
                       filter->project, filter->project, filter->from_ms, filter->until_ms, page->limit + 1);
}


cp_code_t
cp_order_lines_of_unit(cp_call_t *call, int64_t unit, const cp_order_filter_t *filter, const cp_page_t *page,
                       cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_of_unit, "iissssiii>" LINE_TYPES, unit,
                       page->after == 0 ? INT64_MAX : page->after, filter->state, filter->state, filter->project,
                       filter->project, filter->from_ms, filter->until_ms, page->limit + 1);
}


cp_code_t
cp_order_lines(cp_call_t *call, const cp_order_filter_t *filter, const cp_page_t *page, cp_rows_t **rows)
{
    int64_t most = page->limit + 1;

    if (filter->project.data == NULL && filter->state.data == NULL) {
        return cp_db_query(call->db, rows, sql_all, "ii>" LINE_TYPES, page->after, most);
    }
    if (filter->project.data == NULL) {
        return cp_db_query(call->db, rows, sql_state, "sii>" LINE_TYPES, filter->state, page->after, most);
    }
    if (filter->state.data == NULL) {
        return cp_db_query(call->db, rows, sql_project, "sii>" LINE_TYPES, filter->project, page->after, most);
    }

    return cp_db_query(call->db, rows, sql_project_state, "ssii>" LINE_TYPES, filter->project, filter->state,
                       page->after, most);
}


cp_code_t
cp_order_next_line(cp_rows_t *rows, cp_order_line_t *l)
{
    return cp_db_next(rows, &l->id, &l->no, &l->hall, &l->project, &l->product, &l->service, &l->state, &l->delivery,
                      &l->amount_fen, &l->paid_fen, &l->version, &l->claim_staff, &l->claim_until_ms, &l->created_ms,
                      &l->updated_ms, &l->submitted_ms, &l->unit, &l->unit_name);
}


cp_code_t
cp_order_events(cp_call_t *call, int64_t id, bool edits, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_events, "ii>ssssi", id, (int64_t) edits);
}
