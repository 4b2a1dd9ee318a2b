/*
 * Who acts for a unit: one administrator, who proved the unit first or was given it, and agents, who prove it too, are
 * let in by the administrator, or accept an invitation. A unit that no register confirms has agents only.
 *
 * Whoever changes who acts for a unit, and whoever lets a session act for it, holds the unit's row until the
 * transaction ends: so no session acts for a unit whose member its account is no more.
 */
#ifndef CP_MEMBER_H
#define CP_MEMBER_H

#include "call/call.h"

#define CP_MEMBERS_MOST  200    /* of a unit */

/* A unit and what the caller is to it. */
typedef struct {
    int64_t   unit;
    cp_str_t  unit_id;
    cp_str_t  name;
    cp_str_t  uscc;
    bool      administrator;
} cp_membership_t;

typedef enum {
    CP_HOLD_NOT,
    CP_HOLD_SHARED,       /* nobody changes who acts for the unit until the transaction ends */
    CP_HOLD_TO_CHANGE     /* the same, to change it */
} cp_hold_t;

/* The caller's membership of a unit, by public id; CP_E_NOT_FOUND for who acts not for it. */
cp_code_t cp_membership(cp_call_t *call, cp_str_t unit_id, cp_hold_t hold, cp_membership_t *membership);

/* The same where the caller must be the administrator: CP_E_FORBIDDEN for agents. */
cp_code_t cp_administration(cp_call_t *call, cp_str_t unit_id, cp_hold_t hold, cp_membership_t *membership);

/*
 * Ends all memberships and requests of an account that is being closed, in the open transaction. *needed: it is the
 * administrator of a unit that has other members, who would be left without one; then nothing must be committed.
 */
cp_code_t cp_member_leave_all(cp_call_t *call, int64_t account, bool *needed);

#endif
