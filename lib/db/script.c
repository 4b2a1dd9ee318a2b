#include "db/script.h"

#include <string.h>


/* The end of a quoted piece that begins at `p`, NULL without one. A doubled quote is the quote itself. */
static const char *
skip_quoted(const char *p, const char *end)
{
    char quote = *p++;

    for (; p < end; p++) {
        if (*p == '\\' && quote != '`') {
            p++;
        } else if (*p == quote) {
            if (p + 1 == end || p[1] != quote) {
                return p + 1;
            }
            p++;
        }
    }

    return NULL;
}


static const char *
skip_line(const char *p, const char *end)
{
    const char *newline = memchr(p, '\n', (size_t) (end - p));

    return newline == NULL ? end : newline + 1;
}


/* The end of the comment that begins at `p`: `p` itself when none does, NULL when it is not closed. */
static const char *
skip_comment(const char *p, const char *end)
{
    size_t left = (size_t) (end - p);

    /* Two dashes begin a comment only before white space: `5--1` is arithmetic. */
    if (*p == '#' || (left >= 2 && p[0] == '-' && p[1] == '-' && (left == 2 || (unsigned char) p[2] <= ' '))) {
        return skip_line(p, end);
    }

    if (left >= 2 && p[0] == '/' && p[1] == '*') {
        p = memmem(p + 2, left - 2, "*/", 2);
        return p == NULL ? NULL : p + 2;
    }

    return p;
}


/* One step over a statement: past a quoted piece, a comment or a single character. */
static const char *
step(const char *p, const char *end, bool *empty)
{
    const char *next = skip_comment(p, end);

    if (next != p) {
        return next;
    }

    if ((unsigned char) *p > ' ' && *p != ';') {
        *empty = false;
    }

    return *p == '\'' || *p == '"' || *p == '`' ? skip_quoted(p, end) : p + 1;
}


cp_script_t
cp_script_next(cp_str_t *rest, cp_str_t *statement)
{
    const char *start = rest->data, *p = rest->data, *next, *end = rest->data + rest->len;
    bool        empty = true;

    while (p < end) {
        next = step(p, end, &empty);
        if (next == NULL) {
            return CP_SCRIPT_UNCLOSED;
        }

        if (*p == ';' && next == p + 1) {
            if (!empty) {
                break;
            }
            start = next;
        }
        p = next;
    }

    *statement = cp_str_n(start, (size_t) (p - start));
    if (p < end) {
        p++;
    }
    *rest = cp_str_n(p, (size_t) (end - p));

    return empty ? CP_SCRIPT_END : CP_SCRIPT_STATEMENT;
}
