/* The seams of the unit tests: a clock that stands where the test puts it, real randomness, a log to standard error. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "seams.h"

int64_t     test_now_ms = 1767323045000;    /* 2026-01-02T11:04:05+08:00 */
atomic_uint test_logged[CP_LOG_ALERT + 1];


int64_t
cp_now_ms(void)
{
    return test_now_ms;
}


void
cp_random(void *bytes, size_t size)
{
    if (getrandom(bytes, size, 0) != (ssize_t) size) {
        abort();
    }
}


void
cp_log(cp_log_level_t level, const char *format, ...)
{
    va_list args;

    atomic_fetch_add(&test_logged[level], 1);

    fprintf(stderr, "# log %d: ", (int) level);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
