/* What happens when memory is out in the cage. */
#ifndef CP_MEMORY_H
#define CP_MEMORY_H

/*
 * From now on the first allocation that is refused calls `out`, which does not return: libraries seldom get their own
 * ways out of it right, and one file is all that is lost. Without effect under AddressSanitizer, which has no limit.
 */
void cp_memory_out(void (*out)(void));

#endif
