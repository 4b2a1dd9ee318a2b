#include "member/member_change.h"

#include "account/notice.h"
#include "audit/audit.h"
#include "identity/identity.h"
#include "order/order.h"
#include "session/session.h"


cp_code_t
cp_member_act_for(cp_call_t *call, cp_str_t unit_id)
{
    cp_membership_t membership;

    CP_TRY(cp_membership(call, unit_id, CP_HOLD_SHARED, &membership));

    return cp_session_set_unit(call, membership.unit_id);
}


static bool
acts_for(const cp_principal_t *who, const void *unit_id)
{
    return cp_str_eq(who->unit_id, *(const cp_str_t *) unit_id);
}


cp_code_t
cp_member_end_sessions(cp_call_t *call, cp_str_t account_id, cp_str_t unit_id)
{
    CP_TRY(cp_session_end_matching(call, account_id, acts_for, &unit_id));

    return cp_str_eq(account_id, call->who.account_id) && acts_for(&call->who, &unit_id) ? cp_session_end(call) : CP_OK;
}


/* Without an administrator nobody can go on with the orders: they stay where they are, and nobody sees them. */
static cp_code_t
hand_over_orders(cp_call_t *call, const cp_membership_t *unit, const cp_member_t *member, int64_t *orders)
{
    cp_member_t administrator;
    cp_person_t agent;
    cp_code_t   code;

    *orders = 0;

    code = cp_member_administrator(call, unit->unit, &administrator);
    if (code == CP_E_NOT_FOUND || (code == CP_OK && administrator.person == 0)) {
        return CP_OK;
    }
    CP_TRY(code);
    CP_TRY(cp_person_by_id(call, administrator.person, &agent));

    return cp_order_hand_over(call, unit->unit, member->account, administrator.account, &agent, orders);
}


cp_code_t
cp_member_remove(cp_call_t *call, const cp_membership_t *unit, const cp_member_t *member, int64_t *orders)
{
    CP_TRY(cp_member_delete(call, unit->unit, member->account));
    CP_TRY(hand_over_orders(call, unit, member, orders));
    if (member->account != call->who.account) {
        CP_TRY(cp_notice_later(call, CP_NOTICE_UNIT_REMOVED, member->phone, CP_STR_NULL));
    }

    return cp_member_end_sessions(call, member->account_id, unit->unit_id);
}


cp_code_t
cp_member_remove_others(cp_call_t *call, int64_t unit)
{
    cp_membership_t held;
    cp_member_t     member;
    cp_rows_t      *rows;
    cp_code_t       code;
    int64_t         orders;

    CP_TRY(cp_unit_hold(call, unit, &held));
    CP_TRY(cp_members(call, unit, &rows));

    while ((code = cp_member_next(call, rows, &member)) == CP_OK) {
        if (member.account == call->who.account) {
            continue;
        }
        CP_TRY(cp_member_remove(call, &held, &member, &orders));
        CP_TRY(cp_audit(call, "unit.remove", "unit", held.unit_id,
                        json_pack("{s:o, s:I, s:s}", "account", cp_json(member.account_id), "orders",
                                  (json_int_t) orders, "why", "disproved")));
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


cp_code_t
cp_member_successor(cp_call_t *call, int64_t unit, cp_str_t account_id, cp_member_t *member)
{
    cp_code_t code = cp_member_find(call, unit, account_id, member);

    if (code == CP_E_NOT_FOUND
        || (code == CP_OK && (member->administrator || !member->active || member->person == 0)))
    {
        cp_bad_field(call, CP_STR("account"), CP_F_CHOICE);
        return CP_E_INVALID;
    }

    return code;
}


cp_code_t
cp_member_appoint(cp_call_t *call, const cp_membership_t *unit, const cp_member_t *old, const cp_member_t *member)
{
    CP_TRY(cp_member_hand_over(call, unit->unit, old == NULL ? 0 : old->account, member->account));
    CP_TRY(cp_notice_later(call, CP_NOTICE_UNIT_ADMINISTRATOR, member->phone, old == NULL ? CP_STR_NULL : old->phone));
    CP_TRY(cp_member_end_sessions(call, member->account_id, unit->unit_id));

    return old == NULL ? CP_OK : cp_member_end_sessions(call, old->account_id, unit->unit_id);
}
