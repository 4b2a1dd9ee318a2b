#include "material/material_quota.h"

#define SHARDS  16    /* rows that the uploads of one hall are spread over */


static cp_code_t
check(int64_t used, int64_t size, int64_t most)
{
    return most != 0 && (used > most || size > most - used) ? CP_E_QUOTA : CP_OK;
}


/* Whether `size` more fit when `freed` have gone. */
static cp_code_t
check_all(cp_call_t *call, const cp_usage_key_t *key, int64_t kept, int64_t freed, int64_t size)
{
    const cp_quota_t *quota = &call->app->quota;
    int64_t           account, hall;

    CP_TRY(check(kept - freed, size, quota->order));
    if (quota->account == 0 && quota->hall == 0) {
        return CP_OK;
    }

    CP_TRY(cp_usage_read(call, key, &account, &hall));
    CP_TRY(check(account - freed, size, quota->account));

    return check(hall - freed, size, quota->hall);
}


cp_code_t
cp_material_change_room(cp_call_t *call, const cp_order_t *order, int64_t kept, int64_t freed, int64_t size)
{
    cp_usage_key_t key = { cp_str_printf(call->arena, "%lld", (long long) order->account), order->hall,
                           order->id % SHARDS };

    if (key.account.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (size > 0) {
        CP_TRY(check_all(call, &key, kept, freed, size));
    }

    return size == freed ? CP_OK : cp_usage_add(call, &key, size - freed);
}
