/* How much of the store an order, an account and a hall may take: caportal_upload_quota. */
#ifndef CP_MATERIAL_QUOTA_H
#define CP_MATERIAL_QUOTA_H

#include "material/material_store.h"
#include "order/order.h"

/*
 * Takes room for `size` more bytes in the open transaction; CP_E_QUOTA when one of the three has not that much left.
 * Two uploads at once may together go over a hall's or an account's limit by one of them.
 */
cp_code_t cp_material_take_room(cp_call_t *call, const cp_order_t *order, int64_t size);

/*
 * Gives back the room of a file and its copies, unless a row of the store still needs it. After the row that named it
 * was retired.
 */
cp_code_t cp_material_give_room(cp_call_t *call, const cp_order_t *order, const cp_stored_t *stored);

#endif
