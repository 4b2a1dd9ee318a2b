/* What the applicant fills in: e-mail, address, invoice, delivery; sealed as one JSON object in the order. */
#ifndef CP_ORDER_DETAILS_H
#define CP_ORDER_DETAILS_H

#include "order/order_rules.h"

/* The filled-in parts of an order (an empty object before the first edit); the caller's reference. */
cp_code_t cp_order_details(cp_call_t *call, const cp_order_t *order, json_t **details);

typedef struct {
    json_t   *change;     /* the parts that the body sets, checked and trimmed; the caller's reference */
    int64_t   version;    /* that the applicant edited, 0: whichever */
} cp_order_edit_t;

/*
 * Reads the body of an edit against the terms of the order; all bad fields are marked. CP_E_INVALID, CP_E_MALFORMED,
 * CP_E_NO_MEMORY; `change` is NULL then.
 */
cp_code_t cp_order_read_edit(cp_call_t *call, const cp_order_terms_t *terms, cp_order_edit_t *edit);

/* Puts the change over the details, seals and stores them; order->details and facts follow. */
cp_code_t cp_order_save_details(cp_call_t *call, cp_order_t *order, json_t *details, json_t *change);

typedef enum {
    CP_ORDER_FOR_OWNER,    /* phones masked */
    CP_ORDER_FOR_STAFF     /* names, streets, e-mail and accounts too */
} cp_order_view_t;

/* Masks in place what that reader does not see in clear. */
cp_code_t cp_order_mask_details(cp_call_t *call, json_t *details, cp_order_view_t view);

#endif
