/* Somebody asks to act for a unit; its administrator lets them in or not. */
#include "member/member_ops.h"

#include <stddef.h>

#include "account/account.h"
#include "account/notice.h"
#include "audit/audit.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "member/invitation_store.h"
#include "member/member_store.h"
#include "redis/limit.h"

#define OF_ACCOUNT_DAY  10
#define TOLD_DAY        10    /* messages to one administrator */
#define DAY             (24 * 3600)

typedef struct {
    cp_str_t  uscc;
    cp_str_t  name;
} request_t;


/* Codes that fail the check have been issued: whether there is such a unit decides. */
static cp_field_code_t
field_uscc_form(const cp_call_t *call, cp_str_t value)
{
    cp_field_code_t why = cp_field_uscc(call, value);

    return why == CP_F_CHECK_DIGIT ? CP_F_END : why;
}


static const cp_field_t request_fields[] = {
    { "uscc", CP_FIELD_TEXT, true, 1, 40, offsetof(request_t, uscc), field_uscc_form, NULL },
    { "name", CP_FIELD_TEXT, true, 2, 100, offsetof(request_t, name), NULL, NULL },
};


/* The answer tells whether the unit is here: nobody asks after many. */
static cp_code_t
count_request(cp_call_t *call)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_limit_t             limit = { cp_redis_key(redis, call->arena, "request-account", call->who.account_id),
                                     OF_ACCOUNT_DAY, DAY };

    return cp_limit_take(redis, call->arena, &limit, 1, NULL, &call->retry_after_s);
}


/* Others cannot make the administrator's telephone ring all day: the list tells of every request. */
static cp_code_t
tell_administrator(cp_call_t *call, const cp_membership_t *unit)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_limit_t             limit = { cp_redis_key(redis, call->arena, "request-told", unit->unit_id), TOLD_DAY, DAY };
    cp_member_t            administrator;
    cp_code_t              code;
    unsigned               wait_s;

    code = cp_limit_take(redis, call->arena, &limit, 1, NULL, &wait_s);
    if (code == CP_E_RATE_LIMITED) {
        return CP_OK;
    }
    CP_TRY(code);
    CP_TRY(cp_member_administrator(call, unit->unit, &administrator));

    return cp_notice_later(call, CP_NOTICE_UNIT_ASKED, administrator.phone, CP_STR_NULL);
}


static cp_code_t
tell_asker(cp_call_t *call, const cp_joining_t *request)
{
    cp_account_t account;

    CP_TRY(cp_account_by_id(call, request->account, &account));

    return cp_notice_later(call, CP_NOTICE_UNIT_DECIDED, account.phone, CP_STR_NULL);
}


cp_code_t
cp_op_request_create(cp_call_t *call)
{
    request_t       in;
    cp_person_t     person;
    cp_membership_t unit;
    cp_str_t        id;
    int64_t         expires;

    CP_TRY(cp_body_read(call, request_fields, &in));
    CP_TRY(cp_person_of_caller(call, &person));
    CP_TRY(cp_call_replay(call));
    CP_TRY(count_request(call));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_request_unit(call, cp_upper(call->arena, in.uscc), in.name, &unit));
    CP_TRY(cp_request_insert(call, unit.unit, &id, &expires));
    CP_TRY(tell_administrator(call, &unit));
    CP_TRY(cp_audit(call, "unit.request", "unit", unit.unit_id, json_pack("{s:o}", "request", cp_json(id))));

    CP_TRY(cp_answer(call, 201, json_pack("{s:o, s:s, s:o}", "id", cp_json(id), "state", "open", "expires_at",
                                          cp_json_time(call, expires))));

    return cp_call_commit(call);
}


cp_code_t
cp_op_request_list(cp_call_t *call)
{
    json_t *list;

    CP_TRY(cp_requests_json(call, &list));

    return cp_answer(call, 200, json_pack("{s:o}", "requests", list));
}


cp_code_t
cp_op_request_of_unit(cp_call_t *call)
{
    cp_membership_t unit;
    json_t         *list;

    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_NOT, &unit));
    CP_TRY(cp_requests_of_unit_json(call, unit.unit, &list));

    return cp_answer(call, 200, json_pack("{s:o}", "requests", list));
}


cp_code_t
cp_op_request_approve(cp_call_t *call)
{
    cp_membership_t unit;
    cp_joining_t    request;
    cp_code_t       code;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_TO_CHANGE, &unit));
    CP_TRY(cp_request_find(call, unit.unit, call->params[1], &request));
    CP_TRY(cp_request_close(call, request.id, "approved"));
    CP_TRY(tell_asker(call, &request));

    code = cp_member_add(call, unit.unit, request.account);
    if (code != CP_E_ALREADY_EXISTS) {
        CP_TRY(code);
    }
    CP_TRY(cp_audit(call, "unit.join", "unit", unit.unit_id,
                    json_pack("{s:s, s:o, s:o}", "by", "request", "request", cp_json(call->params[1]), "account",
                              cp_json(request.account_id))));

    CP_TRY(cp_answer(call, 200, json_pack("{s:o, s:s}", "account", cp_json(request.account_id), "role", "agent")));

    return cp_call_commit(call);
}


cp_code_t
cp_op_request_refuse(cp_call_t *call)
{
    cp_membership_t unit;
    cp_joining_t    request;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_TO_CHANGE, &unit));
    CP_TRY(cp_request_find(call, unit.unit, call->params[1], &request));
    CP_TRY(cp_request_close(call, request.id, "refused"));
    CP_TRY(tell_asker(call, &request));
    CP_TRY(cp_audit(call, "unit.request_refuse", "unit", unit.unit_id,
                    json_pack("{s:o}", "request", cp_json(call->params[1]))));

    CP_TRY(cp_answer(call, 204, NULL));

    return cp_call_commit(call);
}
