#include "clock.h"

#include <time.h>

#define CHINA_OFFSET_S  (8 * 3600)


cp_str_t
cp_time_text(cp_arena_t *arena, int64_t at_ms)
{
    time_t    seconds = (time_t) (at_ms / 1000 + CHINA_OFFSET_S);
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL) {
        return CP_STR_NULL;
    }

    return cp_str_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d+08:00", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                         tm.tm_hour, tm.tm_min, tm.tm_sec);
}


bool
cp_date_exists(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) {
        return false;
    }

    return day <= days[month - 1] + (month == 2 && leap);
}


bool
cp_date_parse(cp_str_t text, int64_t *at_ms)
{
    int64_t   year, month, day;
    struct tm tm = { 0 };

    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-'
        || !cp_str_number(cp_str_n(text.data, 4), &year) || !cp_str_number(cp_str_n(text.data + 5, 2), &month)
        || !cp_str_number(cp_str_n(text.data + 8, 2), &day) || !cp_date_exists((int) year, (int) month, (int) day))
    {
        return false;
    }

    tm.tm_year = (int) year - 1900;
    tm.tm_mon = (int) month - 1;
    tm.tm_mday = (int) day;

    *at_ms = ((int64_t) timegm(&tm) - CHINA_OFFSET_S) * 1000;
    return true;
}


void
cp_date_of(int64_t at_ms, int *year, int *month, int *day)
{
    time_t    seconds = (time_t) (at_ms / 1000 + CHINA_OFFSET_S);
    struct tm tm = { 0 };

    gmtime_r(&seconds, &tm);

    *year = tm.tm_year + 1900;
    *month = tm.tm_mon + 1;
    *day = tm.tm_mday;
}
