/*
 * The clock seam: every program over the library says where its time comes from, so that a test can set it.
 */
#ifndef CP_CLOCK_H
#define CP_CLOCK_H

#include <stdint.h>

#include "str.h"

/* Wall time, milliseconds since 1970-01-01 UTC. Defined by each program (system.c is the real one). */
int64_t cp_now_ms(void);

/* RFC 3339 with offset, second precision, in China Standard Time ("2026-01-02T03:04:05+08:00"); from the arena. */
cp_str_t cp_time_text(cp_arena_t *arena, int64_t at_ms);

/* Midnight (China Standard Time) of an RFC 3339 full-date such as 2026-01-02, in ms; false when it is no date. */
bool cp_date_parse(cp_str_t text, int64_t *at_ms);

/* True when the Gregorian calendar has that day. */
bool cp_date_exists(int year, int month, int day);

/* The year, month (1-12) and day in China Standard Time. */
void cp_date_of(int64_t at_ms, int *year, int *month, int *day);

#endif
