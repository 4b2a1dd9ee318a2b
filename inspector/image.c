#include "image.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK            16u         /* rows turned at once, so that a cache line read is used */
#define ALPHA_PIXELS     4000000u    /* deflating more of them would take the time of all else */

static const size_t channels_of[] = {
    [CP_PIXELS_GREY] = 1, [CP_PIXELS_INDEX] = 1, [CP_PIXELS_RGB] = 3, [CP_PIXELS_RGBA] = 4,
};

/*
 * Where upright pixels are in the frame, by orientation: is the frame's row the upright column, and does an upright
 * row, or column, begin at the frame's other end? (EXIF 2.32 section 4.6.4, Orientation)
 */
static const struct {
    bool  swapped;
    bool  from_right;
    bool  from_bottom;
} turns[] = {
    [1] = { false, false, false },
    [2] = { false, true, false },
    [3] = { false, true, true },
    [4] = { false, false, true },
    [5] = { true, false, false },
    [6] = { true, false, true },
    [7] = { true, true, true },
    [8] = { true, true, false },
};


void
cp_image_clear(cp_image_t *image)
{
    size_t i;

    memset(image, 0, sizeof(*image));
    image->orientation = 1;
    for (i = 0; i < sizeof(image->palette) / sizeof(image->palette[0]); i++) {
        image->palette[i].a = 255;
    }
}


static bool
has_palette_of_greys(const cp_image_t *image)
{
    unsigned i;

    for (i = 0; i < image->colours; i++) {
        if (image->palette[i].r != image->palette[i].g || image->palette[i].g != image->palette[i].b) {
            return false;
        }
    }

    return true;
}


static uint32_t
value_of(const cp_colour_t *colour)
{
    return (uint32_t) colour->r << 24 | (uint32_t) colour->g << 16 | (uint32_t) colour->b << 8 | colour->a;
}


static int
by_value(const void *a, const void *b)
{
    uint32_t left = value_of(a), right = value_of(b);

    return left < right ? -1 : left > right;
}


/*
 * A palette goes into the copy as it is, and whoever wrote the file chose its bytes: so only colours that are seen go
 * there, each once and in the order of their values.
 */
static void
order_palette(cp_image_t *image)
{
    size_t      count = (size_t) image->width * image->height, i;
    bool        used[256] = { false };
    cp_colour_t sorted[256];
    unsigned    n = 0, distinct = 0;
    uint8_t     new_index[256];

    for (i = 0; i < count; i++) {
        used[image->frame[i]] = true;
    }
    for (i = 0; i < 256; i++) {
        if (used[i]) {
            sorted[n++] = image->palette[i];
        }
    }
    qsort(sorted, n, sizeof(sorted[0]), by_value);
    for (i = 1; i < n; i++) {
        if (by_value(&sorted[distinct], &sorted[i]) != 0) {
            sorted[++distinct] = sorted[i];
        }
    }
    image->colours = distinct + 1;

    for (i = 0; i < 256; i++) {
        const cp_colour_t *place = bsearch(&image->palette[i], sorted, image->colours, sizeof(sorted[0]), by_value);

        new_index[i] = place == NULL ? 0 : (uint8_t) (place - sorted);
    }
    for (i = 0; i < count; i++) {
        image->frame[i] = new_index[image->frame[i]];
    }
    memcpy(image->palette, sorted, image->colours * sizeof(sorted[0]));
}


/* What the viewer is told: of a PDF this is its first page, whose size says nothing of a scan's. */
static void
describe(const cp_image_t *image)
{
    cp_wire_reply_t *reply = &image->job->reply;
    uint32_t         shorter = image->out_width < image->out_height ? image->out_width : image->out_height;

    reply->width = image->out_width;
    reply->height = image->out_height;
    reply->orientation = image->orientation;
    if (image->out_width > image->out_height) {
        reply->hints |= CP_HINT_LANDSCAPE;
    }
    if (image->copy == &reply->copy && shorter < image->job->request.min_edge) {
        reply->hints |= CP_HINT_SMALL;
    }
}


/* The copy has a palette too, which is known only when all pixels are. */
static bool
is_palette_kept(const cp_image_t *image)
{
    return image->pixels == CP_PIXELS_INDEX && image->mark == NULL;
}


void
cp_image_begin(cp_image_t *image, cp_job_t *job, cp_wire_part_t *copy)
{
    bool swapped = turns[image->orientation].swapped;

    image->job = job;
    image->copy = copy;
    image->channels = channels_of[image->pixels];
    image->opaque = image->pixels == CP_PIXELS_GREY
                    || (image->pixels == CP_PIXELS_INDEX && has_palette_of_greys(image)) ? 1 : 3;
    image->out_width = swapped ? image->height : image->width;
    image->out_height = swapped ? image->width : image->height;

    if (job->reply.width == 0) {
        describe(image);
    }
    if (job->request.mark[0] != '\0') {
        image->mark = cp_mark_new(job->request.mark, image->out_width, image->out_height);
        image->marked = malloc((size_t) image->out_width * image->opaque);
    }
    if (image->orientation != 1 || is_palette_kept(image)) {
        image->frame = malloc((size_t) image->width * image->height * image->channels);
    }
    if (image->pixels == CP_PIXELS_INDEX || image->pixels == CP_PIXELS_RGBA) {
        image->flat = malloc((size_t) image->width * image->opaque);
    }

    cp_preview_begin(&image->preview, image->out_width, image->out_height, image->opaque);
    cp_job_part_begin(copy, image->out_width, image->out_height);
    if (image->pixels == CP_PIXELS_RGBA && (uint64_t) image->width * image->height <= ALPHA_PIXELS
        && image->mark == NULL)
    {
        image->png = cp_png_writer(image);
    } else if (!is_palette_kept(image)) {
        image->jpeg = cp_jpeg_writer(image->out_width, image->out_height, image->opaque, job->request.quality);
    }
}


/* A channel over white. */
static uint8_t
over_white(unsigned value, unsigned alpha)
{
    return (uint8_t) ((value * alpha + 255 * (255 - alpha) + 127) / 255);
}


static void
flatten_rgba(const cp_image_t *image, const uint8_t *row)
{
    uint8_t *out = image->flat;
    uint32_t x;

    for (x = 0; x < image->width; x++, row += 4, out += 3) {
        out[0] = over_white(row[0], row[3]);
        out[1] = over_white(row[1], row[3]);
        out[2] = over_white(row[2], row[3]);
    }
}


static void
flatten_index(const cp_image_t *image, const uint8_t *row)
{
    uint8_t           *out = image->flat;
    const cp_colour_t *colour;
    uint32_t           x;

    for (x = 0; x < image->width; x++) {
        colour = &image->palette[row[x]];
        *out++ = over_white(colour->r, colour->a);
        if (image->opaque == 3) {
            *out++ = over_white(colour->g, colour->a);
            *out++ = over_white(colour->b, colour->a);
        }
    }
}


static void
take_upright(cp_image_t *image, const uint8_t *row)
{
    const uint8_t *opaque = row;

    if (image->pixels == CP_PIXELS_RGBA) {
        flatten_rgba(image, row);
        opaque = image->flat;
    } else if (image->pixels == CP_PIXELS_INDEX) {
        flatten_index(image, row);
        opaque = image->flat;
    }

    cp_preview_row(&image->preview, opaque);
    if (image->mark != NULL) {
        cp_mark_row(image->mark, image->rows_out++, opaque, image->marked, image->opaque);
        opaque = image->marked;
    }
    if (image->png != NULL) {
        cp_png_writer_row(image->png, row);
    } else {
        cp_jpeg_writer_row(image->jpeg, opaque);
    }
}


void
cp_image_row(cp_image_t *image, const uint8_t *row)
{
    if (image->frame == NULL) {
        take_upright(image, row);
    } else {
        size_t size = image->width * image->channels;

        memcpy(image->frame + image->taken * size, row, size);
    }
    image->taken++;
}


/* Copies `rows` upright rows, the first of them at `from`, out of the frame. */
static void
turn_block(const cp_image_t *image, uint8_t *block, const uint8_t *from, ptrdiff_t right, ptrdiff_t down, size_t rows)
{
    size_t channels = image->channels, size = image->out_width * channels, x, y;

    for (x = 0; x < image->out_width; x++, from += right) {
        const uint8_t *at = from;
        uint8_t       *out = block + x * channels;

        for (y = 0; y < rows; y++, at += down, out += size) {
            out[0] = at[0];
            if (channels == 3) {
                out[1] = at[1];
                out[2] = at[2];
            }
        }
    }
}


static void
turn(cp_image_t *image)
{
    ptrdiff_t      pixel = (ptrdiff_t) image->channels, line = pixel * (ptrdiff_t) image->width, right, down;
    const uint8_t *from = image->frame;
    uint8_t       *block = malloc(image->out_width * image->channels * BLOCK);
    uint32_t       y, n, i;

    if (turns[image->orientation].from_right) {
        from += line - pixel;
        pixel = -pixel;
    }
    if (turns[image->orientation].from_bottom) {
        from += line * ((ptrdiff_t) image->height - 1);
        line = -line;
    }
    right = turns[image->orientation].swapped ? line : pixel;
    down = turns[image->orientation].swapped ? pixel : line;

    for (y = 0; y < image->out_height; y += n) {
        n = image->out_height - y < BLOCK ? image->out_height - y : BLOCK;
        turn_block(image, block, from + (ptrdiff_t) y * down, right, down, n);
        for (i = 0; i < n; i++) {
            take_upright(image, block + i * image->out_width * image->channels);
        }
    }

    free(block);
}


/* The preview in the size that was asked for, at most its own. */
static void
write_thumbnail(const cp_image_t *image, cp_wire_part_t *part)
{
    const cp_preview_t *preview = &image->preview;
    uint64_t            longer = preview->width > preview->height ? preview->width : preview->height;
    uint64_t            edge = image->job->request.thumbnail < longer ? image->job->request.thumbnail : longer;
    uint32_t            width = (uint32_t) (preview->width * edge / longer), y;
    uint32_t            height = (uint32_t) (preview->height * edge / longer);
    cp_jpeg_writer_t   *writer;
    uint8_t            *pixels;

    width = width == 0 ? 1 : width;
    height = height == 0 ? 1 : height;

    pixels = cp_preview_scale(preview, width, height);
    cp_job_part_begin(part, width, height);
    writer = cp_jpeg_writer(width, height, preview->channels, image->job->request.quality);
    for (y = 0; y < height; y++) {
        cp_jpeg_writer_row(writer, pixels + (size_t) y * width * preview->channels);
    }
    cp_jpeg_writer_end(writer);
    cp_job_part_end(part);
    free(pixels);
}


void
cp_image_end(cp_image_t *image, cp_wire_part_t *thumbnail)
{
    if (image->taken != image->height) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
    if (is_palette_kept(image)) {
        order_palette(image);
        image->png = cp_png_writer(image);
    }
    if (image->frame != NULL) {
        turn(image);
    }

    if (image->png != NULL) {
        cp_png_writer_end(image->png);
    } else {
        cp_jpeg_writer_end(image->jpeg);
    }
    cp_job_part_end(image->copy);

    cp_preview_end(&image->preview);
    image->job->reply.hints |= cp_preview_hints(&image->preview);
    if (thumbnail != NULL && image->mark == NULL) {
        write_thumbnail(image, thumbnail);
    }

    cp_preview_free(&image->preview);
    cp_mark_free(image->mark);
    free(image->marked);
    free(image->frame);
    free(image->flat);
}
