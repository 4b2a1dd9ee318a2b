#include "scan/scan.h"

#include <stdio.h>

#include <qrencode.h>

#define QUIET  4      /* modules around, ISO/IEC 18004 section 9.1 */
#define RUN    40     /* bytes of a run at most, as written below */

/* "img" takes no style from the page: the background is part of the picture. */
#define HEAD                                                                                                           \
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"                  \
    "<path fill=\"#fff\" d=\"M0 0h%dv%dh-%dz\"/><path d=\""
#define TAIL  "\"/></svg>"


/* The dark modules of one row, each run of them a rectangle. */
static char *
write_row(char *p, const char *end, const QRcode *code, int y)
{
    const unsigned char *row = code->data + y * code->width;
    int                  x, from;

    for (x = 0; x < code->width; x++) {
        if ((row[x] & 1) == 0) {
            continue;
        }
        for (from = x; x < code->width && (row[x] & 1) != 0; x++) {
            /* to the end of the run */
        }
        p += snprintf(p, (size_t) (end - p), "M%d %dh%dv1h-%dz", from + QUIET, y + QUIET, x - from, x - from);
    }

    return p;
}


static cp_str_t
svg(cp_arena_t *arena, const QRcode *code)
{
    int      side = code->width + 2 * QUIET, y;
    size_t   size = sizeof(HEAD) + sizeof(TAIL) + RUN + (size_t) code->width * (size_t) (code->width + 1) / 2 * RUN;
    cp_str_t text = { 0, cp_alloc(arena, size) };
    char    *p = text.data, *end = p + size;

    if (p == NULL) {
        return CP_STR_NULL;
    }

    p += snprintf(p, size, HEAD, side, side, side, side, side);
    for (y = 0; y < code->width; y++) {
        p = write_row(p, end, code, y);
    }
    p += snprintf(p, (size_t) (end - p), "%s", TAIL);
    text.len = (size_t) (p - text.data);

    return text;
}


cp_str_t
cp_scan_image(cp_arena_t *arena, cp_str_t text)
{
    cp_str_t copy = cp_str_dup(arena, text), picture;
    QRcode  *code;

    code = copy.data == NULL ? NULL : QRcode_encodeString8bit(copy.data, 0, QR_ECLEVEL_M);
    if (code == NULL) {
        return CP_STR_NULL;
    }

    picture = svg(arena, code);
    QRcode_free(code);
    if (picture.data != NULL) {
        picture = cp_str_base64(arena, picture);
    }

    return picture.data == NULL ? CP_STR_NULL
           : cp_str_printf(arena, "data:image/svg+xml;base64,%.*s", (int) picture.len, picture.data);
}
