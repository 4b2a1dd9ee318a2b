/* BMP: Windows headers from the core to version 5 and those of OS/2, the pixels' place, and run-length data. */
#include <limits.h>
#include <string.h>

#include "walk/walk_format.h"

#define FILE_HEADER  14u
#define CORE         12u    /* BITMAPCOREHEADER: 16-bit sizes, palette entries of 3 bytes */
#define OS2_SHORT    16u
#define INFO         40u
#define INFO_MASKS   52u    /* from here on the masks are in the header */
#define OS2          64u

enum { RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHA_BITFIELDS };


/* Which depths go with a compression. Those of OS/2 under the same numbers (Huffman, RLE24) nobody decodes. */
static bool
encoding_fits(const cp_walk_bmp_t *bmp)
{
    switch (bmp->compression) {
    case RGB:
        return bmp->bits == 1 || bmp->bits == 4 || bmp->bits == 8 || bmp->bits == 24
               || ((bmp->bits == 16 || bmp->bits == 32) && bmp->header != CORE);
    case RLE8:
        return bmp->bits == 8;
    case RLE4:
        return bmp->bits == 4;
    case BITFIELDS:
    case ALPHA_BITFIELDS:
        return (bmp->bits == 16 || bmp->bits == 32) && bmp->header != OS2;
    default:
        return false;
    }
}


/*
 * Masks and palette must lie before the pixels. Writers of OS/2 cut a palette short that does not say its length; one
 * that does must be there. What lies between headers and pixels, and the file's size as declared, decoders pass over.
 */
static bool
palette_fits(const cp_walk_bmp_t *bmp)
{
    uint64_t head = FILE_HEADER + (uint64_t) bmp->header, entry = bmp->header == CORE ? 3 : 4;

    if (bmp->header == INFO && bmp->compression == BITFIELDS) {
        head += 12;
    }
    if (bmp->header == INFO && bmp->compression == ALPHA_BITFIELDS) {
        head += 16;
    }
    if (bmp->bits <= 8) {
        head += entry * (bmp->colours > 0 ? bmp->colours : 1);
    }

    return head <= bmp->offset;
}


/* Rows of whole 32-bit words. Width below 2^31 and bits up to 32: below 2^33 bytes a row, below 2^64 in all. */
static uint64_t
array_size(const cp_walk_t *walk)
{
    return ((uint64_t) walk->width * walk->of.bmp.bits + 31) / 32 * 4 * (uint64_t) walk->height;
}


/* A move right and down, or what begins with 0: end of line, end of the picture, pixels as they are. */
static uint64_t
escape(cp_walk_t *walk, unsigned second)
{
    cp_walk_bmp_t *bmp = &walk->of.bmp;

    switch (second) {
    case 0:
        bmp->x = 0;
        bmp->y++;
        return 0;
    case 1:
        bmp->y = walk->height;
        return 0;
    case 2:
        bmp->moving = true;
        return 0;
    default:
        bmp->x += second;
        return (bmp->bits == 8 ? (second + 1) / 2 : (second + 3) / 4) * 2;
    }
}


/* Returns how many bytes to pass over. */
static uint64_t
pair(cp_walk_t *walk, unsigned first, unsigned second)
{
    cp_walk_bmp_t *bmp = &walk->of.bmp;

    if (bmp->moving) {
        bmp->moving = false;
        bmp->x += first;
        bmp->y += second;
        return 0;
    }

    if (first > 0) {
        bmp->x += first;
        return 0;
    }

    return escape(walk, second);
}


/* The last row may end without saying so. */
static bool
picture_over(const cp_walk_t *walk)
{
    const cp_walk_bmp_t *bmp = &walk->of.bmp;

    return bmp->y >= walk->height || (bmp->y == walk->height - 1 && bmp->x >= walk->width);
}


static cp_walk_verdict_t
runs(cp_walk_t *walk, const unsigned char **p, const unsigned char *end)
{
    cp_walk_bmp_t       *bmp = &walk->of.bmp;
    const unsigned char *at = *p;

    while (at < end) {
        if (walk->skip > 0) {
            uint64_t n = walk->skip < (uint64_t) (end - at) ? walk->skip : (uint64_t) (end - at);

            at += n;
            walk->skip -= n;

        } else if (bmp->pending == 0) {
            bmp->first = *at++;
            bmp->pending = 1;

        } else {
            walk->skip = pair(walk, bmp->first, *at++);
            bmp->pending = 0;
        }

        if (walk->skip == 0 && bmp->pending == 0 && picture_over(walk)) {
            *p = at;
            return cp_walk_done(walk);
        }
    }

    *p = at;
    return CP_WALK_OK;
}


static cp_walk_verdict_t
pixels_over(cp_walk_t *walk)
{
    return cp_walk_done(walk);
}


static cp_walk_verdict_t
runs_begin(cp_walk_t *walk)
{
    return cp_walk_scan(walk, runs);
}


static cp_walk_verdict_t
pixels(cp_walk_t *walk)
{
    const cp_walk_bmp_t *bmp = &walk->of.bmp;
    uint64_t             before;

    if (!encoding_fits(bmp)) {
        return CP_WALK_UNSUPPORTED;
    }

    CP_WALK_TRY(cp_walk_pixels(walk, walk->width, walk->height));

    if (!palette_fits(bmp)) {
        return CP_WALK_LENGTH;
    }

    walk->pages = 1;
    before = bmp->offset - FILE_HEADER - bmp->header;

    if (bmp->compression == RLE8 || bmp->compression == RLE4) {
        return cp_walk_next(walk, runs_begin, before, 0);    /* a palette has one entry at least: never 0 */
    }

    return cp_walk_next(walk, pixels_over, before + array_size(walk), 0);
}


static cp_walk_verdict_t
core_header(cp_walk_t *walk)
{
    cp_walk_bmp_t       *bmp = &walk->of.bmp;
    const unsigned char *p = walk->buffer;

    walk->width = cp_walk_le16(p);
    walk->height = cp_walk_le16(p + 2);
    bmp->bits = cp_walk_le16(p + 6);

    return cp_walk_le16(p + 4) == 1 ? pixels(walk) : CP_WALK_UNSUPPORTED;
}


/* Fields beyond a short header are 0. A negative height: the top row comes first, which run-length data may not. */
static cp_walk_verdict_t
info_header(cp_walk_t *walk)
{
    cp_walk_bmp_t       *bmp = &walk->of.bmp;
    const unsigned char *p = walk->buffer;
    int32_t              width = (int32_t) cp_walk_le32(p), height = (int32_t) cp_walk_le32(p + 4);

    if (width <= 0 || height == 0 || height == INT32_MIN) {
        return CP_WALK_DIMENSIONS;
    }

    walk->width = width;
    walk->height = height < 0 ? -(int64_t) height : height;
    bmp->bits = cp_walk_le16(p + 10);

    if (bmp->header >= INFO) {
        bmp->compression = cp_walk_le32(p + 12);
        bmp->colours = cp_walk_le32(p + 28);
    }

    if (cp_walk_le16(p + 8) != 1 || (height < 0 && (bmp->compression == RLE8 || bmp->compression == RLE4))) {
        return CP_WALK_UNSUPPORTED;
    }

    return pixels(walk);
}


static cp_walk_verdict_t
file_header(cp_walk_t *walk)
{
    static const uint32_t sizes[] = { CORE, OS2_SHORT, INFO, INFO_MASKS, 56, OS2, 108, 124 };

    cp_walk_bmp_t *bmp = &walk->of.bmp;
    size_t         i;

    if (memcmp(walk->buffer, "BM", 2) != 0) {
        return CP_WALK_SIGNATURE;
    }

    bmp->offset = cp_walk_le32(walk->buffer + 10);
    bmp->header = cp_walk_le32(walk->buffer + FILE_HEADER);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] == bmp->header) {
            return cp_walk_next(walk, bmp->header == CORE ? core_header : info_header, 0, bmp->header - 4);
        }
    }

    return CP_WALK_UNSUPPORTED;
}


static void
begin(cp_walk_t *walk)
{
    cp_walk_next(walk, file_header, 0, FILE_HEADER + 4);
}


const cp_walk_format_t cp_walk_bmp = { begin, NULL };
