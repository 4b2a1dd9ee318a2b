/* The rules of memberships that need nothing but values. */
#ifndef CP_MEMBER_RULES_H
#define CP_MEMBER_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Whether a member may end a membership: agents their own, the administrator any agent's. CP_E_FORBIDDEN where an agent
 * would remove another; CP_E_CONFLICT where the administrator would leave without handing over.
 */
cp_code_t cp_member_removal(bool administrator, bool own);

/* Whether so many members leave room for one more: CP_OK or CP_E_CONFLICT. */
cp_code_t cp_member_room(int64_t members);

#endif
