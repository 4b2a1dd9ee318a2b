#ifndef CP_ISSUANCE_RULES_H
#define CP_ISSUANCE_RULES_H

#include "identity/identity.h"

/*
 * What a unit's certificate will say, as JSON in the arena: {"C", "O", "CN", "uscc"}. The names are what was verified,
 * never what a request asks for. {0, NULL} when memory is out. Pure.
 */
cp_str_t cp_issuance_subject(cp_arena_t *arena, const cp_unit_t *unit);

#endif
