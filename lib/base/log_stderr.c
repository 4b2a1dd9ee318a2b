/* The log of programs that run without the server: one line a message to standard error. A program links this file. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "log.h"


/* One line: time, level, text; controls are shown as dots. */
void
cp_log(cp_log_level_t level, const char *format, ...)
{
    static const char *const levels[] = { "debug", "info", "notice", "error", "alert" };

    char      text[1024], when[32];
    time_t    now = time(NULL);
    struct tm tm;
    va_list   args;
    size_t    i;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    for (i = 0; text[i] != '\0'; i++) {
        if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f) {
            text[i] = '.';
        }
    }

    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    fprintf(stderr, "%s [%s] %d: %s\n", when, levels[level], (int) getpid(), text);
}
