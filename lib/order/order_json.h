/* Orders as answers show them, and what an order still misses. */
#ifndef CP_ORDER_JSON_H
#define CP_ORDER_JSON_H

#include "identity/identity.h"
#include "order/order_details.h"
#include "order/order_store.h"

/* The members that every answer about an order has. New reference; NULL when memory is out. */
json_t *cp_order_head_json(cp_call_t *call, const cp_order_t *order);

/* The whole order; the caller's reference. `missing` is empty where the applicant cannot edit. */
cp_code_t cp_order_json(cp_call_t *call, const cp_order_t *order, cp_order_view_t view, json_t **out);

/* An item of a list. */
json_t *cp_order_line_json(cp_call_t *call, const cp_order_line_t *line, cp_order_view_t view);

/* The events of an order: {"items":[{event,state,at,actor,reason}]}; the caller's reference. */
cp_code_t cp_order_history_json(cp_call_t *call, int64_t order, bool edits, json_t **out);

/*
 * Names of everything that a submission still needs: "email", "address", "delivery", "invoice", "agreement",
 * "materials.<kind>", "csr"; the caller's reference.
 */
cp_code_t cp_order_missing(cp_call_t *call, const cp_order_t *order, const json_t *details, cp_str_t applicant,
                           json_t **missing);

#endif
