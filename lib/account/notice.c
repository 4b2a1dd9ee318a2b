#include "account/notice.h"

#include "call/later.h"
#include "notify/sms.h"

typedef struct {
    cp_notice_t  notice;
    cp_str_t     numbers[2];
} notices_t;

/* What goes into the operator's template; Chinese, as the template is. */
static const char *const events[] = {
    [CP_NOTICE_PHONE_CHANGED] = "绑定的手机号已更换",
    [CP_NOTICE_PHONE_APPLIED] = "有人申请更换绑定的手机号",
    [CP_NOTICE_PHONE_REFUSED] = "更换手机号的申请未通过审核",
    [CP_NOTICE_PASSWORD_RESET] = "登录密码已重置",
    [CP_NOTICE_CLOSED] = "已注销",
    [CP_NOTICE_CERTIFICATE_REVOKED] = "名下的数字证书已吊销",
    [CP_NOTICE_UNIT_ADMINISTRATOR] = "所在单位的管理员已变更",
    [CP_NOTICE_UNIT_REMOVED] = "已被移出所在单位",
    [CP_NOTICE_UNIT_INVITED] = "收到担任单位经办人的邀请",
    [CP_NOTICE_UNIT_ASKED] = "收到加入单位的申请",
    [CP_NOTICE_UNIT_DECIDED] = "加入单位的申请已有结果",
};


void
cp_notice_send(cp_call_t *call, cp_notice_t notice, cp_str_t phone)
{
    if (cp_sms_send_notice(call, phone, events[notice]) != CP_OK) {
        cp_log(CP_LOG_ERROR, "a notice was not sent, request %.*s", (int) call->request_id.len, call->request_id.data);
    }
}


static void
send(cp_call_t *call, void *data)
{
    const notices_t *notices = data;
    size_t           i;

    for (i = 0; i < 2; i++) {
        if (notices->numbers[i].data != NULL) {
            cp_notice_send(call, notices->notice, notices->numbers[i]);
        }
    }
}


cp_code_t
cp_notice_later(cp_call_t *call, cp_notice_t notice, cp_str_t phone, cp_str_t other)
{
    const cp_str_t numbers[] = { phone, other };
    notices_t     *notices;
    size_t         i;

    if (phone.data == NULL && other.data == NULL) {
        return CP_OK;
    }

    notices = cp_later(call, send, sizeof(*notices));
    if (notices == NULL) {
        return CP_E_NO_MEMORY;
    }

    notices->notice = notice;
    for (i = 0; i < 2; i++) {
        if (numbers[i].data == NULL) {
            continue;
        }
        notices->numbers[i] = cp_str_dup(cp_later_arena(call), numbers[i]);
        if (notices->numbers[i].data == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    return CP_OK;
}
