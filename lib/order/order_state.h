/* What the operations on orders share beyond order.h. */
#ifndef CP_ORDER_STATE_H
#define CP_ORDER_STATE_H

#include "order/order.h"

/* Records that a draft was made: its first event and its audit row. */
cp_code_t cp_order_record_create(cp_call_t *call, const cp_order_t *order);

/* Reads a body that may hold no field at all. */
cp_code_t cp_order_no_fields(cp_call_t *call);

#endif
