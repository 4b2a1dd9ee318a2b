/* The real clock and randomness. A program links this file or its own definitions of the same functions. */
#include <stdlib.h>
#include <time.h>

#include <openssl/rand.h>

#include "clock.h"
#include "random.h"


int64_t
cp_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


void
cp_random(void *bytes, size_t size)
{
    /* Serials, tokens and keys come from here: going on without randomness is never right. */
    if (size > 0x7fffffff || RAND_bytes(bytes, (int) size) != 1) {
        abort();
    }
}
