/* Accounts: who signs in, by which ways, and what they hold. Their logins besides the phone number are in login.h. */
#ifndef CP_ACCOUNT_H
#define CP_ACCOUNT_H

#include "call/call.h"

typedef struct {
    int64_t   id;
    cp_str_t  public_id;
    cp_str_t  phone;           /* in clear; shown only masked; {0, NULL}: none yet, registered by a company's name */
    cp_str_t  password;        /* Argon2id string, or {0, NULL} */
    bool      active;
    bool      closed;          /* for good */
    int64_t   person;          /* 0: not verified */
    unsigned  ways;            /* CP_SIGN_IN_…: by which it may sign in, CP_SIGN_IN_ANY unless its holder chose */
    int64_t   sessions_from;   /* ms: sessions begun before it are over */
    cp_str_t  sole_unit;       /* public id of the unit that it acts for where there is exactly one, else {0, NULL} */
    cp_str_t  name_sealed;     /* of the person; {0, NULL} also where it was not read: see cp_account_json() */
    cp_str_t  id_number_sealed;
} cp_account_t;

#define CP_SIGN_IN_ANY  0xffffffffu

/* Found by phone, by id; CP_E_NOT_FOUND. */
cp_code_t cp_account_by_phone(cp_call_t *call, cp_str_t phone, cp_account_t *account);
cp_code_t cp_account_by_id(cp_call_t *call, int64_t id, cp_account_t *account);

/* By id, held until the open transaction ends. */
cp_code_t cp_account_lock(cp_call_t *call, int64_t id, cp_account_t *account);

/* The caller's own likewise; CP_E_UNAUTHENTICATED when it was disabled or closed since the call began. */
cp_code_t cp_account_lock_own(cp_call_t *call, cp_account_t *account);

/*
 * Whether the account still lets the call's session in: CP_E_UNAUTHENTICATED when it is disabled or closed, or ended
 * all sessions after this one began. The database is asked, so that no session outlives that which Redis forgot to end.
 */
cp_code_t cp_account_admit(cp_call_t *call);

/*
 * Whether an account that was read before still is active and has ended no sessions since: CP_E_UNAUTHENTICATED when
 * not. For a sign-in, whose session may be too late to be ended by whoever resets the password meanwhile.
 */
cp_code_t cp_account_still(cp_call_t *call, const cp_account_t *account);

/*
 * A new account in the open transaction, with its record; phone and password may be {0, NULL}. CP_E_DUPLICATE when the
 * number has one.
 */
cp_code_t cp_account_insert(cp_call_t *call, cp_str_t phone, cp_str_t password, cp_account_t *account);

/* The account of the phone, made at first use (two at once give one). Runs its own transaction. */
cp_code_t cp_account_register(cp_call_t *call, cp_str_t phone, cp_account_t *account);

/*
 * Sets the password string in the open transaction, if it still is account->password; CP_E_CONFLICT when it was
 * changed meanwhile.
 */
cp_code_t cp_account_set_password(cp_call_t *call, const cp_account_t *account, cp_str_t password);

/*
 * Binds the account to a person in the open transaction. The same person again is CP_OK; CP_E_ALREADY_EXISTS when it
 * was bound to another.
 */
cp_code_t cp_account_set_person(cp_call_t *call, int64_t account, int64_t person);

/* What the owner sees of it: id, masked phone, has_password, person. The reference is the caller's. */
cp_code_t cp_account_json(cp_call_t *call, const cp_account_t *account, json_t **json);

/* "138****8000", "110***********002X", "张*": for answers; from the arena; of {0, NULL} it is that. Pure. */
cp_str_t cp_mask_phone(cp_arena_t *arena, cp_str_t phone);
cp_str_t cp_mask_id_number(cp_arena_t *arena, cp_str_t id_number);
cp_str_t cp_mask_name(cp_arena_t *arena, cp_str_t name);

#endif
