#include "thread.h"

#include <stdatomic.h>
#include <time.h>

static atomic_uint owned;


void
cp_thread_took(void)
{
    atomic_fetch_add(&owned, 1);
}


void
cp_thread_gave(void)
{
    atomic_fetch_sub(&owned, 1);
}


bool
cp_thread_wait(unsigned ms)
{
    const struct timespec pause = { .tv_nsec = 1000000 };

    while (atomic_load(&owned) != 0 && ms-- > 0) {
        nanosleep(&pause, NULL);
    }

    return atomic_load(&owned) == 0;
}
