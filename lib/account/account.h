/* Accounts: a phone number that signs in, and what it may hold. */
#ifndef CP_ACCOUNT_H
#define CP_ACCOUNT_H

#include "call/call.h"

typedef struct {
    int64_t   id;
    cp_str_t  public_id;
    cp_str_t  phone;           /* in clear; shown only masked */
    cp_str_t  password;        /* Argon2id string, or {0, NULL} */
    bool      active;
    int64_t   person;          /* 0: not verified */
    cp_str_t  sole_unit;       /* public id of the unit that it acts for where there is exactly one, else {0, NULL} */
} cp_account_t;

/* Found by phone, by id; CP_E_NOT_FOUND. */
cp_code_t cp_account_by_phone(cp_call_t *call, cp_str_t phone, cp_account_t *account);
cp_code_t cp_account_by_id(cp_call_t *call, int64_t id, cp_account_t *account);

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

/* "138****8000", "110***********002X", "张*": for answers; from the arena. Pure. */
cp_str_t cp_mask_phone(cp_arena_t *arena, cp_str_t phone);
cp_str_t cp_mask_id_number(cp_arena_t *arena, cp_str_t id_number);
cp_str_t cp_mask_name(cp_arena_t *arena, cp_str_t name);

#endif
