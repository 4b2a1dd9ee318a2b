/* What staff do about a unit whose administrator is lost. */
#include "member/member_ops.h"

#include <stddef.h>

#include "audit/audit.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "member/member_change.h"

typedef struct {
    cp_str_t  account;
    cp_str_t  reason;
} appoint_t;

static const cp_field_t appoint_fields[] = {
    { "account", CP_FIELD_TEXT, true, 1, 32, offsetof(appoint_t, account), NULL, NULL },
    { "reason", CP_FIELD_TEXT, true, 1, 400, offsetof(appoint_t, reason), NULL, NULL },
};


cp_code_t
cp_op_desk_units(cp_call_t *call)
{
    static const char *const names[] = { "uscc", NULL };

    cp_str_t        uscc;
    cp_field_code_t why;
    json_t         *units;

    (void) cp_query_only(call, names);
    (void) cp_query_param(call, "uscc", &uscc);

    /* A code that fails the check may have been issued. */
    why = uscc.data == NULL ? CP_F_REQUIRED : cp_field_uscc(call, uscc);
    if (why != CP_F_END && why != CP_F_CHECK_DIGIT) {
        cp_bad_field(call, CP_STR("uscc"), why);
    }
    if (call->bad_count != 0) {
        return CP_E_BAD_QUERY;
    }

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_units_of_uscc(call, cp_upper(call->arena, uscc), &units));

    return cp_answer(call, 200, json_pack("{s:o}", "units", units));
}


cp_code_t
cp_op_desk_administrator(cp_call_t *call)
{
    appoint_t       in;
    cp_membership_t unit;
    cp_member_t     old, member;
    cp_code_t       code;
    bool            vacant;

    CP_TRY(cp_body_read(call, appoint_fields, &in));
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_unit_hold_any(call, call->params[0], &unit));

    code = cp_member_administrator(call, unit.unit, &old);
    vacant = code == CP_E_NOT_FOUND;
    if (!vacant) {
        CP_TRY(code);
    }
    CP_TRY(cp_member_successor(call, unit.unit, in.account, &member));

    CP_TRY(cp_answer(call, 200, json_pack("{s:o, s:o}", "unit", cp_json(unit.unit_id), "administrator",
                                          cp_json(member.account_id))));
    CP_TRY(cp_member_appoint(call, &unit, vacant ? NULL : &old, &member));
    CP_TRY(cp_appointment_insert(call, unit.unit, vacant ? 0 : old.account, member.account, in.reason));
    CP_TRY(cp_audit(call, "unit.administrator", "unit", unit.unit_id,
                    json_pack("{s:o, s:o}", "from", cp_json(vacant ? CP_STR_NULL : old.account_id), "to",
                              cp_json(member.account_id))));

    return cp_call_commit(call);
}
