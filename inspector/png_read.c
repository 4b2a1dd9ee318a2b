#include <spng.h>
#include <stdlib.h>
#include <string.h>

#include "decoders.h"
#include "image.h"

#define SIGNATURE   8u
#define CHUNK       12u      /* length, type and CRC around a chunk's data */
#define COLOUR_AT   25u      /* the colour type, in the IHDR that must come first */

/*
 * The file as libspng sees it: without the chunks that are no part of the pixels. Decoders pass over faults in those,
 * libspng refuses some of them.
 */
typedef struct {
    const uint8_t  *data;
    size_t          size;
    size_t          at;
    size_t          left;        /* of the chunk that is being given out */
    uint32_t        colours;     /* of PLTE */
    bool            trns;
    bool            idat;
} stream_t;


static uint32_t
big_endian(const uint8_t *at)
{
    return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}


/* W3C PNG section 11.3.2.1; one that breaks its rules is as good as none. */
static bool
takes_trns(stream_t *stream, uint32_t length)
{
    static const uint32_t fixed[] = { [SPNG_COLOR_TYPE_GRAYSCALE] = 2, [SPNG_COLOR_TYPE_TRUECOLOR] = 6 };

    uint8_t colour = stream->data[COLOUR_AT];
    bool    first = !stream->trns && !stream->idat;

    stream->trns = true;
    if (colour == SPNG_COLOR_TYPE_INDEXED) {
        return first && length >= 1 && length <= stream->colours;
    }

    return first && colour <= SPNG_COLOR_TYPE_TRUECOLOR && length == fixed[colour];
}


/* W3C PNG sections 5.3 and 5.4: a length of 31 bits, four letters. Any other is no chunk, nor is what follows it. */
static void
must_be_chunk(const uint8_t *chunk)
{
    size_t i;

    for (i = 4; i < 8; i++) {
        if ((uint8_t) ((chunk[i] | 0x20) - 'a') >= 26) {
            cp_job_refuse(CP_INSPECT_DAMAGED);
        }
    }
    if ((chunk[0] & 0x80) != 0) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
}


/* Of the others: critical ones, but a palette only where pixels are indices into it. */
static bool
takes(stream_t *stream, const uint8_t *chunk)
{
    uint32_t length = big_endian(chunk);

    must_be_chunk(chunk);
    if (memcmp(chunk + 4, "tRNS", 4) == 0) {
        return takes_trns(stream, length);
    }
    if (memcmp(chunk + 4, "PLTE", 4) == 0) {
        stream->colours = length / 3;
        return stream->data[COLOUR_AT] == SPNG_COLOR_TYPE_INDEXED;
    }
    stream->idat = stream->idat || memcmp(chunk + 4, "IDAT", 4) == 0;

    return (chunk[4] & 0x20) == 0;
}


/* Goes to the next chunk that is given out; false at the end of the file. */
static bool
next_chunk(stream_t *stream)
{
    const uint8_t *chunk;
    size_t         rest, length;

    for (;;) {
        rest = stream->size - stream->at;
        if (rest < CHUNK) {
            return false;
        }
        chunk = stream->data + stream->at;
        length = (size_t) big_endian(chunk) + CHUNK;
        length = length < rest ? length : rest;
        if (takes(stream, chunk)) {
            stream->left = length;
            return true;
        }
        stream->at += length;
    }
}


static int
read_in(spng_ctx *ctx, void *user, void *bytes, size_t size)
{
    stream_t *stream = user;
    size_t    n;

    (void) ctx;

    while (size != 0) {
        if (stream->left == 0 && !next_chunk(stream)) {
            return SPNG_IO_EOF;
        }
        n = size < stream->left ? size : stream->left;
        memcpy(bytes, stream->data + stream->at, n);
        bytes = (uint8_t *) bytes + n;
        stream->at += n;
        stream->left -= n;
        size -= n;
    }

    return 0;
}


static void
must(int code)
{
    if (code == SPNG_EMEM) {
        cp_job_refuse(CP_INSPECT_TOO_MUCH_MEMORY);
    }
    if (code != 0) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
}


static void
take_palette(spng_ctx *ctx, cp_image_t *image)
{
    struct spng_plte palette;
    struct spng_trns alpha;
    uint32_t         i;

    must(spng_get_plte(ctx, &palette));
    image->colours = palette.n_entries;
    for (i = 0; i < palette.n_entries; i++) {
        image->palette[i] = (cp_colour_t) { palette.entries[i].red, palette.entries[i].green, palette.entries[i].blue,
                                            255 };
    }

    if (spng_get_trns(ctx, &alpha) == 0) {
        for (i = 0; i < alpha.n_type3_entries; i++) {
            image->palette[i].a = alpha.type3_alpha[i];
        }
    }
}


/* Greys of few bits, or with one of them transparent, are a palette in all but name. */
static void
make_greys(spng_ctx *ctx, cp_image_t *image, unsigned depth)
{
    struct spng_trns alpha;
    unsigned         i;

    image->colours = 1u << depth;
    for (i = 0; i < image->colours; i++) {
        uint8_t grey = (uint8_t) (i * 255 / (image->colours - 1));

        image->palette[i] = (cp_colour_t) { grey, grey, grey, 255 };
    }

    if (spng_get_trns(ctx, &alpha) == 0) {
        image->palette[alpha.gray & (image->colours - 1)].a = 0;
    }
}


/* How libspng is to give the pixels. */
static int
choose_format(spng_ctx *ctx, const struct spng_ihdr *head, cp_image_t *image)
{
    struct spng_trns alpha;
    bool             transparent = spng_get_trns(ctx, &alpha) == 0;

    if (head->color_type == SPNG_COLOR_TYPE_INDEXED) {
        image->pixels = CP_PIXELS_INDEX;
        take_palette(ctx, image);
        return SPNG_FMT_PNG;
    }
    if (head->color_type == SPNG_COLOR_TYPE_GRAYSCALE && head->bit_depth < 16) {
        image->pixels = head->bit_depth < 8 || transparent ? CP_PIXELS_INDEX : CP_PIXELS_GREY;
        make_greys(ctx, image, head->bit_depth);
        return SPNG_FMT_PNG;
    }

    if (transparent || (head->color_type & 4) != 0) {
        image->pixels = CP_PIXELS_RGBA;
        return SPNG_FMT_RGBA8;
    }
    image->pixels = CP_PIXELS_RGB;

    return SPNG_FMT_RGB8;
}


/* Gives each of a row's indices a byte of its own. */
static void
unpack(const uint8_t *packed, uint8_t *row, uint32_t width, unsigned depth)
{
    unsigned mask = (1u << depth) - 1, per_byte = 8 / depth;
    uint32_t x;

    for (x = 0; x < width; x++) {
        row[x] = (uint8_t) ((unsigned) packed[x / per_byte] >> (8 - depth - x % per_byte * depth) & mask);
    }
}


static void
put_row(cp_image_t *image, const uint8_t *row, uint8_t *unpacked, unsigned depth)
{
    if (unpacked != NULL) {
        unpack(row, unpacked, image->width, depth);
        row = unpacked;
    }

    cp_image_row(image, row);
}


static void
decode(spng_ctx *ctx, const struct spng_ihdr *head, int format, cp_image_t *image)
{
    int      flags = image->pixels == CP_PIXELS_RGBA ? SPNG_DECODE_TRNS : 0, code = 0;
    unsigned depth = head->bit_depth;
    size_t   size, row;
    uint32_t y;
    uint8_t *pixels, *unpacked = NULL;

    if (image->pixels == CP_PIXELS_INDEX && depth < 8) {
        unpacked = malloc(image->width);
    }
    must(spng_decoded_image_size(ctx, format, &size));
    row = size / image->height;

    if (head->interlace_method != 0) {
        pixels = malloc(size);
        must(spng_decode_image(ctx, pixels, size, format, flags));
        for (y = 0; y < image->height; y++) {
            put_row(image, pixels + y * row, unpacked, depth);
        }
    } else {
        pixels = malloc(row);
        must(spng_decode_image(ctx, NULL, 0, format, flags | SPNG_DECODE_PROGRESSIVE));
        for (y = 0; y < image->height && code == 0; y++) {
            code = spng_decode_row(ctx, pixels, row);
            must(code == SPNG_EOI ? 0 : code);
            put_row(image, pixels, unpacked, depth);
        }
    }

    free(pixels);
    free(unpacked);
}


void
cp_png_decode(cp_job_t *job)
{
    static cp_image_t image;

    stream_t         stream = { .data = job->data, .size = job->size, .left = SIGNATURE };
    spng_ctx        *ctx = spng_ctx_new(0);
    struct spng_ihdr head;
    int              format;

    if (job->size < SIGNATURE + CHUNK + 13) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }

    must(spng_set_crc_action(ctx, SPNG_CRC_ERROR, SPNG_CRC_DISCARD));
    must(spng_set_png_stream(ctx, read_in, &stream));
    must(spng_get_ihdr(ctx, &head));
    cp_job_check_size(job, head.width, head.height);

    cp_image_clear(&image);
    image.width = head.width;
    image.height = head.height;
    format = choose_format(ctx, &head, &image);
    cp_image_begin(&image, job, &job->reply.copy);
    decode(ctx, &head, format, &image);

    /* Reads on to IEND, which must be there. */
    must(spng_decode_chunks(ctx));
    cp_image_end(&image, &job->reply.thumbnail);
    spng_ctx_free(ctx);
}
