/* Members of units in MySQL: for the operations of this folder. */
#ifndef CP_MEMBER_STORE_H
#define CP_MEMBER_STORE_H

#include "member/member.h"

typedef struct {
    int64_t   account;
    cp_str_t  account_id;
    cp_str_t  phone;           /* in clear; shown only masked */
    cp_str_t  name;            /* likewise; {0, NULL}: not verified */
    int64_t   person;          /* 0: not verified */
    bool      active;
    bool      administrator;
    int64_t   since_ms;
} cp_member_t;

/* The unit by row id or public id, held to change who acts for it; CP_E_NOT_FOUND. `administrator` is left out. */
cp_code_t cp_unit_hold(cp_call_t *call, int64_t unit, cp_membership_t *out);
cp_code_t cp_unit_hold_any(cp_call_t *call, cp_str_t unit_id, cp_membership_t *out);

/* One member of a unit, by the account's public id; CP_E_NOT_FOUND. */
cp_code_t cp_member_find(cp_call_t *call, int64_t unit, cp_str_t account_id, cp_member_t *member);

/* The unit's administrator; CP_E_NOT_FOUND where it has none. */
cp_code_t cp_member_administrator(cp_call_t *call, int64_t unit, cp_member_t *member);

/* All members, the administrator first, one by one; CP_E_NOT_FOUND after the last. */
cp_code_t cp_members(cp_call_t *call, int64_t unit, cp_rows_t **rows);
cp_code_t cp_member_next(cp_call_t *call, cp_rows_t *rows, cp_member_t *member);

/* The same as [{account, name, phone, role, since, me}]. The reference is the caller's. */
cp_code_t cp_members_json(cp_call_t *call, int64_t unit, json_t **list);

/* Whether the number is that of a member; takes as long whoever has an account. */
cp_code_t cp_member_has_phone(cp_call_t *call, int64_t unit, cp_str_t phone_index, bool *has);

/* With the unit held: a new agent. CP_E_ALREADY_EXISTS who is a member, CP_E_CONFLICT when there is no room. */
cp_code_t cp_member_add(cp_call_t *call, int64_t unit, int64_t account);

cp_code_t cp_member_delete(cp_call_t *call, int64_t unit, int64_t account);

/* With the unit held: makes `to` the administrator, and `from` (0: nobody was) an agent. */
cp_code_t cp_member_hand_over(cp_call_t *call, int64_t unit, int64_t from, int64_t to);

/* Staff's appointment, for evidence; `from` 0: there was no administrator. */
cp_code_t cp_appointment_insert(cp_call_t *call, int64_t unit, int64_t from, int64_t to, cp_str_t reason);

/* The units of a USCC, for staff: [{id, name, uscc, kind, verified, members}]. The reference is the caller's. */
cp_code_t cp_units_of_uscc(cp_call_t *call, cp_str_t uscc, json_t **list);

#endif
