/* What the operations on orders share beyond order.h. */
#ifndef CP_ORDER_STATE_H
#define CP_ORDER_STATE_H

#include "identity/identity.h"
#include "order/order.h"

/* Records that a draft was made: its first event and its audit row. */
cp_code_t cp_order_record_create(cp_call_t *call, const cp_order_t *order);

/* Marks the unit when its name is longer than a certificate of the profile can hold: known before anything is paid. */
void cp_order_check_name(cp_call_t *call, cp_str_t profile, const cp_unit_t *unit);

#endif
