/* The randomness seam: as with the clock, each program defines it. */
#ifndef CP_RANDOM_H
#define CP_RANDOM_H

#include <stddef.h>

#include "str.h"

/* Fills `size` bytes from a CSPRNG; never fails (the system one aborts the process rather than return weak bytes). */
void cp_random(void *bytes, size_t size);

/* A URL-safe identifier of `bytes` random bytes (base64url, from the arena). */
cp_str_t cp_random_id(cp_arena_t *arena, size_t bytes);

/* `digits` (1 to 9) decimal digits, each value equally likely; from the arena. */
cp_str_t cp_random_digits(cp_arena_t *arena, unsigned digits);

#endif
