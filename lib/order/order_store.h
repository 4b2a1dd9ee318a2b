/* All SQL on orders and their events. */
#ifndef CP_ORDER_STORE_H
#define CP_ORDER_STORE_H

#include "call/page.h"
#include "order/order_rules.h"

/* Loads an order; `account` 0 finds anybody's. CP_E_NOT_FOUND. */
cp_code_t cp_order_find(cp_call_t *call, cp_str_t no, int64_t account, bool lock, cp_order_t *order);

/* Inserts a draft (all members but id set, CP_E_DUPLICATE when its number is taken) and sets order->id. */
cp_code_t cp_order_insert(cp_call_t *call, cp_order_t *order);

/*
 * Writes the state and what follows from it: the version, the time, the claim gone when the state changes, the hold
 * gone where cp_order_frees_hold(). CP_E_RETRY when the version is no longer the one that was loaded.
 */
cp_code_t cp_order_update_state(cp_call_t *call, const cp_order_t *order, cp_order_state_t next, int64_t now_ms);

cp_code_t cp_order_insert_event(cp_call_t *call, const cp_order_t *order, cp_order_event_t event, const char *from,
                                cp_order_state_t to, const char *actor_kind, int64_t actor_id, cp_str_t reason,
                                int64_t now_ms);

/* Single columns of an order that is locked. */
cp_code_t cp_order_update_details(cp_call_t *call, int64_t id, cp_str_t sealed, cp_str_t delivery);
cp_code_t cp_order_update_agreement(cp_call_t *call, int64_t id, cp_str_t version, cp_str_t sha256, int64_t at_ms);
cp_code_t cp_order_update_submitted(cp_call_t *call, int64_t id, int64_t at_ms, cp_str_t materials_sha256);

/* The digest of the materials as submitted; {0, NULL}: never was. */
cp_code_t cp_order_submitted_digest(cp_call_t *call, int64_t id, cp_str_t *materials_sha256);
cp_code_t cp_order_update_claim(cp_call_t *call, int64_t id, int64_t staff, int64_t until_ms);
cp_code_t cp_order_update_reasons(cp_call_t *call, int64_t id, cp_str_t reasons);
cp_code_t cp_order_update_shipping(cp_call_t *call, int64_t id, cp_str_t courier, cp_str_t tracking);

/* Takes the hold; CP_E_ALREADY_HELD when another order has it. */
cp_code_t cp_order_take_hold(cp_call_t *call, int64_t id, cp_str_t hold_key);

/* CP_E_ALREADY_HELD when an order has the hold. */
cp_code_t cp_order_check_hold(cp_call_t *call, cp_str_t hold_key);

/* What a list is narrowed to; {0, NULL} stands for "any". */
typedef struct {
    cp_str_t  state;
    cp_str_t  project;
    int64_t   from_ms;
    int64_t   until_ms;        /* exclusive */
} cp_order_filter_t;

/* One row of a list. */
typedef struct {
    int64_t   id;
    cp_str_t  no;
    cp_str_t  hall;
    cp_str_t  project;
    cp_str_t  product;
    cp_str_t  service;
    cp_str_t  state;
    cp_str_t  delivery;
    int64_t   amount_fen;
    int64_t   paid_fen;
    int64_t   version;
    int64_t   claim_staff;
    int64_t   claim_until_ms;
    int64_t   created_ms;
    int64_t   updated_ms;
    int64_t   submitted_ms;
    cp_str_t  unit;
    cp_str_t  unit_name;
} cp_order_line_t;

/*
 * An account's orders and a unit's, newest first, and everybody's, oldest first: one row more than the page's limit is
 * read. Of an account's those of units that it acts for no more are left out.
 */
cp_code_t cp_order_lines_of(cp_call_t *call, int64_t account, const cp_order_filter_t *filter, const cp_page_t *page,
                            cp_rows_t **rows);
cp_code_t cp_order_lines_of_unit(cp_call_t *call, int64_t unit, const cp_order_filter_t *filter,
                                 const cp_page_t *page, cp_rows_t **rows);
cp_code_t cp_order_lines(cp_call_t *call, const cp_order_filter_t *filter, const cp_page_t *page, cp_rows_t **rows);
cp_code_t cp_order_next_line(cp_rows_t *rows, cp_order_line_t *line);

/* The events of an order, from the first; those that only edited it are left out unless `edits`. */
cp_code_t cp_order_events(cp_call_t *call, int64_t id, bool edits, cp_rows_t **rows);

/* The certificates that came of an order, as JSON: [{serial, not_before, not_after, state}]. */
cp_code_t cp_order_certificates(cp_call_t *call, int64_t id, json_t **list);

#endif
