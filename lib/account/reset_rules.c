#include "account/reset.h"

#include "catalog/catalog.h"

/* How numbers begin that one meets every day. */
static const char *const prefixes[] = {
    "130", "131", "132", "133", "135", "136", "137", "138", "139", "150", "151", "152", "153", "155", "156", "157",
    "158", "159", "166", "173", "175", "176", "177", "178", "180", "181", "182", "183", "185", "186", "187", "188",
};

#define PREFIXES  (sizeof(prefixes) / sizeof(prefixes[0]))


bool
cp_reset_possible(const cp_account_t *account)
{
    return account->active && account->phone.data != NULL && (account->ways & CP_SIGN_IN_SMS) != 0
           && (account->ways & CP_SIGN_IN_PASSWORD) != 0;
}


cp_code_t
cp_reset_pretend(cp_call_t *call, const cp_login_t *login, cp_str_t *masked)
{
    cp_str_t             text, mac;
    const unsigned char *bytes;
    unsigned             tail;

    text = cp_str_printf(call->arena, "%s\n%.*s", cp_login_kind_name(login->kind), (int) login->text.len,
                         login->text.data);
    if (text.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_keyring_mac(call->app->keys, call->arena, "pretended number", text, &mac));

    bytes = (const unsigned char *) mac.data;
    tail = ((unsigned) bytes[1] << 16 | (unsigned) bytes[2] << 8 | bytes[3]) % 10000;
    *masked = cp_str_printf(call->arena, "%s****%04u", prefixes[bytes[0] % PREFIXES], tail);

    return masked->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}
