/* Moves through a file: what is passed over, gathered or scanned next is the format's to say. */
#include "walk/walk.h"

#include <string.h>

#include <zlib.h>

#include "walk/walk_format.h"

static const cp_walk_format_t *const formats[] = {
    [CP_WALK_PNG] = &cp_walk_png, [CP_WALK_JPEG] = &cp_walk_jpeg, [CP_WALK_BMP] = &cp_walk_bmp,
    [CP_WALK_GIF] = &cp_walk_gif, [CP_WALK_PDF] = &cp_walk_pdf,
};

_Static_assert(sizeof(formats) / sizeof(formats[0]) == CP_WALK_KINDS_END, "a walker for each kind");


const cp_walk_text_t *
cp_walk_text(cp_walk_verdict_t verdict)
{
#define TEXT_ROW(name, code, zh, en)  { code, zh, en },

    static const cp_walk_text_t rows[] = { CP_WALK_VERDICTS(TEXT_ROW) };

#undef TEXT_ROW

    return &rows[verdict];
}


cp_walk_verdict_t
cp_walk_next(cp_walk_t *walk, cp_walk_step_fn step, uint64_t skip, size_t want)
{
    walk->scan = NULL;
    walk->step = step;
    walk->skip = skip;
    walk->want = want;

    return CP_WALK_OK;
}


cp_walk_verdict_t
cp_walk_scan(cp_walk_t *walk, cp_walk_scan_fn scan)
{
    walk->scan = scan;

    return CP_WALK_OK;
}


cp_walk_verdict_t
cp_walk_done(cp_walk_t *walk)
{
    walk->done = true;

    return CP_WALK_OK;
}


cp_walk_verdict_t
cp_walk_pixels(const cp_walk_t *walk, int64_t width, int64_t height)
{
    if (width <= 0 || height <= 0) {
        return CP_WALK_DIMENSIONS;
    }

    return walk->limits.max_pixels > 0 && width > walk->limits.max_pixels / height ? CP_WALK_TOO_MANY_PIXELS
                                                                                   : CP_WALK_OK;
}


void
cp_walk_begin(cp_walk_t *walk, cp_walk_kind_t kind, const cp_walk_limits_t *limits)
{
    memset(walk, 0, sizeof(*walk));
    walk->kind = kind;
    if (limits != NULL) {
        walk->limits = *limits;
    }

    formats[kind]->begin(walk);
}


static size_t
smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t) a : b;
}


/* Takes as much as the present aim needs of the bytes, of which there is at least one. */
static cp_walk_verdict_t
move(cp_walk_t *walk, const unsigned char **p, const unsigned char *end)
{
    size_t n;

    if (walk->done) {
        walk->trailing += end - *p;
        *p = end;
        return CP_WALK_OK;
    }

    if (walk->scan != NULL) {
        return walk->scan(walk, p, end);
    }

    if (walk->skip > 0) {
        n = smaller(walk->skip, (size_t) (end - *p));
        if (walk->summing) {
            walk->sum = (uint32_t) crc32_z(walk->sum, *p, n);
        }
        walk->skip -= n;

    } else {
        n = smaller(walk->want - walk->held, (size_t) (end - *p));
        memcpy(walk->buffer + walk->held, *p, n);
        walk->held += n;
    }

    *p += n;

    if (walk->skip > 0 || walk->held < walk->want) {
        return CP_WALK_OK;
    }

    walk->held = 0;
    return walk->step(walk);
}


cp_walk_verdict_t
cp_walk_feed(cp_walk_t *walk, const void *data, size_t len)
{
    const unsigned char *p = data, *end = p + len, *from;

    while (walk->verdict == CP_WALK_OK && p < end) {
        from = p;
        walk->verdict = move(walk, &p, end);
        walk->size += p - from;
    }

    return walk->verdict;
}


cp_walk_verdict_t
cp_walk_end(cp_walk_t *walk)
{
    const cp_walk_format_t *format = formats[walk->kind];

    if (walk->verdict == CP_WALK_OK) {
        walk->verdict = format->end != NULL ? format->end(walk) : walk->done ? CP_WALK_OK : CP_WALK_TRUNCATED;
    }

    return walk->verdict;
}
