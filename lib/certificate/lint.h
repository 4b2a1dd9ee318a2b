/*
 * The last look at to-be-signed bytes before the key is used: they are read back and compared with the profile and with
 * what was verified, by code that shares nothing with what wrote them but the reading of DER.
 */
#ifndef CP_LINT_H
#define CP_LINT_H

#include "certificate/tbs.h"

typedef struct {
    const cp_tbs_t *expected;        /* all of it but not_before_ms */
    int64_t         earliest_ms;     /* notBefore lies between these two, both included */
    int64_t         latest_ms;
} cp_lint_t;

/* NULL when the bytes may be signed, else what is wrong (static text). */
const char *cp_lint(cp_str_t tbs, const cp_lint_t *lint, cp_arena_t *arena);

#endif
