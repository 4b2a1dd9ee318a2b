/* Whether the store still has what it was given: after a crash, a restored backup, a moved disk. */
#ifndef CP_MATERIAL_CHECK_H
#define CP_MATERIAL_CHECK_H

#include "call/app.h"

/*
 * Reads every file that a material or a voucher needs, and their copies: that it is there, opens with its row's key, has
 * its size and its digest. *files counts them, *damaged those of which that is not so (each logged as an alert), also on
 * an error: CP_E_DATABASE, CP_E_STORE, CP_E_NO_MEMORY. For an operator's program: it uses this thread's connection with
 * arenas of its own, so results taken before are gone.
 */
cp_code_t cp_material_check(const cp_app_t *app, int64_t *files, int64_t *damaged);

#endif
