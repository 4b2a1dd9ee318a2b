/* Reading accounts: for the files of this folder. */
#ifndef CP_ACCOUNT_STORE_H
#define CP_ACCOUNT_STORE_H

#include "account/account.h"

/* What a query for an account begins with, `a` being the account; then its condition. */
#define CP_ACCOUNT_SELECT                                                                                              \
    "SELECT a.id, a.public_id, a.phone_sealed, a.password, a.state, a.person_id, a.sign_in_ways, a.sessions_from, "    \
    "(SELECT IF(COUNT(*) = 1, MAX(u.public_id), NULL) FROM unit_member m JOIN unit u ON u.id = m.unit_id "             \
    "WHERE m.account_id = a.id) FROM account a "

/* Its row, by a condition with one value of text, or one number. CP_E_NOT_FOUND. */
cp_code_t cp_account_select_text(cp_call_t *call, const char *sql, cp_str_t value, cp_account_t *account);
cp_code_t cp_account_select_id(cp_call_t *call, const char *sql, int64_t id, cp_account_t *account);

/* The blind index of a number. */
cp_code_t cp_account_phone_index(cp_call_t *call, cp_str_t phone, cp_str_t *index);

#endif
