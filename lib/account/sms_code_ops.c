/* Sending codes. */
#include <stddef.h>

#include "account/account.h"
#include "account/account_ops.h"
#include "account/sms_code.h"
#include "call/fields.h"
#include "identity/identity.h"

typedef struct {
    cp_str_t  phone;
    unsigned  purpose;
    cp_str_t  captcha_id;
    cp_str_t  captcha_answer;
} input_t;

static const cp_field_t fields[] = {
    { "phone", CP_FIELD_TEXT, false, 1, 20, offsetof(input_t, phone), cp_field_mobile, NULL },
    { "purpose", CP_FIELD_CHOICE, true, 0, 0, offsetof(input_t, purpose), NULL, cp_sms_purpose_words },
    { "captcha_id", CP_FIELD_TEXT, false, 1, 64, offsetof(input_t, captcha_id), NULL, NULL },
    { "captcha_answer", CP_FIELD_TEXT, false, 1, 32, offsetof(input_t, captcha_answer), NULL, NULL },
};


/* The number that the caller's account has; one that is given must be the same. */
static cp_code_t
own_number(cp_call_t *call, cp_sms_use_t *use)
{
    cp_account_t account;

    CP_TRY(cp_account_by_id(call, call->who.account, &account));

    if (account.phone.data == NULL || (use->phone.data != NULL && !cp_str_eq(use->phone, account.phone))) {
        cp_bad_field(call, CP_STR("phone"), account.phone.data == NULL ? CP_F_NOT_SOLD : CP_F_MISMATCH);
        return CP_E_INVALID;
    }
    use->phone = account.phone;

    return CP_OK;
}


/* To whom the code goes and what it is bound to. */
static cp_code_t
use_of(cp_call_t *call, const input_t *in, cp_sms_use_t *use)
{
    *use = (cp_sms_use_t) { in->phone, in->purpose, CP_STR_NULL };

    if (in->purpose == CP_SMS_FOR_CONFIRM || in->purpose == CP_SMS_FOR_CHANGE_PHONE) {
        if (call->who.account == 0) {
            return CP_E_UNAUTHENTICATED;
        }
        use->subject = call->who.account_id;
    }

    if (in->purpose == CP_SMS_FOR_CONFIRM) {
        return own_number(call, use);
    }

    if (use->phone.data == NULL) {
        cp_bad_field(call, CP_STR("phone"), CP_F_REQUIRED);
    }

    return cp_fields_verdict(call);
}


cp_code_t
cp_op_sms_code_create(cp_call_t *call)
{
    input_t      in;
    cp_sms_use_t use;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(use_of(call, &in, &use));
    CP_TRY(cp_sms_code_send(call, &use));

    return cp_answer(call, 202, json_pack("{s:i, s:i}", "resend_after", CP_SMS_CODE_RESEND_S, "expires_in",
                                          CP_SMS_CODE_LIVE_S));
}
