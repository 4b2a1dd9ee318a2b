/* Invitations and requests to act for a unit, in MySQL. Both are open until they are decided or lapse. */
#ifndef CP_INVITATION_STORE_H
#define CP_INVITATION_STORE_H

#include "member/member.h"

#define CP_INVITATION_LIVE_MS  (7 * 24 * 3600 * 1000LL)
#define CP_REQUEST_LIVE_MS     (30 * 24 * 3600 * 1000LL)

/* An open invitation or request. */
typedef struct {
    int64_t   id;
    int64_t   unit;
    int64_t   account;    /* who asks; 0 of an invitation */
    cp_str_t  account_id;
} cp_joining_t;

/* What a number goes by, in accounts too. */
cp_code_t cp_invitation_index(cp_call_t *call, cp_str_t phone, cp_str_t *index);

/* In the open transaction. CP_E_DUPLICATE when the number has an open invitation of the unit. */
cp_code_t cp_invitation_insert(cp_call_t *call, int64_t unit, cp_str_t phone, cp_str_t index, cp_str_t *public_id,
                               int64_t *expires_ms);

/* An open invitation to the caller's number; CP_E_NOT_FOUND for others'. */
cp_code_t cp_invitation_find(cp_call_t *call, cp_str_t public_id, cp_joining_t *invitation);

/* Closes it in a state ("accepted", "refused", "withdrawn"); CP_E_NOT_FOUND when it is not open any more. */
cp_code_t cp_invitation_close(cp_call_t *call, int64_t id, const char *state);

/* The same by the unit and the public id, "withdrawn". */
cp_code_t cp_invitation_withdraw(cp_call_t *call, int64_t unit, cp_str_t public_id);

/* The open ones to the caller's number, newest first, and those of a unit: at most 100. New references. */
cp_code_t cp_invitations_json(cp_call_t *call, json_t **list);
cp_code_t cp_invitations_of_unit_json(cp_call_t *call, int64_t unit, json_t **list);

/* A unit that can be asked: it has an administrator. CP_E_NOT_FOUND, also when name and USCC do not belong together. */
cp_code_t cp_request_unit(cp_call_t *call, cp_str_t uscc, cp_str_t name, cp_membership_t *unit);

/* In the open transaction. CP_E_DUPLICATE when the caller has an open request to the unit. */
cp_code_t cp_request_insert(cp_call_t *call, int64_t unit, cp_str_t *public_id, int64_t *expires_ms);

/* An open request to the unit; CP_E_NOT_FOUND for others'. */
cp_code_t cp_request_find(cp_call_t *call, int64_t unit, cp_str_t public_id, cp_joining_t *request);

/* Closes it in a state ("approved", "refused"). */
cp_code_t cp_request_close(cp_call_t *call, int64_t id, const char *state);

/* The caller's own, newest first, and the open ones to a unit, oldest first: at most 100. New references. */
cp_code_t cp_requests_json(cp_call_t *call, json_t **list);
cp_code_t cp_requests_of_unit_json(cp_call_t *call, int64_t unit, json_t **list);

#endif
