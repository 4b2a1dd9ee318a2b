/*
 * What an account signs in by: its mobile number, an e-mail address, a user name or a company's name. The form alone
 * tells which, so that no text is two people's login.
 *
 * The number is the account's own column; the others are rows of account_login, at most one of a kind. An address is an
 * alias that its holder chose, in a session that was proved anew: nothing is ever sent to it, so it says nothing about
 * whose mailbox it is.
 */
#ifndef CP_LOGIN_H
#define CP_LOGIN_H

#include "account/account.h"

#define CP_LOGIN_MAX  100    /* characters of any login */

typedef enum {
    CP_LOGIN_PHONE,
    CP_LOGIN_EMAIL,
    CP_LOGIN_USER_NAME,
    CP_LOGIN_COMPANY
} cp_login_kind_t;

typedef struct {
    cp_login_kind_t  kind;
    cp_str_t         text;     /* in the one form that is compared */
} cp_login_t;

/*
 * The kind and one form of what somebody typed (text of cp_str_is_text()): full-width characters as ASCII ones, ASCII
 * letters small, no spaces. It need not be one that can be given out. CP_E_NO_MEMORY. Pure.
 */
cp_code_t cp_login_read(cp_arena_t *arena, cp_str_t typed, cp_login_t *login);

/* "phone", "email", "user_name", "company". Static storage. */
const char *cp_login_kind_name(cp_login_kind_t kind);

/*
 * Checks for tables of fields: a user name, 4 to 32 of a-z 0-9 _ . - beginning with a letter, in either case; a
 * company's name, 4 characters at least, two of them beyond ASCII. Pure.
 */
cp_field_code_t cp_field_user_name(const cp_call_t *call, cp_str_t value);
cp_field_code_t cp_field_company(const cp_call_t *call, cp_str_t value);

/* "z***@example.com"; from the arena. Pure. */
cp_str_t cp_mask_email(cp_arena_t *arena, cp_str_t email);

/* A login as staff see it: number and address masked, of a user name the first character; a company's name. Pure. */
cp_str_t cp_mask_login(cp_arena_t *arena, cp_str_t typed);

/* Blind index of a login: of a number that of the account's column, else that of account_login. */
cp_code_t cp_login_index(cp_call_t *call, const cp_login_t *login, cp_str_t *index);

/* A name for the login in keys of Redis, whether somebody has it or not: tells nothing to who reads it. */
cp_code_t cp_login_key(cp_call_t *call, const cp_login_t *login, cp_str_t *name);

/*
 * The account that a login is of, `typed` as by cp_login_read(). CP_E_NOT_FOUND where it is nobody's, after the same
 * work: then *account is empty but for the row id of some other, by which more of the same work can be done.
 */
cp_code_t cp_account_by_login(cp_call_t *call, cp_str_t typed, cp_account_t *account);

/*
 * Gives the account a login, in place of the one of its kind, in the open transaction; `shown` is kept as it was
 * given. CP_E_ALREADY_EXISTS when another account has it.
 */
cp_code_t cp_login_set(cp_call_t *call, const cp_account_t *account, const cp_login_t *login, cp_str_t shown);

/* Takes it away, in the open transaction; CP_E_NOT_FOUND when it has none of the kind. */
cp_code_t cp_login_remove(cp_call_t *call, const cp_account_t *account, cp_login_kind_t kind);

/* All of an account's, when it is closed. */
cp_code_t cp_login_remove_all(cp_call_t *call, int64_t account);

/* One login of an account, opened; CP_E_NOT_FOUND. */
cp_code_t cp_login_find(cp_call_t *call, int64_t account, cp_login_kind_t kind, cp_str_t *shown, bool *confirmed);

/*
 * Gives a new account the name of a company, not confirmed, in the open transaction. CP_E_ALREADY_EXISTS when another
 * has it: for good when it is confirmed, else for CP_COMPANY_HELD_MS; after that it is taken from the other.
 */
#define CP_COMPANY_HELD_MS  (7 * 24 * 3600 * 1000LL)
cp_code_t cp_company_claim(cp_call_t *call, const cp_account_t *account, const cp_login_t *login, cp_str_t shown);

/*
 * The calling account has proved the organisation of this name: in the open transaction its own login of that name is
 * confirmed, and another's that is not is taken away.
 */
cp_code_t cp_company_proved(cp_call_t *call, cp_str_t name);

/* Gives an account whose holder administers a proved organisation its name, confirmed. CP_E_ALREADY_EXISTS as above. */
cp_code_t cp_company_adopt(cp_call_t *call, const cp_account_t *account, const cp_login_t *login, cp_str_t shown);

/*
 * Adds `email` (masked), `user_name`, `company` ({name, confirmed}), null where there is none; `completion`, what the
 * account lacks before it can apply for anything; and `sign_in_ways`, null where it is not restricted, to what its
 * owner is shown.
 */
cp_code_t cp_login_describe(cp_call_t *call, const cp_account_t *account, json_t *shown);

#endif
