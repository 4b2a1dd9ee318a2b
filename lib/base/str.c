#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


cp_str_t
cp_str(const char *text)
{
    return text == NULL ? CP_STR_NULL : cp_str_n(text, strlen(text));
}


cp_str_t
cp_str_n(const void *data, size_t len)
{
    return (cp_str_t) { len, (char *) (uintptr_t) data };
}


bool
cp_str_eq(cp_str_t a, cp_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


bool
cp_str_is(cp_str_t a, const char *text)
{
    return cp_str_eq(a, cp_str(text));
}


bool
cp_str_starts(cp_str_t s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.len >= n && memcmp(s.data, prefix, n) == 0;
}


cp_str_t
cp_str_dup(cp_arena_t *arena, cp_str_t s)
{
    char *copy;

    copy = cp_alloc(arena, s.len + 1);
    if (copy == NULL) {
        return CP_STR_NULL;
    }

    if (s.len != 0) {
        memcpy(copy, s.data, s.len);
    }
    copy[s.len] = '\0';

    return cp_str_n(copy, s.len);
}


cp_str_t
cp_str_printf(cp_arena_t *arena, const char *format, ...)
{
    va_list  args;
    char    *text;
    int      n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);

    if (n < 0) {
        return CP_STR_NULL;
    }

    text = cp_alloc(arena, (size_t) n + 1);
    if (text == NULL) {
        return CP_STR_NULL;
    }

    va_start(args, format);
    vsnprintf(text, (size_t) n + 1, format, args);
    va_end(args);

    return cp_str_n(text, (size_t) n);
}


cp_str_t
cp_str_hex(cp_arena_t *arena, cp_str_t bytes)
{
    static const char digits[] = "0123456789abcdef";

    char   *text;
    size_t  i;

    text = cp_alloc(arena, bytes.len * 2 + 1);
    if (text == NULL) {
        return CP_STR_NULL;
    }

    for (i = 0; i < bytes.len; i++) {
        unsigned char b = (unsigned char) bytes.data[i];

        text[2 * i] = digits[b >> 4];
        text[2 * i + 1] = digits[b & 15];
    }
    text[2 * bytes.len] = '\0';

    return cp_str_n(text, bytes.len * 2);
}


static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}


bool
cp_str_unhex(cp_arena_t *arena, cp_str_t hex, cp_str_t *bytes)
{
    char   *out;
    size_t  i;

    if (hex.len % 2 != 0) {
        return false;
    }

    out = cp_alloc(arena, hex.len / 2 + 1);
    if (out == NULL) {
        return false;
    }

    for (i = 0; i < hex.len / 2; i++) {
        int high = hex_value(hex.data[2 * i]), low = hex_value(hex.data[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (char) (high << 4 | low);
    }

    *bytes = cp_str_n(out, hex.len / 2);
    return true;
}


static cp_str_t
base64_encode(cp_arena_t *arena, cp_str_t bytes, const char *alphabet, bool pad)
{
    char   *text, *p;
    size_t  i;

    text = cp_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
    if (text == NULL) {
        return CP_STR_NULL;
    }

    p = text;
    for (i = 0; i < bytes.len; i += 3) {
        size_t   left = bytes.len - i;
        unsigned v = (unsigned) (unsigned char) bytes.data[i] << 16;

        v |= left > 1 ? (unsigned) (unsigned char) bytes.data[i + 1] << 8 : 0;
        v |= left > 2 ? (unsigned) (unsigned char) bytes.data[i + 2] : 0;

        *p++ = alphabet[v >> 18];
        *p++ = alphabet[v >> 12 & 63];
        if (left > 1 || pad) {
            *p++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
        }
        if (left > 2 || pad) {
            *p++ = left > 2 ? alphabet[v & 63] : '=';
        }
    }
    *p = '\0';

    return cp_str_n(text, (size_t) (p - text));
}


cp_str_t
cp_str_base64(cp_arena_t *arena, cp_str_t bytes)
{
    return base64_encode(arena, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}


cp_str_t
cp_str_base64url(cp_arena_t *arena, cp_str_t bytes)
{
    return base64_encode(arena, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}


bool
cp_str_is_base64url(cp_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return false;
        }
    }

    return true;
}


bool
cp_str_number(cp_str_t s, int64_t *value)
{
    int64_t n = 0;
    size_t  i;

    if (s.len == 0 || s.len > 18) {
        return false;
    }

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
        n = n * 10 + (s.data[i] - '0');
    }

    *value = n;
    return true;
}


/* Length of the well-formed UTF-8 sequence at p, 0 when it is malformed (RFC 3629 section 4). */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
    static const struct { unsigned char low, high, second_low, second_high, length; } rows[] = {
        { 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    size_t i, j;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (p[0] < rows[i].low || p[0] > rows[i].high) {
            continue;
        }
        if (rows[i].length > left) {
            return 0;
        }
        if (rows[i].length > 1 && (p[1] < rows[i].second_low || p[1] > rows[i].second_high)) {
            return 0;
        }
        for (j = 2; j < rows[i].length; j++) {
            if (p[j] < 0x80 || p[j] > 0xbf) {
                return 0;
            }
        }
        return rows[i].length;
    }

    return 0;
}


bool
cp_str_is_text(cp_str_t s)
{
    const unsigned char *p = (const unsigned char *) s.data;
    size_t               i, n;

    for (i = 0; i < s.len; i += n) {
        n = utf8_sequence(p + i, s.len - i);
        if (n == 0 || p[i] < 0x20 || p[i] == 0x7f) {
            return false;
        }
        /* C1 controls are U+0080 to U+009F */
        if (p[i] == 0xc2 && p[i + 1] < 0xa0) {
            return false;
        }
    }

    return true;
}


size_t
cp_str_chars(cp_str_t s)
{
    size_t i, n = 0;

    for (i = 0; i < s.len; i++) {
        n += ((unsigned char) s.data[i] & 0xc0) != 0x80;
    }

    return n;
}


/* The ASCII character that the three bytes EF BC 81 to EF BD 9E, or E3 80 80, stand for; 0 when they are others. */
static char
narrow(const unsigned char *p, size_t left)
{
    unsigned code;

    if (left < 3) {
        return 0;
    }
    if (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) {
        return ' ';
    }
    if (p[0] != 0xef || (p[1] != 0xbc && p[1] != 0xbd)) {
        return 0;
    }

    code = ((unsigned) (p[1] & 0x3f) << 6) | (p[2] & 0x3f);

    /* U+FFxx: its last twelve bits less 0xF00 are the character's distance from U+FF00. */
    return code >= 0xf01 && code <= 0xf5e ? (char) (code - 0xf00 + 0x20) : 0;
}


cp_str_t
cp_str_narrow(cp_arena_t *arena, cp_str_t s)
{
    cp_str_t out = cp_str_dup(arena, s);
    size_t   i, n;
    char     c;

    if (out.data == NULL) {
        return out;
    }

    for (i = 0, n = 0; i < s.len; i++) {
        c = narrow((const unsigned char *) s.data + i, s.len - i);
        out.data[n++] = c == 0 ? s.data[i] : c;
        i += c == 0 ? 0 : 2;
    }
    out.len = n;
    out.data[n] = '\0';

    return out;
}


cp_str_t
cp_str_fold(cp_arena_t *arena, cp_str_t s)
{
    cp_str_t out = cp_str_narrow(arena, s);
    size_t   i, n;

    if (out.data == NULL) {
        return out;
    }

    for (i = 0, n = 0; i < out.len; i++) {
        char c = out.data[i];

        if (c != ' ') {
            out.data[n++] = c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
        }
    }
    out.len = n;
    out.data[n] = '\0';

    return out;
}
