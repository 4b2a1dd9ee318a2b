#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>

static void (*out_of_memory)(void);


void
cp_memory_out(void (*out)(void))
{
    out_of_memory = out;
}


#ifndef __SANITIZE_ADDRESS__

/* glibc's own, under the names that it offers to programs that replace malloc() (GNU C Library manual, 3.2.5). */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);


static void *
checked(void *memory, bool wanted)
{
    if (memory == NULL && wanted && out_of_memory != NULL) {
        out_of_memory();
    }

    return memory;
}


void *
malloc(size_t size)
{
    return checked(__libc_malloc(size), true);
}


void *
calloc(size_t count, size_t size)
{
    return checked(__libc_calloc(count, size), true);
}


void *
realloc(void *old, size_t size)
{
    return checked(__libc_realloc(old, size), size != 0);
}

#endif
