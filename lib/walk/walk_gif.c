/* GIF (87a and 89a): screen, colour tables, and the blocks up to the trailer, which decoders insist on. */
#include <string.h>

#include "walk/walk_format.h"

#define EXTENSION  0x21
#define IMAGE      0x2c
#define TRAILER    0x3b

#define CODE_SIZE_MAX  11

static cp_walk_verdict_t block(cp_walk_t *walk);
static cp_walk_verdict_t sub_block(cp_walk_t *walk);


/* The colour table of a flags byte, in bytes. */
static uint64_t
table_size(unsigned flags)
{
    return (flags & 0x80) != 0 ? 3u * (2u << (flags & 7)) : 0;
}


/* The end of an image is that of its sub-blocks; one without code bytes is none. */
static cp_walk_verdict_t
sub_blocks_over(cp_walk_t *walk)
{
    cp_walk_gif_t *gif = &walk->of.gif;

    if (gif->image && !gif->data) {
        return CP_WALK_MISSING;
    }

    gif->image = false;
    return cp_walk_next(walk, block, 0, 1);
}


static cp_walk_verdict_t
sub_block(cp_walk_t *walk)
{
    unsigned size = walk->buffer[0];

    if (size == 0) {
        return sub_blocks_over(walk);
    }

    walk->of.gif.data = true;
    return cp_walk_next(walk, sub_block, size, 1);
}


/* Section 22 has code sizes of 2 to 8; encoders of two colours write 1, and codes of 12 bits carry up to 11. */
static cp_walk_verdict_t
code_size(cp_walk_t *walk)
{
    if (walk->buffer[0] < 1 || walk->buffer[0] > CODE_SIZE_MAX) {
        return CP_WALK_UNSUPPORTED;
    }

    walk->of.gif.image = true;
    walk->of.gif.data = false;

    return cp_walk_next(walk, sub_block, 0, 1);
}


/* Section 20. Decoders draw a picture that leaves the screen, so only its own size counts. */
static cp_walk_verdict_t
image(cp_walk_t *walk)
{
    int64_t width = cp_walk_le16(walk->buffer + 4), height = cp_walk_le16(walk->buffer + 6);

    CP_WALK_TRY(cp_walk_pixels(walk, width, height));

    if (walk->width == 0 || walk->height == 0) {
        walk->width = width;
        walk->height = height;
    }

    walk->pages++;
    if (walk->limits.max_pages > 0 && walk->pages > walk->limits.max_pages) {
        return CP_WALK_TOO_MANY_PAGES;
    }

    return cp_walk_next(walk, code_size, table_size(walk->buffer[8]), 1);
}


static cp_walk_verdict_t
extension(cp_walk_t *walk)
{
    return cp_walk_next(walk, sub_block, 0, 1);
}


static cp_walk_verdict_t
block(cp_walk_t *walk)
{
    switch (walk->buffer[0]) {
    case EXTENSION:
        return cp_walk_next(walk, extension, 0, 1);
    case IMAGE:
        return cp_walk_next(walk, image, 0, 9);
    case TRAILER:
        return walk->pages == 0 ? CP_WALK_MISSING : cp_walk_done(walk);
    default:
        return CP_WALK_ORDER;
    }
}


/* Signature and screen. A screen of no size is one that takes the first picture's. */
static cp_walk_verdict_t
screen(cp_walk_t *walk)
{
    const unsigned char *p = walk->buffer;

    if (memcmp(p, "GIF87a", 6) != 0 && memcmp(p, "GIF89a", 6) != 0) {
        return CP_WALK_SIGNATURE;
    }

    walk->width = cp_walk_le16(p + 6);
    walk->height = cp_walk_le16(p + 8);
    if (walk->width != 0 && walk->height != 0) {
        CP_WALK_TRY(cp_walk_pixels(walk, walk->width, walk->height));
    }

    return cp_walk_next(walk, block, table_size(p[10]), 1);
}


static void
begin(cp_walk_t *walk)
{
    cp_walk_next(walk, screen, 0, 13);
}


const cp_walk_format_t cp_walk_gif = { begin, NULL };
