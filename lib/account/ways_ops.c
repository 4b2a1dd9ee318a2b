/* By which ways alone one's own account may be signed in to. */
#include <stddef.h>

#include "account/account_change.h"
#include "account/account_ops.h"
#include "base/clock.h"
#include "call/fields.h"
#include "catalog/catalog.h"
#include "certificate/certificate.h"
#include "session/session.h"
#include "session/sign_in.h"

#define WAYS_MAX  8

typedef struct {
    json_t *ways;
} input_t;

static const cp_field_t fields[] = {
    { "ways", CP_FIELD_ARRAY, true, 1, WAYS_MAX, offsetof(input_t, ways), NULL, NULL },
};


static cp_code_t
read_ways(cp_call_t *call, unsigned *ways)
{
    input_t       in;
    const json_t *word;
    unsigned      bit;
    size_t        i;

    CP_TRY(cp_body_read(call, fields, &in));

    *ways = 0;
    json_array_foreach(in.ways, i, word) {
        bit = json_is_string(word) ? cp_word_bit(cp_sign_in_words, cp_str(json_string_value(word))) : 0;
        if (bit == 0 || bit == CP_SIGN_IN_COMPANY) {
            cp_bad_field(call, CP_STR("ways"), json_is_string(word) ? CP_F_CHOICE : CP_F_TYPE);
            return CP_E_INVALID;
        }
        *ways |= bit;
    }

    return CP_OK;
}


/* One of them must be open to who asks, now: else nobody would ever come in again. */
static cp_code_t
check_usable(cp_call_t *call, const cp_account_t *account, unsigned ways)
{
    unsigned usable = 0;
    bool     held;

    CP_TRY(cp_certificate_is_held(call, account->id, cp_now_ms(), &held));

    usable |= account->phone.data != NULL ? CP_SIGN_IN_SMS : 0;
    usable |= account->password.data != NULL ? CP_SIGN_IN_PASSWORD : 0;
    usable |= held ? CP_SIGN_IN_CERTIFICATE | CP_SIGN_IN_CHALLENGE : 0;

    return (usable & ways) != 0 && cp_sign_in_is_offered(call, usable & ways) ? CP_OK : CP_E_CONFLICT;
}


static cp_code_t
set(cp_call_t *call, unsigned ways)
{
    cp_account_t account;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_lock_own(call, &account));
    CP_TRY(check_usable(call, &account, ways));
    CP_TRY(cp_account_set_ways(call, &account, ways));
    CP_TRY(cp_answer(call, 204, NULL));

    /* A way that is ruled out because somebody else had it must not leave their session open. */
    CP_TRY(cp_session_end_others(call));

    return cp_call_commit(call);
}


cp_code_t
cp_op_account_ways(cp_call_t *call)
{
    unsigned ways;

    CP_TRY(read_ways(call, &ways));

    return set(call, ways);
}


cp_code_t
cp_op_account_ways_remove(cp_call_t *call)
{
    return set(call, CP_SIGN_IN_ANY);
}
