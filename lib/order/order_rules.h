/* The pure rules of an order beyond those that order.h shows to other features. */
#ifndef CP_ORDER_RULES_H
#define CP_ORDER_RULES_H

#include "base/clock.h"
#include "order/order.h"

#define CP_ORDER_NUMBER_SIZE    22    /* yyyymmddHHMMSSmmm and five random digits */
#define CP_ORDER_NUMBER_RANDOM  5

/* The CP_IF_… bits that hold for an order with this row. */
unsigned cp_order_facts(cp_str_t flow, int64_t paid_fen, cp_str_t delivery, bool has_key);

/* "free", "pay_first" or "review_first". */
const char *cp_order_flow_name(bool is_free, cp_flow_t flow);

/* The CP_ACTOR_… bits of a member of staff with these CP_ROLE_… bits. */
unsigned cp_order_actors(unsigned roles);

/* True for the states in which the unit may start another order for the same project. */
bool cp_order_frees_hold(cp_order_state_t state);

/* An order number: the time in China Standard Time, then the random `digits`; from the arena. */
cp_str_t cp_order_number(cp_arena_t *arena, int64_t at_ms, cp_str_t digits);

/* Whether a text has the form of an order number. */
bool cp_order_is_number(cp_str_t no);

/* What stands for the one certificate that a unit may have in a project: "hall/project/USCC", from the arena. */
cp_str_t cp_order_hold_key(cp_arena_t *arena, const cp_order_t *order, cp_str_t uscc);

/* The terms in an order's snapshot on which its rules depend. */
typedef struct {
    bool      one_per_unit;
    unsigned  invoices;        /* CP_INVOICE_… */
    unsigned  deliveries;      /* CP_DELIVERY_… */
    unsigned  keys;            /* CP_KEY_… */
} cp_order_terms_t;

/* Reads them from cp_order_t.sale; false when it is no snapshot. */
bool cp_order_terms(cp_str_t sale, cp_order_terms_t *terms);

#endif
