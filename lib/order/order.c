/* Loading an order for whoever is calling, and making events happen to it. */
#include "order/order.h"

#include <stdlib.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "call/fields.h"
#include "call/operation.h"
#include "certificate/profile.h"
#include "order/order_state.h"
#include "order/order_store.h"


cp_code_t
cp_order_own(cp_call_t *call, cp_str_t no, bool lock, cp_order_t *order)
{
    return call->who.account == 0 ? CP_E_NOT_FOUND : cp_order_find(call, no, call->who.account, lock, order);
}


cp_code_t
cp_order_any(cp_call_t *call, cp_str_t no, bool lock, cp_order_t *order)
{
    return cp_order_find(call, no, 0, lock, order);
}


/* The actors that the caller may be: staff by their roles, the owner, or a program that serves no request. */
static unsigned
actors_of(const cp_call_t *call, const cp_order_t *order)
{
    if (call->who.staff != 0) {
        return cp_order_actors(call->who.roles);
    }
    if (call->who.account != 0) {
        return call->who.account == order->account ? CP_ACTOR_APPLICANT : 0;
    }

    return call->operation == NULL || call->operation->callers == CP_BY_CALLBACK ? CP_ACTOR_SYSTEM : 0;
}


static const cp_order_rule_t *
rule_of(const cp_call_t *call, const cp_order_t *order, cp_order_event_t event)
{
    unsigned actors = actors_of(call, order);

    return actors == 0 ? NULL : cp_order_rule(order->state, event, actors, order->facts);
}


cp_code_t
cp_order_may(cp_call_t *call, const cp_order_t *order, cp_order_event_t event)
{
    return rule_of(call, order, event) == NULL ? CP_E_WRONG_STATE : CP_OK;
}


static cp_code_t
record(cp_call_t *call, const cp_order_t *order, cp_order_event_t event, cp_order_state_t next, cp_str_t reason,
       int64_t now_ms)
{
    const char *from = event == CP_ORDER_ON_CREATE ? NULL : cp_order_state_name(order->state);
    const char *kind = call->who.staff != 0 ? "staff" : call->who.account != 0 ? "applicant" : "system";
    int64_t     actor = call->who.staff != 0 ? call->who.staff : call->who.account;
    cp_str_t    action = cp_str_printf(call->arena, "order.%s", cp_order_event_name(event));

    if (action.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_order_insert_event(call, order, event, from, next, kind, actor, reason, now_ms));

    return cp_audit(call, action.data, "order", order->no,
                    json_pack("{s:s?, s:s, s:I}", "from", from, "to", cp_order_state_name(next), "version",
                              (json_int_t) order->version + (from != NULL)));
}


cp_code_t
cp_order_record_create(cp_call_t *call, const cp_order_t *order)
{
    return record(call, order, CP_ORDER_ON_CREATE, order->state, CP_STR_NULL, order->created_ms);
}


static cp_code_t
apply(cp_call_t *call, cp_order_t *order, cp_order_event_t event, cp_str_t reason)
{
    const cp_order_rule_t *rule = rule_of(call, order, event);
    int64_t                now_ms = cp_now_ms();

    if (rule == NULL) {
        return CP_E_WRONG_STATE;
    }

    CP_TRY(cp_order_update_state(call, order, rule->next, now_ms));
    CP_TRY(record(call, order, event, rule->next, reason, now_ms));

    order->state = rule->next;
    order->updated_ms = now_ms;
    order->version++;

    return CP_OK;
}


cp_code_t
cp_order_apply(cp_call_t *call, cp_order_t *order, cp_order_event_t event, json_t *public_reason)
{
    char     *reason = NULL;
    cp_code_t code;

    if (public_reason != NULL) {
        reason = json_dumps(public_reason, JSON_COMPACT);
        json_decref(public_reason);

        if (reason == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    code = apply(call, order, event, cp_str(reason));
    free(reason);

    return code;
}


json_t *
cp_order_state_json(const cp_order_t *order)
{
    return json_pack("{s:o, s:s, s:I}", "no", cp_json(order->no), "state", cp_order_state_name(order->state), "version",
                     (json_int_t) order->version);
}


void
cp_order_check_name(cp_call_t *call, cp_str_t profile, const cp_unit_t *unit)
{
    if (cp_profile_holds(call->app->profiles, profile, unit->name)) {
        return;
    }

    cp_bad_field(call, CP_STR("unit"), CP_F_TOO_LONG);
    call->bad[call->bad_count - 1].text = call->lang == CP_LANG_EN
                                          ? CP_STR("the unit's name is longer than a certificate can hold")
                                          : CP_STR("单位名称超出证书可容纳的长度，请联系客服");
}
