#include "material/material_quota.h"

#include "material/material_copy.h"

#define SHARDS  16    /* rows that the uploads of one hall are spread over */

typedef struct {
    const char *scope;
    cp_str_t    owner;
    int64_t     shard;
    int64_t     most;
} share_t;


static bool
shares_of(cp_call_t *call, const cp_order_t *order, share_t shares[2])
{
    const cp_quota_t *quota = &call->app->quota;

    shares[0] = (share_t) { "account", cp_str_printf(call->arena, "%lld", (long long) order->account), 0,
                            quota->account };
    shares[1] = (share_t) { "hall", order->hall, order->id % SHARDS, quota->hall };

    return shares[0].owner.data != NULL;
}


static cp_code_t
check(int64_t used, int64_t size, int64_t most)
{
    return most != 0 && (used > most || size > most - used) ? CP_E_QUOTA : CP_OK;
}


cp_code_t
cp_material_take_room(cp_call_t *call, const cp_order_t *order, int64_t size)
{
    share_t shares[2];
    int64_t used;
    size_t  i;

    if (!shares_of(call, order, shares)) {
        return CP_E_NO_MEMORY;
    }

    if (call->app->quota.order != 0) {
        CP_TRY(cp_material_bytes(call, order->id, &used));
        CP_TRY(check(used, size, call->app->quota.order));
    }

    for (i = 0; i < 2; i++) {
        if (shares[i].most != 0) {
            CP_TRY(cp_usage_read(call, shares[i].scope, shares[i].owner, &used));
            CP_TRY(check(used, size, shares[i].most));
        }
        CP_TRY(cp_usage_add(call, shares[i].scope, shares[i].owner, shares[i].shard, size));
    }

    return CP_OK;
}


cp_code_t
cp_material_give_room(cp_call_t *call, const cp_order_t *order, const cp_stored_t *stored)
{
    share_t shares[2];
    int64_t copies;
    size_t  i;
    bool    needed;

    CP_TRY(cp_file_is_needed(call->db, stored->file, &needed));
    if (needed) {
        return CP_OK;
    }

    CP_TRY(cp_copies_size(call, stored->file, &copies));
    if (!shares_of(call, order, shares)) {
        return CP_E_NO_MEMORY;
    }

    for (i = 0; i < 2; i++) {
        CP_TRY(cp_usage_add(call, shares[i].scope, shares[i].owner, shares[i].shard, -stored->size - copies));
    }

    return CP_OK;
}
