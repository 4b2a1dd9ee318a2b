/*
 * How hard a password is to guess (ASVS 5.0 6.2.4, 6.2.11), by libzxcvbn: its 45,000 common passwords, names and words,
 * keyboard walks, dates, repeats; besides, what is guessed first here, and what is known of the account.
 */
#ifndef CP_PASSWORD_STRENGTH_H
#define CP_PASSWORD_STRENGTH_H

#include "account/account.h"

typedef enum {
    CP_STRENGTH_WEAK,      /* below 2^27 guesses: refused */
    CP_STRENGTH_FAIR,
    CP_STRENGTH_STRONG     /* 2^40 and more */
} cp_strength_t;

typedef struct {
    cp_strength_t  strength;
    bool           common;     /* weak, and among what is tried first, or one single word of that kind */
} cp_password_verdict_t;

#define CP_PASSWORD_CONTEXT  16    /* words at most; more are not looked at */

/*
 * Judges a password of cp_str_is_text(); `context` are texts that an attacker of this very account knows ({0, NULL} is
 * passed over). Only the first 64 characters are looked at, which bounds the work to some milliseconds: what is strong
 * there stays so. CP_E_NO_MEMORY. Safe on any thread; asks nobody.
 */
cp_code_t cp_password_strength(cp_arena_t *arena, cp_str_t password, const cp_str_t *context, size_t count,
                               cp_password_verdict_t *verdict);

/* "weak", "fair", "strong". Static storage. */
const char *cp_strength_word(cp_strength_t strength);

/* What is known of an account: number, logins, the person's name and birthday. Asks the database. */
cp_code_t cp_password_context(cp_call_t *call, const cp_account_t *account, cp_str_t words[CP_PASSWORD_CONTEXT],
                              size_t *count);

/*
 * For operations that set one: marks `field` as CP_F_COMMON or CP_F_WEAK and tells the strength in the problem when it
 * is weak; any mobile number is. `read` is what reading the body ended in, CP_OK or CP_E_INVALID: the password's fault
 * joins the others, and the result is CP_E_INVALID when there is any. A password of {0, NULL} (its own fault was marked)
 * is passed over.
 */
cp_code_t cp_password_judge(cp_call_t *call, cp_code_t read, const char *field, cp_str_t password,
                            const cp_str_t *context, size_t count, cp_strength_t *strength);

/* What is guessed first besides what the library knows, in small letters; the first is guessed first. */
extern const char *const cp_guessed_words[];
extern const size_t      cp_guessed_word_count;

#endif
