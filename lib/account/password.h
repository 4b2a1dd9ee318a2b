/*
 * Passwords: Argon2id (RFC 9106) with 19 MiB, two passes, one lane, through libsodium. At most CP_PASSWORD_SLOTS are
 * hashed at a time in a process; more are refused, so that sign-ins can neither use up memory nor hold every thread.
 */
#ifndef CP_PASSWORD_H
#define CP_PASSWORD_H

#include "call/call.h"

#define CP_PASSWORD_MIN    8      /* characters */
#define CP_PASSWORD_MAX    128
#define CP_PASSWORD_SLOTS  2

/* The string to store, from the arena. CP_E_BUSY when no slot is free. */
cp_code_t cp_password_hash(cp_arena_t *arena, cp_str_t password, cp_str_t *hash);

/*
 * CP_OK when `hash` is of the password, else CP_E_BAD_CREDENTIALS; CP_E_BUSY as above. A hash of {0, NULL} (no such
 * account, or none was set) is refused after the same work.
 */
cp_code_t cp_password_verify(cp_arena_t *arena, cp_str_t password, cp_str_t hash);

#endif
