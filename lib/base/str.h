/*
 * A counted string and the few operations everything else is made of.
 *
 * A cp_str_t does not own its bytes and need not end in NUL; who does own them is said where it is returned.
 * {0, NULL} stands for "absent" (SQL NULL, header not sent); {0, ""} is an empty value.
 */
#ifndef CP_STR_H
#define CP_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/* The same two members in the same order as the server's own string, so that its configuration parser fills ours. */
typedef struct {
    size_t  len;
    char   *data;
} cp_str_t;

#define CP_STR(literal)   ((cp_str_t) { sizeof(literal) - 1, (char *) (uintptr_t) (literal) })
#define CP_STR_NULL       ((cp_str_t) { 0, NULL })

/* Wraps a NUL-terminated string (NULL gives CP_STR_NULL); the bytes stay the caller's. */
cp_str_t cp_str(const char *text);

/* Wraps `len` bytes at `data`; they stay the caller's. */
cp_str_t cp_str_n(const void *data, size_t len);

bool cp_str_eq(cp_str_t a, cp_str_t b);
bool cp_str_is(cp_str_t a, const char *text);
bool cp_str_starts(cp_str_t s, const char *prefix);

/* Compares without a data-dependent branch: for tokens, codes and digests. Lengths are not secret. */
bool cp_str_eq_secret(cp_str_t a, cp_str_t b);

/* Copies into the arena with a closing NUL that `len` does not count; {0, NULL} when memory is out. */
cp_str_t cp_str_dup(cp_arena_t *arena, cp_str_t s);

/* printf into the arena; the result ends in NUL. {0, NULL} when memory is out. */
cp_str_t cp_str_printf(cp_arena_t *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lower-case hexadecimal of `bytes`, from the arena. */
cp_str_t cp_str_hex(cp_arena_t *arena, cp_str_t bytes);

/* The bytes of a hexadecimal string; false on an odd length or another character. */
bool cp_str_unhex(cp_arena_t *arena, cp_str_t hex, cp_str_t *bytes);

/* RFC 4648 section 4 (standard, padded) and section 5 (URL, not padded). */
cp_str_t cp_str_base64(cp_arena_t *arena, cp_str_t bytes);
cp_str_t cp_str_base64url(cp_arena_t *arena, cp_str_t bytes);

/* The bytes of the standard form, padded and without blanks; false on anything else and when memory is out. */
bool cp_str_unbase64(cp_arena_t *arena, cp_str_t text, cp_str_t *bytes);

/* Whether all characters are of the URL's alphabet. */
bool cp_str_is_base64url(cp_str_t s);

/* Reads a non-negative decimal number of at most 18 digits; false on anything else. */
bool cp_str_number(cp_str_t s, int64_t *value);

/* Bytes of well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without control characters. */
bool cp_str_is_text(cp_str_t s);

/*
 * What somebody typed with full-width characters (U+FF01 to U+FF5E, U+3000) with the ASCII ones that they stand for; and
 * that without spaces and with small ASCII letters, for comparing. From the arena; {0, NULL} when memory is out.
 */
cp_str_t cp_str_narrow(cp_arena_t *arena, cp_str_t s);
cp_str_t cp_str_fold(cp_arena_t *arena, cp_str_t s);

/* Characters (code points) of a string that cp_str_is_text() accepted. */
size_t cp_str_chars(cp_str_t s);

#endif
