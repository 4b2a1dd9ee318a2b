/* Reading accounts: for the files of this folder. */
#ifndef CP_ACCOUNT_STORE_H
#define CP_ACCOUNT_STORE_H

#include "account/account.h"

/*
 * The columns of an account `a`, with those of its person `p`, and what such a row begins as: its text and numbers are
 * taken by CP_ACCOUNT_TAKE(account, raw), then cp_account_take() makes the account of them.
 */
#define CP_ACCOUNT_OWN                                                                                                 \
    "a.id, a.public_id, a.phone_sealed, a.password, a.state, a.person_id, a.sign_in_ways, a.sessions_from"
#define CP_ACCOUNT_PERSON  "p.name_sealed, p.id_number_sealed"
#define CP_ACCOUNT_TYPES   "issssiii" "sss"

typedef struct {
    cp_str_t  phone_sealed;
    cp_str_t  state;
    int64_t   ways;
} cp_account_raw_t;

#define CP_ACCOUNT_TAKE(account, raw)                                                                                  \
    &(account)->id, &(account)->public_id, &(raw)->phone_sealed, &(account)->password, &(raw)->state,                  \
    &(account)->person, &(raw)->ways, &(account)->sessions_from, &(account)->sole_unit, &(account)->name_sealed,       \
    &(account)->id_number_sealed

cp_code_t cp_account_take(cp_call_t *call, const cp_account_raw_t *raw, cp_account_t *account);

/* Its row, by a condition with one value of text, or one number. CP_E_NOT_FOUND. */
cp_code_t cp_account_select_text(cp_call_t *call, const char *sql, cp_str_t value, cp_account_t *account);
cp_code_t cp_account_select_id(cp_call_t *call, const char *sql, int64_t id, cp_account_t *account);

/* The blind index of a number. */
cp_code_t cp_account_phone_index(cp_call_t *call, cp_str_t phone, cp_str_t *index);

#endif
