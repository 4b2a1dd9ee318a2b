/* The lists of orders: an account's own, and the staff's queue. */
#include "base/clock.h"
#include "member/member.h"
#include "order/desk_ops.h"
#include "order/order_json.h"
#include "order/order_ops.h"

#define DAY_MS  (24 * 3600 * 1000LL)


static void
read_state(cp_call_t *call, cp_order_filter_t *filter)
{
    cp_order_state_t state;

    (void) cp_query_param(call, "state", &filter->state);
    if (filter->state.data != NULL && !cp_order_state_of(filter->state, &state)) {
        cp_bad_field(call, CP_STR("state"), CP_F_CHOICE);
    }
}


static void
read_project(cp_call_t *call, cp_order_filter_t *filter)
{
    (void) cp_query_param(call, "project", &filter->project);
    if (filter->project.data != NULL && (filter->project.len == 0 || cp_str_chars(filter->project) > 64)) {
        cp_bad_field(call, CP_STR("project"), CP_F_FORMAT);
    }
}


/* Whose orders: the caller's own without it. */
static void
read_unit(cp_call_t *call, cp_str_t *unit_id)
{
    (void) cp_query_param(call, "unit", unit_id);
    if (unit_id->data != NULL && (unit_id->len == 0 || unit_id->len > 32)) {
        cp_bad_field(call, CP_STR("unit"), CP_F_FORMAT);
    }
}


/* A day of the calendar; `last` gives the moment after its end. */
static int64_t
read_day(cp_call_t *call, const char *name, bool last, int64_t otherwise)
{
    cp_str_t text;
    int64_t  at_ms;

    (void) cp_query_param(call, name, &text);
    if (text.data == NULL) {
        return otherwise;
    }

    if (!cp_date_parse(text, &at_ms)) {
        cp_bad_field(call, cp_str(name), CP_F_FORMAT);
        return otherwise;
    }

    return last ? at_ms + DAY_MS : at_ms;
}


static cp_code_t
answer(cp_call_t *call, const char *list, const cp_page_t *page, cp_order_view_t view, cp_rows_t *rows)
{
    cp_order_line_t line;
    json_t         *items = json_array();
    int64_t         count = 0, last = 0;

    while (cp_order_next_line(rows, &line) == CP_OK) {
        if (count++ == page->limit) {
            return cp_page_answer(call, list, items, last);
        }
        if (json_array_append_new(items, cp_order_line_json(call, &line, view)) != 0) {
            json_decref(items);
            return CP_E_NO_MEMORY;
        }
        last = line.id;
    }

    return cp_page_answer(call, list, items, 0);
}


cp_code_t
cp_op_order_list(cp_call_t *call)
{
    static const char *const names[] = { "state", "project", "from", "to", "unit", "after", "limit", NULL };

    cp_order_filter_t filter;
    cp_membership_t   unit;
    cp_page_t         page;
    cp_rows_t        *rows;
    cp_str_t          unit_id;

    (void) cp_query_only(call, names);
    read_state(call, &filter);
    read_project(call, &filter);
    read_unit(call, &unit_id);
    filter.from_ms = read_day(call, "from", false, 0);
    filter.until_ms = read_day(call, "to", true, INT64_MAX);
    CP_TRY(cp_page_read(call, "orders", &page));

    CP_TRY(cp_call_db(call));
    if (unit_id.data == NULL) {
        CP_TRY(cp_order_lines_of(call, call->who.account, &filter, &page, &rows));
    } else {
        CP_TRY(cp_administration(call, unit_id, CP_HOLD_NOT, &unit));
        CP_TRY(cp_order_lines_of_unit(call, unit.unit, &filter, &page, &rows));
    }

    return answer(call, "orders", &page, CP_ORDER_FOR_OWNER, rows);
}


cp_code_t
cp_op_desk_orders(cp_call_t *call)
{
    static const char *const names[] = { "state", "project", "after", "limit", NULL };

    cp_order_filter_t filter;
    cp_page_t         page;
    cp_rows_t        *rows;

    (void) cp_query_only(call, names);
    read_state(call, &filter);
    read_project(call, &filter);
    CP_TRY(cp_page_read(call, "desk", &page));

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_order_lines(call, &filter, &page, &rows));

    return answer(call, "desk", &page, CP_ORDER_FOR_STAFF, rows);
}
