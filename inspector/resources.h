/*
 * Fonts and character maps for pages that bring none of their own. Opened before the cage closes; in the cage open()
 * finds these files and no others, without a system call that could open anything.
 */
#ifndef CP_RESOURCES_H
#define CP_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>

/* Opens all that fontconfig and poppler may ask for, and says how many. False when out of descriptors or memory. */
bool cp_resources_open(size_t *count);
void cp_resources_close(void);

/* The run of their descriptors; last < first: none. */
void cp_resources_range(int *first, int *last);

/* From now on this process's libraries open resources only. For the child, before it enters the cage. */
void cp_resources_seal(void);

/* The bytes of one of them, mapped for as long as the process lives; NULL where there is none. */
const void *cp_resource_map(const char *path, size_t *size);

#endif
