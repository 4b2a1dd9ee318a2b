/* The reviewer's side: who applies, whether that is whom the account was verified to be, and the decision. */
#include "account/phone_change.h"

#include <stddef.h>

#include "account/account_change.h"
#include "account/desk_ops.h"
#include "account/notice.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "call/fields.h"
#include "identity/identity.h"
#include "staff/staff.h"

/* The account that is applied for, and who it was verified to be. */
typedef struct {
    bool          known;
    cp_account_t  account;
    bool          verified;
    cp_person_t   person;
    bool          same_name;
    bool          same_id_number;
} holder_t;


static cp_code_t
holder_of(cp_call_t *call, const cp_phone_change_t *change, bool lock, holder_t *holder)
{
    *holder = (holder_t) { .known = change->account != 0 };
    if (!holder->known) {
        return CP_OK;
    }

    CP_TRY(lock ? cp_account_lock(call, change->account, &holder->account)
                : cp_account_by_id(call, change->account, &holder->account));
    holder->verified = holder->account.person != 0;
    if (!holder->verified) {
        return CP_OK;
    }

    CP_TRY(cp_person_by_id(call, holder->account.person, &holder->person));
    holder->same_name = cp_str_eq(holder->person.name, change->name);
    holder->same_id_number = cp_str_eq(holder->person.index, change->id_index);

    return CP_OK;
}


static json_t *
person_json(cp_call_t *call, cp_str_t name, cp_str_t id_number)
{
    return json_pack("{s:o, s:o}", "name", cp_json(cp_mask_name(call->arena, name)), "id_number",
                     cp_json(cp_mask_id_number(call->arena, id_number)));
}


static json_t *
line_json(cp_call_t *call, const cp_phone_change_t *change)
{
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", cp_json(change->public_id), "state",
                     cp_phone_change_state(change, cp_now_ms()), "login",
                     cp_json(cp_mask_login(call->arena, change->login)), "phone",
                     cp_json(cp_mask_phone(call->arena, change->phone)), "created_at",
                     cp_json_time(call, change->created_ms), "expires_at", cp_json_time(call, change->expires_ms),
                     "decided_at", cp_json_time(call, change->decided_ms));
}


static json_t *
account_json(cp_call_t *call, const holder_t *holder)
{
    const cp_account_t *account = &holder->account;

    return !holder->known ? json_null()
           : json_pack("{s:o, s:o, s:b, s:o}", "id", cp_json(account->public_id), "phone",
                       cp_json(cp_mask_phone(call->arena, account->phone)), "active", account->active, "person",
                       holder->verified ? person_json(call, holder->person.name, holder->person.id_number)
                                        : json_null());
}


cp_code_t
cp_op_desk_phone_changes(cp_call_t *call)
{
    static const char *const names[] = { "state", "after", "limit", NULL };

    cp_phone_change_t change;
    cp_page_t         page;
    cp_rows_t        *rows;
    cp_str_t          state;
    json_t           *items;
    int64_t           count = 0, last = 0;

    (void) cp_query_only(call, names);
    (void) cp_query_param(call, "state", &state);
    if (state.data != NULL && cp_word_bit(cp_phone_change_words, state) == 0) {
        cp_bad_field(call, CP_STR("state"), CP_F_CHOICE);
    }
    CP_TRY(cp_page_read(call, "phone-changes", &page));
    CP_TRY(cp_phone_change_page(call, state, &page, &rows));

    items = json_array();
    while (cp_phone_change_next(call, rows, &change) == CP_OK) {
        if (count++ == page.limit) {
            return cp_page_answer(call, "phone-changes", items, last);
        }
        if (json_array_append_new(items, line_json(call, &change)) != 0) {
            json_decref(items);
            return CP_E_NO_MEMORY;
        }
        last = change.id;
    }

    return cp_page_answer(call, "phone-changes", items, 0);
}


cp_code_t
cp_op_desk_phone_change(cp_call_t *call)
{
    cp_phone_change_t change;
    holder_t          holder;
    json_t           *shown;
    int               failed = 0;

    CP_TRY(cp_phone_change_find(call, call->params[0], false, &change));
    CP_TRY(holder_of(call, &change, false, &holder));

    shown = line_json(call, &change);
    failed |= json_object_set_new(shown, "applicant", person_json(call, change.name, change.id_number));
    failed |= json_object_set_new(shown, "reason", cp_json(change.reason));
    failed |= json_object_set_new(shown, "account", account_json(call, &holder));
    failed |= json_object_set_new(shown, "same_name", json_boolean(holder.same_name));
    failed |= json_object_set_new(shown, "same_id_number", json_boolean(holder.same_id_number));
    failed |= json_object_set_new(shown, "public_reason", cp_json(change.public_reason));
    if (failed != 0) {
        json_decref(shown);
        return CP_E_NO_MEMORY;
    }

    return cp_answer(call, 200, shown);
}


/* Nobody decides on their own number, whether they apply or the account is theirs. */
static cp_code_t
check_not_oneself(cp_call_t *call, const cp_phone_change_t *change, const holder_t *holder)
{
    cp_str_t index;

    CP_TRY(cp_staff_person_index(call, &index));

    return index.data != NULL
           && (cp_str_eq(index, change->id_index) || (holder->verified && cp_str_eq(index, holder->person.index)))
           ? CP_E_SAME_PERSON : CP_OK;
}


static cp_code_t
conclude(cp_call_t *call, const char *action, const cp_phone_change_t *change)
{
    CP_TRY(cp_audit(call, action, "phone_change", change->public_id, NULL));
    CP_TRY(cp_answer(call, 200, json_pack("{s:o, s:o}", "id", cp_json(change->public_id), "state",
                                          cp_json(change->state))));

    return cp_call_commit(call);
}


/* Who comes back by another number comes in by any way again: what was ruled out may be what was lost. */
static cp_code_t
hand_over(cp_call_t *call, cp_phone_change_t *change, const cp_account_t *account)
{
    if (!cp_str_eq(account->phone, change->phone)) {
        CP_TRY(cp_account_set_phone(call, account, change->phone));
    }
    if (account->ways != CP_SIGN_IN_ANY) {
        CP_TRY(cp_account_set_ways(call, account, CP_SIGN_IN_ANY));
    }

    CP_TRY(cp_phone_change_decide(call, change, "approved", CP_STR_NULL));
    CP_TRY(cp_phone_change_supersede(call, account->id));
    CP_TRY(cp_notice_later(call, CP_NOTICE_PHONE_CHANGED, account->phone, change->phone));

    return cp_account_end_sessions(call, account);
}


/* Loads it, held; *done when that decision was made before: then it is only answered again. */
static cp_code_t
begin_decision(cp_call_t *call, const char *state, cp_phone_change_t *change, holder_t *holder, bool *done)
{
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_phone_change_find(call, call->params[0], true, change));

    *done = cp_str_is(change->state, state);
    if (!*done && !cp_phone_change_is_open(change, cp_now_ms())) {
        return CP_E_CONFLICT;
    }
    CP_TRY(holder_of(call, change, true, holder));

    return check_not_oneself(call, change, holder);
}


static cp_code_t
answer_again(cp_call_t *call, const cp_phone_change_t *change)
{
    CP_TRY(cp_answer(call, 200, json_pack("{s:o, s:o}", "id", cp_json(change->public_id), "state",
                                          cp_json(change->state))));

    return cp_call_commit(call);
}


cp_code_t
cp_op_desk_phone_change_approve(cp_call_t *call)
{
    cp_phone_change_t change;
    holder_t          holder;
    bool              done;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(begin_decision(call, "approved", &change, &holder, &done));
    if (done) {
        return answer_again(call, &change);
    }

    if (!holder.known || !holder.account.active || !holder.same_name || !holder.same_id_number) {
        return CP_E_CONFLICT;
    }
    CP_TRY(hand_over(call, &change, &holder.account));

    return conclude(call, "phone_change.approve", &change);
}


typedef struct {
    cp_str_t  reason;
} reject_t;

static const cp_field_t reject_fields[] = {
    { "reason", CP_FIELD_TEXT, true, 2, CP_PHONE_CHANGE_REASON, offsetof(reject_t, reason), NULL, NULL },
};


cp_code_t
cp_op_desk_phone_change_reject(cp_call_t *call)
{
    cp_phone_change_t change;
    holder_t          holder;
    reject_t          in;
    bool              done;

    CP_TRY(cp_body_read(call, reject_fields, &in));
    CP_TRY(begin_decision(call, "rejected", &change, &holder, &done));
    if (done) {
        return answer_again(call, &change);
    }

    CP_TRY(cp_phone_change_decide(call, &change, "rejected", in.reason));
    CP_TRY(cp_notice_later(call, CP_NOTICE_PHONE_REFUSED, change.phone, CP_STR_NULL));

    return conclude(call, "phone_change.reject", &change);
}
