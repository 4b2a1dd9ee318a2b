/* What the walkers of the formats share. For lib/walk/ only. */
#ifndef CP_WALK_FORMAT_H
#define CP_WALK_FORMAT_H

#include "walk/walk.h"

#define CP_WALK_TRY(expression)                                                                                        \
    do {                                                                                                               \
        cp_walk_verdict_t cp_walk_try_ = (expression);                                                                 \
        if (cp_walk_try_ != CP_WALK_OK) {                                                                              \
            return cp_walk_try_;                                                                                       \
        }                                                                                                              \
    } while (0)

typedef struct {
    void               (*begin)(cp_walk_t *walk);
    cp_walk_verdict_t  (*end)(cp_walk_t *walk);      /* NULL: whole when done */
} cp_walk_format_t;

extern const cp_walk_format_t cp_walk_png, cp_walk_jpeg, cp_walk_bmp, cp_walk_gif, cp_walk_pdf;

/* Passes over `skip` bytes, gathers `want` into the buffer, then runs the step. One of both must be above 0. */
cp_walk_verdict_t cp_walk_next(cp_walk_t *walk, cp_walk_step_fn step, uint64_t skip, size_t want);

/* Hands the bytes that follow to `scan` as they come, until it calls cp_walk_next() or cp_walk_done(). */
cp_walk_verdict_t cp_walk_scan(cp_walk_t *walk, cp_walk_scan_fn scan);

/* The format's end: what follows is trailing. */
cp_walk_verdict_t cp_walk_done(cp_walk_t *walk);

/* Looks at the next bytes of a PDF for its page tree; pages->total is the count of the last one, 0: none yet. */
void cp_walk_pages(cp_walk_pages_t *pages, const unsigned char *p, size_t len);

/* Whether a picture of that size may be. Both are below 2^32. */
cp_walk_verdict_t cp_walk_pixels(const cp_walk_t *walk, int64_t width, int64_t height);

static inline uint32_t
cp_walk_be16(const unsigned char *p)
{
    return (uint32_t) p[0] << 8 | p[1];
}


static inline uint32_t
cp_walk_be32(const unsigned char *p)
{
    return cp_walk_be16(p) << 16 | cp_walk_be16(p + 2);
}


static inline uint32_t
cp_walk_le16(const unsigned char *p)
{
    return (uint32_t) p[1] << 8 | p[0];
}


static inline uint32_t
cp_walk_le32(const unsigned char *p)
{
    return cp_walk_le16(p + 2) << 16 | cp_walk_le16(p);
}

#endif
