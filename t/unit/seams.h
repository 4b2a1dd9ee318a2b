/* What a unit test may set. cmocka.h needs the four headers before it. */
#ifndef T_SEAMS_H
#define T_SEAMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"

extern int64_t     test_now_ms;
extern atomic_uint test_logged[CP_LOG_ALERT + 1];    /* lines of each level */

#endif
