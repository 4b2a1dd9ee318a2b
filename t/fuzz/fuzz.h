/* What every fuzzer has: its entry, and a way to say what must hold of any bytes. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "line %d does not hold: %s\n", __LINE__, #condition);                                      \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);


/* A block of exactly these bytes, so that AddressSanitizer sees a read beyond them. The caller frees it. */
static inline void *
fuzz_copy(const void *data, size_t len)
{
    void *copy = malloc(len > 0 ? len : 1);

    HOLDS(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }

    return copy;
}


/*
 * The size of the next piece of `left` bytes: all of them for cuts of FUZZ_WHOLE, one for FUZZ_BYTEWISE, else one of a
 * row of sizes, mostly small, that the number begins and that goes on with it.
 */
enum { FUZZ_WHOLE, FUZZ_BYTEWISE };

static inline size_t
fuzz_piece(uint32_t *cuts, size_t left)
{
    size_t size = *cuts == FUZZ_WHOLE ? left : 1;

    if (*cuts > FUZZ_BYTEWISE) {
        *cuts = *cuts * 1103515245 + 12345;
        size = 1 + ((*cuts >> 8) & ((1u << (*cuts >> 28)) - 1));
        *cuts |= 1u << 31;
    }

    return size < left ? size : left;
}

#endif
