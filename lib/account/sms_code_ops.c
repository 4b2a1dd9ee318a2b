/* Sending codes. */
#include <stddef.h>

#include "account/account.h"
#include "account/account_ops.h"
#include "account/reset.h"
#include "account/sms_code.h"
#include "account/sms_limits.h"
#include "call/fields.h"
#include "captcha/captcha.h"
#include "identity/identity.h"

typedef struct {
    cp_str_t  phone;
    cp_str_t  reset;
    unsigned  purpose;
    cp_str_t  captcha_id;
    cp_str_t  captcha_answer;
} input_t;

static const cp_field_t fields[] = {
    { "phone", CP_FIELD_TEXT, false, 1, 20, offsetof(input_t, phone), cp_field_mobile, NULL },
    { "purpose", CP_FIELD_CHOICE, true, 0, 0, offsetof(input_t, purpose), NULL, cp_sms_purpose_words },
    { "reset", CP_FIELD_TEXT, false, 1, 64, offsetof(input_t, reset), NULL, NULL },
    { "captcha_id", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ID_MAX, offsetof(input_t, captcha_id), NULL, NULL },
    { "captcha_answer", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ANSWER_MAX, offsetof(input_t, captcha_answer), NULL, NULL },
};


/* The number that the caller's account has; one that is given must be the same. */
static cp_code_t
own_number(cp_call_t *call, cp_str_t *phone)
{
    cp_account_t account;

    CP_TRY(cp_account_by_id(call, call->who.account, &account));

    if (account.phone.data == NULL || (phone->data != NULL && !cp_str_eq(*phone, account.phone))) {
        cp_bad_field(call, CP_STR("phone"), account.phone.data == NULL ? CP_F_NOT_SOLD : CP_F_MISMATCH);
        return CP_E_INVALID;
    }
    *phone = account.phone;

    return CP_OK;
}


/* To whom the code goes. */
static cp_code_t
number_of(cp_call_t *call, input_t *in)
{
    if ((in->purpose == CP_SMS_FOR_CONFIRM || in->purpose == CP_SMS_FOR_CHANGE_PHONE) && call->who.account == 0) {
        return CP_E_UNAUTHENTICATED;
    }

    return in->purpose == CP_SMS_FOR_CONFIRM ? own_number(call, &in->phone) : CP_OK;
}


static bool
is_given(cp_call_t *call, const char *name)
{
    const json_t *value = json_object_get(call->input, name);

    return value != NULL && !json_is_null(value);
}


/* The number may be left out where it is the account's own, and must be where a reset says whose it is. */
static cp_code_t
read_input(cp_call_t *call, input_t *in)
{
    cp_code_t code = cp_body_read(call, fields, in);
    bool      reset;

    if (code != CP_OK && code != CP_E_INVALID) {
        return code;
    }

    reset = is_given(call, "reset");
    if (reset && (in->purpose != CP_SMS_FOR_RESET_PASSWORD || is_given(call, "phone"))) {
        cp_bad_field(call, CP_STR("reset"), CP_F_CHOICE);
    } else if (!reset && in->purpose != CP_SMS_FOR_CONFIRM && !is_given(call, "phone")) {
        cp_bad_field(call, CP_STR("phone"), CP_F_REQUIRED);
    }

    return cp_fields_verdict(call);
}


static cp_code_t
check_captcha(cp_call_t *call, const input_t *in, const cp_sms_target_t *target)
{
    bool needed;

    CP_TRY(cp_sms_needs_captcha(call, target, &needed));

    return needed ? cp_captcha_check(call, in->captcha_id, in->captcha_answer) : CP_OK;
}


/* For a reset that was begun, or begins with this; its id is what the code is good for. */
static cp_code_t
send_for_reset(cp_call_t *call, const input_t *in)
{
    cp_reset_t      reset;
    cp_sms_target_t target;
    cp_str_t        masked;
    cp_code_t       code;

    if (in->reset.data == NULL) {
        CP_TRY(cp_sms_target(call, in->phone, &target));
        CP_TRY(check_captcha(call, in, &target));
        code = cp_reset_prepare(call, in->phone, &reset, &masked);
    } else {
        code = cp_reset_find(call, in->reset, &reset);
    }
    if (code == CP_E_NOT_FOUND) {
        cp_bad_field(call, CP_STR("reset"), CP_F_CHOICE);
        return CP_E_INVALID;
    }
    CP_TRY(code);
    CP_TRY(cp_reset_send(call, &reset));
    if (in->reset.data == NULL) {
        CP_TRY(cp_reset_store(call, &reset));
    }

    return cp_answer(call, 202, json_pack("{s:i, s:i, s:i, s:o}", "resend_after", CP_RESET_RESEND_S, "expires_in",
                                          CP_SMS_CODE_LIVE_S, "tries", CP_SMS_CODE_TRIES, "reset", cp_json(reset.id)));
}


cp_code_t
cp_op_sms_code_create(cp_call_t *call)
{
    input_t         in;
    cp_str_t        subject;
    cp_sms_target_t target;
    cp_sms_sent_t   sent;
    json_t         *answer;

    CP_TRY(read_input(call, &in));
    if (in.purpose == CP_SMS_FOR_RESET_PASSWORD) {
        return send_for_reset(call, &in);
    }

    CP_TRY(number_of(call, &in));
    CP_TRY(cp_sms_target(call, in.phone, &target));
    CP_TRY(check_captcha(call, &in, &target));

    /* What serves an account is good for that account alone. */
    subject = in.purpose == CP_SMS_FOR_CONFIRM || in.purpose == CP_SMS_FOR_CHANGE_PHONE ? call->who.account_id
                                                                                        : CP_STR("");
    CP_TRY(cp_sms_code_send_to(call, &target, in.purpose, subject, &sent));
    CP_TRY(cp_sms_code_sent(call, &sent, &answer));

    return cp_answer(call, 202, answer);
}
