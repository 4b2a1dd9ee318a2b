/* What every change of who acts for a unit ends in; all of it in the open transaction. */
#ifndef CP_MEMBER_CHANGE_H
#define CP_MEMBER_CHANGE_H

#include "member/member_store.h"

/* Makes the unit the one that the call's session acts for; CP_E_NOT_FOUND who is no member of it. */
cp_code_t cp_member_act_for(cp_call_t *call, cp_str_t unit_id);

/*
 * Ends the account's sessions that act for the unit, the call's own too: its cookie is taken away then. CP_E_REDIS when
 * that cannot be done now: nothing must be committed then.
 */
cp_code_t cp_member_end_sessions(cp_call_t *call, cp_str_t account_id, cp_str_t unit_id);

/*
 * With the unit held to change it: ends a membership. The unit's administrator gets the member's open orders, of which
 * *orders says how many, and the member's sessions that act for the unit end. A member who was removed is told.
 */
cp_code_t cp_member_remove(cp_call_t *call, const cp_membership_t *unit, const cp_member_t *member, int64_t *orders);

/* The same of all members but the caller. */
cp_code_t cp_member_remove_others(cp_call_t *call, int64_t unit);

/*
 * The member who is to be the administrator: another one, who can sign in and is known by name; else `account` is a bad
 * field.
 */
cp_code_t cp_member_successor(cp_call_t *call, int64_t unit, cp_str_t account_id, cp_member_t *member);

/*
 * Makes the member the administrator in place of `old` (NULL: there is none); both are told, and their sessions end as
 * above.
 */
cp_code_t cp_member_appoint(cp_call_t *call, const cp_membership_t *unit, const cp_member_t *old,
                            const cp_member_t *member);

#endif
