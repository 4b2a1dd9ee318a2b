#include <string.h>
#include <time.h>

#include "der.h"

/* Times from here on are GeneralizedTime: 2050-01-01T00:00:00Z. */
#define GENERALIZED_FROM  INT64_C(2524608000)


void
cp_der_init(cp_der_t *der, cp_arena_t *arena, size_t size)
{
    memset(der, 0, sizeof(*der));
    der->arena = arena;
    der->size = size < 256 ? 256 : size;
    der->data = cp_alloc(arena, der->size);
    der->failed = der->data == NULL;
}


/* Makes room for `more` bytes behind the written ones. */
static bool
room(cp_der_t *der, size_t more)
{
    unsigned char *data;
    size_t         size = der->size;

    if (der->failed) {
        return false;
    }
    if (der->size - der->len >= more) {
        return true;
    }

    while (size - der->len < more) {
        if (size > SIZE_MAX / 4) {
            der->failed = true;
            return false;
        }
        size *= 2;
    }

    data = cp_alloc(der->arena, size);
    if (data == NULL) {
        der->failed = true;
        return false;
    }

    memcpy(data, der->data, der->len);
    der->data = data;
    der->size = size;

    return true;
}


/* Tag and length octets of a value of `len` bytes, at most 6; returns how many. */
static size_t
header(unsigned char out[6], unsigned tag, size_t len)
{
    size_t octets, i;

    out[0] = (unsigned char) tag;

    if (len < 128) {
        out[1] = (unsigned char) len;
        return 2;
    }

    octets = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : 1;
    out[1] = (unsigned char) (0x80 | octets);
    for (i = 0; i < octets; i++) {
        out[2 + i] = (unsigned char) (len >> (8 * (octets - 1 - i)));
    }

    return 2 + octets;
}


void
cp_der_raw(cp_der_t *der, cp_str_t bytes)
{
    if (bytes.len != 0 && room(der, bytes.len)) {
        memcpy(der->data + der->len, bytes.data, bytes.len);
        der->len += bytes.len;
    }
}


void
cp_der_put(cp_der_t *der, unsigned tag, cp_str_t content)
{
    unsigned char head[6];

    if (content.len > UINT32_MAX) {
        der->failed = true;
        return;
    }

    cp_der_raw(der, cp_str_n(head, header(head, tag, content.len)));
    cp_der_raw(der, content);
}


/* The length is not known yet: the tag is written with room for a short one, and cp_der_end() moves the rest. */
void
cp_der_begin(cp_der_t *der, unsigned tag)
{
    unsigned char head[2] = { (unsigned char) tag, 0 };

    if (der->depth == CP_DER_DEPTH) {
        der->failed = true;
        return;
    }

    der->open[der->depth++] = der->len;
    cp_der_raw(der, cp_str_n(head, sizeof(head)));
}


void
cp_der_end(cp_der_t *der)
{
    unsigned char head[6];
    size_t        at, len, n;

    if (der->failed || der->depth == 0) {
        der->failed = true;
        return;
    }

    at = der->open[--der->depth];
    len = der->len - at - 2;
    if (len > UINT32_MAX) {
        der->failed = true;
        return;
    }

    n = header(head, der->data[at], len);
    if (n > 2) {
        if (!room(der, n - 2)) {
            return;
        }
        memmove(der->data + at + n, der->data + at + 2, len);
        der->len += n - 2;
    }
    memcpy(der->data + at, head, n);
}


void
cp_der_magnitude(cp_der_t *der, cp_str_t bytes)
{
    unsigned char head[7];
    size_t        n, pad;

    while (bytes.len > 1 && bytes.data[0] == 0) {
        bytes.data++;
        bytes.len--;
    }

    pad = bytes.len == 0 || ((unsigned char) bytes.data[0] & 0x80) != 0;
    n = header(head, CP_DER_INTEGER, bytes.len + pad);
    if (pad) {
        head[n++] = 0;
    }

    cp_der_raw(der, cp_str_n(head, n));
    cp_der_raw(der, bytes);
}


/* Non-negative values only: versions, CRL numbers, reasons. */
void
cp_der_number(cp_der_t *der, unsigned tag, int64_t value)
{
    unsigned char bytes[9] = { 0 };
    size_t        i, first = 0;

    if (value < 0) {
        der->failed = true;
        return;
    }

    for (i = 0; i < 8; i++) {
        bytes[1 + i] = (unsigned char) (value >> (8 * (7 - i)));
    }
    while (first < 8 && bytes[first] == 0 && (bytes[first + 1] & 0x80) == 0) {
        first++;
    }

    cp_der_put(der, tag, cp_str_n(bytes + first, sizeof(bytes) - first));
}


void
cp_der_true(cp_der_t *der)
{
    cp_der_put(der, CP_DER_BOOLEAN, CP_STR("\xff"));
}


void
cp_der_bits(cp_der_t *der, cp_str_t bytes, unsigned unused)
{
    unsigned char head[7];
    size_t        n;

    n = header(head, CP_DER_BITS, bytes.len + 1);
    head[n++] = (unsigned char) unused;

    cp_der_raw(der, cp_str_n(head, n));
    cp_der_raw(der, bytes);
}


void
cp_der_time(cp_der_t *der, int64_t at_ms)
{
    time_t    at = (time_t) (at_ms / 1000);
    bool      generalized = at >= GENERALIZED_FROM;
    struct tm tm;
    char      text[24];
    size_t    n;

    if (at_ms < 0 || gmtime_r(&at, &tm) == NULL) {
        der->failed = true;
        return;
    }

    /* UTCTime is the same without the century. */
    n = strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
    cp_der_put(der, generalized ? CP_DER_TIME : CP_DER_UTC_TIME,
               generalized ? cp_str_n(text, n) : cp_str_n(text + 2, n - 2));
}


cp_code_t
cp_der_finish(cp_der_t *der, cp_str_t *bytes)
{
    if (der->data == NULL) {
        return CP_E_NO_MEMORY;
    }
    if (der->failed || der->depth != 0) {
        return CP_E_INTERNAL;
    }

    *bytes = cp_str_n(der->data, der->len);
    return CP_OK;
}


/* One arc in base 128, its most significant seven bits first (X.690 section 8.19.2). */
static size_t
arc(unsigned char *out, uint64_t value)
{
    size_t n = 1, i;

    while (n < 9 && value >> (7 * n) != 0) {
        n++;
    }
    for (i = 0; i < n; i++) {
        out[i] = (unsigned char) ((value >> (7 * (n - 1 - i)) & 0x7f) | (i + 1 < n ? 0x80 : 0));
    }

    return n;
}


bool
cp_der_oid_of(cp_arena_t *arena, cp_str_t text, cp_str_t *oid)
{
    unsigned char *out;
    uint64_t       value, first = 0;
    size_t         i, arcs = 0, n = 0;

    out = cp_alloc(arena, text.len + 9);
    if (out == NULL) {
        return false;
    }

    for (i = 0; i < text.len || arcs == 0; arcs++) {
        size_t start = i;

        for (value = 0; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
            value = value * 10 + (uint64_t) (text.data[i] - '0');
            if (value > UINT32_MAX) {
                return false;
            }
        }
        if (i == start || (i > start + 1 && text.data[start] == '0') || (i < text.len && text.data[i] != '.')
            || (i < text.len && i + 1 == text.len))
        {
            return false;
        }
        i++;

        if (arcs == 0) {
            first = value;
        } else if (arcs == 1) {
            if (first > 2 || (first < 2 && value > 39)) {
                return false;
            }
            n += arc(out + n, first * 40 + value);
        } else {
            n += arc(out + n, value);
        }
    }

    *oid = cp_str_n(out, n);
    return arcs >= 2;
}
