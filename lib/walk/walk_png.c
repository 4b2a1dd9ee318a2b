/* PNG (ISO/IEC 15948): signature, chunks with their CRC, and the order of those without which there is no picture. */
#include <string.h>

#include <zlib.h>

#include "walk/walk_format.h"

#define TYPE(a, b, c, d)  ((uint32_t) (a) << 24 | (uint32_t) (b) << 16 | (uint32_t) (c) << 8 | (uint32_t) (d))

#define IHDR  TYPE('I', 'H', 'D', 'R')
#define PLTE  TYPE('P', 'L', 'T', 'E')
#define IDAT  TYPE('I', 'D', 'A', 'T')
#define IEND  TYPE('I', 'E', 'N', 'D')

#define ANCILLARY   TYPE(0x20, 0, 0, 0)
#define LENGTH_MAX  0x7fffffffu
#define INDEXED     3

static cp_walk_verdict_t chunk(cp_walk_t *walk);


/* Table 11.1: the depths of each colour type, a bit each. */
static bool
depth_fits(int depth, int colour)
{
    static const unsigned depths[] = {
        [0] = 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16,
        [2] = 1u << 8 | 1u << 16,
        [INDEXED] = 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8,
        [4] = 1u << 8 | 1u << 16,
        [6] = 1u << 8 | 1u << 16,
    };

    return colour < (int) (sizeof(depths) / sizeof(depths[0])) && depth <= 16 && (depths[colour] >> depth & 1u) != 0;
}


/* Its data and CRC are in the buffer. */
static cp_walk_verdict_t
header(cp_walk_t *walk)
{
    cp_walk_png_t       *png = &walk->of.png;
    const unsigned char *p = walk->buffer;

    if ((uint32_t) crc32(walk->sum, p, 13) != cp_walk_be32(p + 13)) {
        return CP_WALK_CRC;
    }

    walk->width = cp_walk_be32(p);
    walk->height = cp_walk_be32(p + 4);
    if (walk->width > LENGTH_MAX || walk->height > LENGTH_MAX) {
        return CP_WALK_DIMENSIONS;
    }
    CP_WALK_TRY(cp_walk_pixels(walk, walk->width, walk->height));

    png->depth = p[8];
    png->colour = p[9];
    if (!depth_fits(png->depth, png->colour) || p[10] != 0 || p[11] != 0 || p[12] > 1) {
        return CP_WALK_UNSUPPORTED;
    }

    walk->pages = 1;
    return cp_walk_next(walk, chunk, 0, 8);
}


static cp_walk_verdict_t
chunk_over(cp_walk_t *walk)
{
    cp_walk_png_t *png = &walk->of.png;

    walk->summing = false;
    if (png->summing && walk->sum != cp_walk_be32(walk->buffer)) {
        return CP_WALK_CRC;
    }

    return png->type == IEND ? cp_walk_done(walk) : cp_walk_next(walk, chunk, 0, 8);
}


static cp_walk_verdict_t
palette(cp_walk_png_t *png)
{
    uint32_t most = png->colour == INDEXED ? 3u << png->depth : 3 * 256;

    if (png->palette || png->data) {
        return CP_WALK_ORDER;
    }

    png->palette = true;
    return png->length == 0 || png->length % 3 != 0 || png->length > most ? CP_WALK_LENGTH : CP_WALK_OK;
}


static cp_walk_verdict_t
data(cp_walk_png_t *png)
{
    if (png->colour == INDEXED && !png->palette) {
        return CP_WALK_MISSING;
    }

    if (png->data_over) {
        return CP_WALK_ORDER;
    }

    png->data = true;
    png->data_bytes += png->length;

    return CP_WALK_OK;
}


static cp_walk_verdict_t
last(cp_walk_png_t *png)
{
    if (png->data_bytes == 0) {
        return CP_WALK_MISSING;
    }

    return png->length != 0 ? CP_WALK_LENGTH : CP_WALK_OK;
}


/* A chunk after the header. A second header stands in the wrong place. */
static cp_walk_verdict_t
in_its_place(cp_walk_png_t *png)
{
    if (png->type != IDAT) {
        png->data_over = png->data;
    }

    switch (png->type) {
    case IHDR:
        return CP_WALK_ORDER;
    case PLTE:
        return palette(png);
    case IDAT:
        return data(png);
    case IEND:
        return last(png);
    default:
        return (png->type & ANCILLARY) != 0 ? CP_WALK_OK : CP_WALK_UNSUPPORTED;
    }
}


static bool
is_name(const unsigned char *p)
{
    size_t i;

    for (i = 0; i < 4; i++) {
        if ((p[i] | 0x20) < 'a' || (p[i] | 0x20) > 'z') {
            return false;
        }
    }

    return true;
}


/* Length and type are in the buffer. */
static cp_walk_verdict_t
chunk(cp_walk_t *walk)
{
    cp_walk_png_t *png = &walk->of.png;

    png->length = cp_walk_be32(walk->buffer);
    png->type = cp_walk_be32(walk->buffer + 4);
    if (png->length > LENGTH_MAX || !is_name(walk->buffer + 4)) {
        return CP_WALK_LENGTH;
    }

    walk->sum = (uint32_t) crc32(0, walk->buffer + 4, 4);

    if (walk->width == 0) {
        return png->type != IHDR ? CP_WALK_ORDER
               : png->length != 13 ? CP_WALK_LENGTH : cp_walk_next(walk, header, 0, 13 + 4);
    }

    CP_WALK_TRY(in_its_place(png));

    /* Decoders pass over an ancillary chunk that is damaged. */
    png->summing = (png->type & ANCILLARY) == 0;
    walk->summing = png->summing;

    return cp_walk_next(walk, chunk_over, png->length, 4);
}


static cp_walk_verdict_t
signature(cp_walk_t *walk)
{
    if (memcmp(walk->buffer, "\x89PNG\r\n\x1a\n", 8) != 0) {
        return CP_WALK_SIGNATURE;
    }

    return cp_walk_next(walk, chunk, 0, 8);
}


static void
begin(cp_walk_t *walk)
{
    cp_walk_next(walk, signature, 0, 8);
}


const cp_walk_format_t cp_walk_png = { begin, NULL };
