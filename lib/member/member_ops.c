#include "member/member_ops.h"

#include <stddef.h>

#include "audit/audit.h"
#include "call/fields.h"
#include "member/member_change.h"
#include "member/member_rules.h"
#include "session/session.h"

typedef struct {
    cp_str_t  unit;
} act_for_t;

static const cp_field_t act_for_fields[] = {
    { "unit", CP_FIELD_TEXT, false, 1, 32, offsetof(act_for_t, unit), NULL, NULL },
};

typedef struct {
    cp_str_t  account;
} account_t;

static const cp_field_t account_fields[] = {
    { "account", CP_FIELD_TEXT, true, 1, 32, offsetof(account_t, account), NULL, NULL },
};


/* No unit is asked for by null: a body that forgot it must not mean that. */
static cp_code_t
read_unit(cp_call_t *call, act_for_t *in)
{
    CP_TRY(cp_body_json(call));
    if (json_object_get(call->input, "unit") == NULL) {
        cp_bad_field(call, CP_STR("unit"), CP_F_REQUIRED);
    }

    return cp_body_read(call, act_for_fields, in);
}


cp_code_t
cp_op_session_unit(cp_call_t *call)
{
    act_for_t in;
    cp_code_t code;

    CP_TRY(read_unit(call, &in));
    CP_TRY(cp_call_begin(call));

    code = in.unit.data == NULL ? cp_session_set_unit(call, CP_STR_NULL) : cp_member_act_for(call, in.unit);
    if (code == CP_E_NOT_FOUND) {
        cp_bad_field(call, CP_STR("unit"), CP_F_CHOICE);
        return CP_E_INVALID;
    }
    CP_TRY(code);
    CP_TRY(cp_audit(call, "session.unit", "account", call->who.account_id,
                    json_pack("{s:o}", "unit", cp_json(in.unit))));

    CP_TRY(cp_answer(call, 200, json_pack("{s:o}", "unit", cp_json(call->who.unit_id))));

    return cp_call_commit(call);
}


cp_code_t
cp_op_member_list(cp_call_t *call)
{
    cp_membership_t unit;
    json_t         *members;

    CP_TRY(cp_membership(call, call->params[0], CP_HOLD_NOT, &unit));
    CP_TRY(cp_members_json(call, unit.unit, &members));

    return cp_answer(call, 200, json_pack("{s:o}", "members", members));
}


cp_code_t
cp_op_member_remove(cp_call_t *call)
{
    cp_membership_t unit;
    cp_member_t     member;
    int64_t         orders;
    bool            own;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_membership(call, call->params[0], CP_HOLD_TO_CHANGE, &unit));

    own = cp_str_eq(call->params[1], call->who.account_id);
    CP_TRY(cp_member_removal(unit.administrator, own));
    CP_TRY(cp_member_find(call, unit.unit, call->params[1], &member));

    CP_TRY(cp_answer(call, 204, NULL));
    CP_TRY(cp_member_remove(call, &unit, &member, &orders));
    CP_TRY(cp_audit(call, own ? "unit.leave" : "unit.remove", "unit", unit.unit_id,
                    json_pack("{s:o, s:I}", "account", cp_json(member.account_id), "orders", (json_int_t) orders)));

    return cp_call_commit(call);
}


cp_code_t
cp_op_member_administrator(cp_call_t *call)
{
    account_t       in;
    cp_membership_t unit;
    cp_member_t     old, member;

    CP_TRY(cp_body_read(call, account_fields, &in));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_administration(call, call->params[0], CP_HOLD_TO_CHANGE, &unit));
    CP_TRY(cp_member_administrator(call, unit.unit, &old));
    CP_TRY(cp_member_successor(call, unit.unit, in.account, &member));

    CP_TRY(cp_answer(call, 200, json_pack("{s:o, s:o}", "unit", cp_json(unit.unit_id), "administrator",
                                          cp_json(member.account_id))));
    CP_TRY(cp_member_appoint(call, &unit, &old, &member));
    CP_TRY(cp_audit(call, "unit.administrator", "unit", unit.unit_id,
                    json_pack("{s:o, s:o}", "from", cp_json(old.account_id), "to", cp_json(member.account_id))));

    return cp_call_commit(call);
}
