/* What of the filled-in parts a reader sees in clear. */
#include <string.h>

#include "account/account.h"
#include "order/order_details.h"

#define OWNER  0x1u
#define STAFF  0x2u

/* "a***@example.cn" */
static cp_str_t
mask_email(cp_arena_t *arena, cp_str_t email)
{
    const char *at = memchr(email.data, '@', email.len);

    if (at == NULL || at == email.data) {
        return CP_STR("***");
    }

    return cp_str_printf(arena, "%c***%.*s", email.data[0], (int) (email.len - (size_t) (at - email.data)), at);
}


static cp_str_t
mask_all(cp_arena_t *arena, cp_str_t text)
{
    (void) arena;
    (void) text;
    return CP_STR("***");
}


/* "****1234" */
static cp_str_t
mask_account(cp_arena_t *arena, cp_str_t account)
{
    if (account.len <= 4) {
        return CP_STR("****");
    }

    return cp_str_printf(arena, "****%.*s", 4, account.data + account.len - 4);
}


static const struct {
    unsigned     readers;    /* from whom it is hidden */
    const char  *part;       /* NULL: the root */
    const char  *field;
    cp_str_t   (*mask)(cp_arena_t *arena, cp_str_t text);
} masks[] = {
    { STAFF,         NULL,       "email",     mask_email },
    { STAFF,         "address",  "street",    mask_all },
    { OWNER | STAFF, "invoice",  "phone",     cp_mask_phone },
    { STAFF,         "invoice",  "email",     mask_email },
    { STAFF,         "invoice",  "account",   mask_account },
    { OWNER | STAFF, "delivery", "phone",     cp_mask_phone },
    { STAFF,         "delivery", "recipient", cp_mask_name },
    { STAFF,         "delivery", "address",   mask_all },
};


cp_code_t
cp_order_mask_details(cp_call_t *call, json_t *details, cp_order_view_t view)
{
    unsigned reader = view == CP_ORDER_FOR_OWNER ? OWNER : STAFF;
    size_t   i;

    for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        json_t  *part = masks[i].part == NULL ? details : json_object_get(details, masks[i].part);
        json_t  *value = json_object_get(part, masks[i].field);
        cp_str_t masked;

        if ((masks[i].readers & reader) == 0 || !json_is_string(value) || json_string_length(value) == 0) {
            continue;
        }

        masked = masks[i].mask(call->arena, cp_str_n(json_string_value(value), json_string_length(value)));
        if (masked.data == NULL || json_object_set_new(part, masks[i].field, cp_json(masked)) != 0) {
            return CP_E_NO_MEMORY;
        }
    }

    return CP_OK;
}
