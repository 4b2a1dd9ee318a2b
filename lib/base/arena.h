/*
 * Memory with one lifetime: everything taken from an arena is released at once with it.
 * One arena serves one job on one thread; it has no lock.
 */
#ifndef CP_ARENA_H
#define CP_ARENA_H

#include <stddef.h>

typedef struct cp_arena_s cp_arena_t;

/* A new arena whose blocks are `block_size` bytes (0: 8 KiB); NULL when memory is out. cp_arena_free() releases it. */
cp_arena_t *cp_arena_new(size_t block_size);

/* Releases the arena and all that came from it; accepts NULL. Each block is wiped first: they hold identity data. */
void cp_arena_free(cp_arena_t *arena);

/* `size` bytes aligned for any object, not cleared; NULL when memory is out. */
void *cp_alloc(cp_arena_t *arena, size_t size);

/* `count` objects of `size` bytes, cleared; NULL when memory is out or the product overflows. */
void *cp_calloc(cp_arena_t *arena, size_t count, size_t size);

/* Bytes handed out so far. */
size_t cp_arena_used(const cp_arena_t *arena);

/* For tests: the allocation after the next `n` fails, once, and so does each later one; a negative `n` never fails. */
void cp_arena_fail_after(cp_arena_t *arena, long n);

#endif
