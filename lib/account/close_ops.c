/* The end of one's own account. */
#include "account/account_change.h"
#include "account/account_ops.h"
#include "account/notice.h"
#include "base/clock.h"
#include "call/fields.h"
#include "certificate/certificate.h"
#include "member/member.h"
#include "order/order.h"
#include "session/session.h"


/* What has to be brought to its end before, all of it at once. */
static cp_code_t
check_nothing_open(cp_call_t *call, const cp_account_t *account, bool units)
{
    bool    orders, certificates;
    json_t *list;

    CP_TRY(cp_order_is_any_open(call, account->id, &orders));
    CP_TRY(cp_certificate_is_held(call, account->id, cp_now_ms(), &certificates));

    if (!orders && !certificates && !units) {
        return CP_OK;
    }

    list = json_array();
    if (orders) {
        json_array_append_new(list, json_string("orders"));
    }
    if (certificates) {
        json_array_append_new(list, json_string("certificates"));
    }
    if (units) {
        json_array_append_new(list, json_string("units"));
    }
    cp_problem(call, "open", list);

    return CP_E_CONFLICT;
}


cp_code_t
cp_op_account_close(cp_call_t *call)
{
    cp_account_t account;
    bool         needed;

    CP_TRY(cp_body_nothing(call));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_account_lock_own(call, &account));
    CP_TRY(cp_member_leave_all(call, account.id, &needed));
    CP_TRY(check_nothing_open(call, &account, needed));
    CP_TRY(cp_account_close(call, &account, "holder"));
    CP_TRY(cp_notice_later(call, CP_NOTICE_CLOSED, account.phone, CP_STR_NULL));
    CP_TRY(cp_answer(call, 204, NULL));
    CP_TRY(cp_session_end(call));

    return cp_call_commit(call);
}
