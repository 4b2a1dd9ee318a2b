/* The administrator invites the holder of a number; whoever signs in with that number accepts or refuses. */
#include "member/member_ops.h"

#include <stddef.h>

#include "account/notice.h"
#include "audit/audit.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "member/invitation_store.h"
#include "member/member_store.h"
#include "redis/limit.h"

#define OF_ACCOUNT_DAY  30
#define TO_NUMBER_DAY   5
#define DAY             (24 * 3600)

typedef struct {
    cp_str_t  phone;
} invite_t;

static const cp_field_t invite_fields[] = {
    { "phone", CP_FIELD_TEXT, true, 1, 20, offsetof(invite_t, phone), cp_field_mobile, NULL },
};


/* Strangers are told of a unit that they may not know: not too often. */
static cp_code_t
count_invitation(cp_call_t *call, cp_str_t index)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_limit_t             limits[2] = {
        { cp_redis_key(redis, call->arena, "invite-account", call->who.account_id), OF_ACCOUNT_DAY, DAY },
        { cp_redis_key(redis, call->arena, "invite-number", cp_str_hex(call->arena, index)), TO_NUMBER_DAY, DAY },
    };

    return cp_limit_take(redis, call->arena, limits, 2, NULL, &call->retry_after_s);
}


/* Nothing here depends on whether the number has an account. */
cp_code_t
cp_op_invitation_create(cp_call_t *call)
{
    invite_t        in;
    cp_membership_t unit;
    cp_str_t        index, id;
    int64_t         expires;
    bool            is_member;

    CP_TRY(cp_body_read(call, invite_fields, &in));
    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_NOT, &unit));
    CP_TRY(cp_call_replay(call));
    CP_TRY(cp_invitation_index(call, in.phone, &index));
    CP_TRY(count_invitation(call, index));

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_SHARED, &unit));
    CP_TRY(cp_member_has_phone(call, unit.unit, index, &is_member));
    if (is_member) {
        return CP_E_ALREADY_EXISTS;
    }

    CP_TRY(cp_invitation_insert(call, unit.unit, in.phone, index, &id, &expires));
    CP_TRY(cp_notice_later(call, CP_NOTICE_UNIT_INVITED, in.phone, CP_STR_NULL));
    CP_TRY(cp_audit(call, "unit.invite", "unit", unit.unit_id, json_pack("{s:o}", "invitation", cp_json(id))));

    CP_TRY(cp_answer(call, 201, json_pack("{s:o, s:o}", "id", cp_json(id), "expires_at", cp_json_time(call, expires))));

    return cp_call_commit(call);
}


cp_code_t
cp_op_invitation_of_unit(cp_call_t *call)
{
    cp_membership_t unit;
    json_t         *list;

    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_NOT, &unit));
    CP_TRY(cp_invitations_of_unit_json(call, unit.unit, &list));

    return cp_answer(call, 200, json_pack("{s:o}", "invitations", list));
}


cp_code_t
cp_op_invitation_withdraw(cp_call_t *call)
{
    cp_membership_t unit;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_TO_CHANGE, &unit));
    CP_TRY(cp_invitation_withdraw(call, unit.unit, call->params[1]));
    CP_TRY(cp_audit(call, "unit.invite_withdraw", "unit", unit.unit_id,
                    json_pack("{s:o}", "invitation", cp_json(call->params[1]))));

    CP_TRY(cp_answer(call, 204, NULL));

    return cp_call_commit(call);
}


cp_code_t
cp_op_invitation_list(cp_call_t *call)
{
    json_t *list;

    CP_TRY(cp_invitations_json(call, &list));

    return cp_answer(call, 200, json_pack("{s:o}", "invitations", list));
}


/* The invitation and its unit, which is held: others that are decided on at the same time wait. */
static cp_code_t
take_invitation(cp_call_t *call, const char *state, cp_membership_t *unit)
{
    cp_joining_t invitation;

    CP_TRY(cp_invitation_find(call, call->params[0], &invitation));
    CP_TRY(cp_unit_hold(call, invitation.unit, unit));

    return cp_invitation_close(call, invitation.id, state);
}


/* Nobody acts for a unit who is not known by name. Who became a member meanwhile has lost nothing. */
cp_code_t
cp_op_invitation_accept(cp_call_t *call)
{
    cp_membership_t unit;
    cp_person_t     person;
    cp_code_t       code;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_person_of_caller(call, &person));

    CP_TRY(cp_call_begin(call));
    CP_TRY(take_invitation(call, "accepted", &unit));

    code = cp_member_add(call, unit.unit, call->who.account);
    if (code != CP_E_ALREADY_EXISTS) {
        CP_TRY(code);
    }
    CP_TRY(cp_audit(call, "unit.join", "unit", unit.unit_id,
                    json_pack("{s:s, s:o}", "by", "invitation", "invitation", cp_json(call->params[0]))));

    CP_TRY(cp_answer(call, 200, json_pack("{s:o, s:s}", "unit", cp_json(unit.unit_id), "role", "agent")));

    return cp_call_commit(call);
}


cp_code_t
cp_op_invitation_refuse(cp_call_t *call)
{
    cp_membership_t unit;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_begin(call));
    CP_TRY(take_invitation(call, "refused", &unit));
    CP_TRY(cp_audit(call, "unit.invite_refuse", "unit", unit.unit_id,
                    json_pack("{s:o}", "invitation", cp_json(call->params[0]))));

    CP_TRY(cp_answer(call, 204, NULL));

    return cp_call_commit(call);
}
