/* Another number for one's own account, in a session that was proved anew. */
#include <stddef.h>

#include "account/account_change.h"
#include "account/account_ops.h"
#include "account/notice.h"
#include "account/sms_code.h"
#include "audit/audit.h"
#include "base/metric.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "session/session.h"

typedef struct {
    cp_str_t  phone;
    cp_str_t  code;
} input_t;

static const cp_field_t fields[] = {
    { "phone", CP_FIELD_TEXT, true, 1, 20, offsetof(input_t, phone), cp_field_mobile, NULL },
    { "code", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, code), NULL, NULL },
};


/* Whose number it is is told to who has shown to be its holder, and to nobody else. */
static cp_code_t
check_code(cp_call_t *call, const input_t *in, cp_limit_code_t *code)
{
    cp_code_t result;

    CP_TRY(cp_sms_code_claim(call, in->phone, CP_SMS_FOR_CHANGE_PHONE, call->who.account_id, in->code, code));
    CP_TRY(cp_call_db(call));

    result = cp_limit_look(&call->app->redis, call->arena, code);
    if (result == CP_E_BAD_CODE) {
        CP_TRY(cp_audit(call, "account.phone.refuse", "account", call->who.account_id, NULL));
        cp_sms_code_refused(call, code);
    }

    return result;
}


cp_code_t
cp_op_account_phone(cp_call_t *call)
{
    input_t         in;
    cp_account_t    account;
    cp_limit_code_t code;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(check_code(call, &in, &code));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_lock_own(call, &account));
    if (!cp_str_eq(in.phone, account.phone)) {
        CP_TRY(cp_account_set_phone(call, &account, in.phone));
        CP_TRY(cp_session_end_others(call));
        CP_TRY(cp_notice_later(call, CP_NOTICE_PHONE_CHANGED, account.phone, CP_STR_NULL));
    }
    CP_TRY(cp_answer(call, 204, NULL));

    CP_TRY(cp_limit_redeem(&call->app->redis, call->arena, &code));
    CP_TRY(cp_call_commit(call));

    cp_metric(CP_METRIC_SMS_RETURNED);

    return CP_OK;
}
