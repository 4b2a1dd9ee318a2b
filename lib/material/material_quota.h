/* How much of the store an order, an account and a hall may take: caportal_upload_quota. */
#ifndef CP_MATERIAL_QUOTA_H
#define CP_MATERIAL_QUOTA_H

#include "material/material_store.h"
#include "order/order.h"

/*
 * Takes room for `size` more bytes in the open transaction and gives back the `freed` ones that nobody needs any more;
 * `kept`: what the order takes so far. CP_E_QUOTA when the order, its account or its hall has not that much left. Two
 * uploads at once may together go over a hall's or an account's limit by one of them.
 */
cp_code_t cp_material_change_room(cp_call_t *call, const cp_order_t *order, int64_t kept, int64_t freed, int64_t size);

#endif
