#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BLOCK  8192u
#define ALIGNMENT      _Alignof(max_align_t)

typedef struct block_s {
    struct block_s *next;
    size_t          size;
    size_t          used;
    max_align_t     data[];
} block_t;

struct cp_arena_s {
    block_t *blocks;
    size_t   block_size;
    size_t   used;
    long     fail_after;
};


static block_t *
block_new(size_t size)
{
    block_t *block;

    block = malloc(sizeof(block_t) + size);
    if (block == NULL) {
        return NULL;
    }

    block->next = NULL;
    block->size = size;
    block->used = 0;

    return block;
}


cp_arena_t *
cp_arena_new(size_t block_size)
{
    cp_arena_t *arena;

    arena = malloc(sizeof(cp_arena_t));
    if (arena == NULL) {
        return NULL;
    }

    arena->blocks = NULL;
    arena->block_size = block_size ? block_size : DEFAULT_BLOCK;
    arena->used = 0;
    arena->fail_after = -1;

    return arena;
}


void
cp_arena_free(cp_arena_t *arena)
{
    block_t *block, *next;

    if (arena == NULL) {
        return;
    }

    for (block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        explicit_bzero(block->data, block->used);
        free(block);
    }

    free(arena);
}


/* Large objects get a block of their own behind the current one, so that its rest stays in use. */
static block_t *
block_for(cp_arena_t *arena, size_t size)
{
    block_t *block = arena->blocks;

    if (block != NULL && block->size - block->used >= size) {
        return block;
    }

    if (size > arena->block_size / 4 && block != NULL) {
        block = block_new(size);
        if (block != NULL) {
            block->next = arena->blocks->next;
            arena->blocks->next = block;
        }
        return block;
    }

    block = block_new(size > arena->block_size ? size : arena->block_size);
    if (block != NULL) {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}


void *
cp_alloc(cp_arena_t *arena, size_t size)
{
    block_t *block;
    void    *p;

    if (size > SIZE_MAX / 2) {
        return NULL;
    }

    if (arena->fail_after == 0) {
        return NULL;
    }
    if (arena->fail_after > 0) {
        arena->fail_after--;
    }

    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    block = block_for(arena, size);
    if (block == NULL) {
        return NULL;
    }

    p = (char *) block->data + block->used;
    block->used += size;
    arena->used += size;

    return p;
}


void *
cp_calloc(cp_arena_t *arena, size_t count, size_t size)
{
    void   *p;
    size_t  total;

    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }

    p = cp_alloc(arena, total);
    if (p != NULL) {
        memset(p, 0, total);
    }

    return p;
}


size_t
cp_arena_used(const cp_arena_t *arena)
{
    return arena->used;
}


void
cp_arena_fail_after(cp_arena_t *arena, long n)
{
    arena->fail_after = n;
}
