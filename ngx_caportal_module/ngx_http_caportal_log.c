/*
 * The library's log seam: lines go to the server's error log. On a pool thread no request may be touched, so the line
 * goes through the cycle's log, whose writing is safe on any thread.
 */
#include "ngx_http_caportal.h"

#include <stdio.h>

static const ngx_uint_t  ngx_http_caportal_levels[] = {
    [CP_LOG_DEBUG] = NGX_LOG_DEBUG,
    [CP_LOG_CLIENT] = NGX_LOG_INFO,
    [CP_LOG_NOTICE] = NGX_LOG_NOTICE,
    [CP_LOG_ERROR] = NGX_LOG_ERR,
    [CP_LOG_ALERT] = NGX_LOG_ALERT,
};


void
cp_log(cp_log_level_t level, const char *format, ...)
{
    char     text[1024], *p;
    va_list  args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    for (p = text; *p; p++) {
        if ((u_char) *p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }

    ngx_log_error(ngx_http_caportal_levels[level], ngx_cycle->log, 0, "caportal: %s", text);
}
