#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "decoders.h"
#include "exif.h"
#include "image.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define ROWS          16u
#define APP1_MAX      65533u

typedef struct {
    struct jpeg_decompress_struct  c;
    struct jpeg_error_mgr          errors;
} reader_t;

/* Legal JPEGs of kinds that libjpeg-turbo was built without; any other error is damage. */
static const int unsupported[] = {
    JERR_SOF_UNSUPPORTED, JERR_BAD_PRECISION, JERR_ARITH_NOTIMPL, JERR_CONVERSION_NOTIMPL, JERR_COMPONENT_COUNT,
    JERR_CCIR601_NOTIMPL, JERR_FRACT_SAMPLE_NOTIMPL, JERR_NOT_COMPILED,
};

/*
 * Warnings after which pixels may not be what was encoded. A file that ends without its last marker is one: scans may
 * be missing, and arithmetic decoding goes on with zeros and says nothing else.
 */
static const int losses[] = {
    JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_MUST_RESYNC, JWRN_ARITH_BAD_CODE, JWRN_JPEG_EOF,
};


static bool
is_among(const int *codes, size_t count, int code)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (codes[i] == code) {
            return true;
        }
    }

    return false;
}


static void
fail(j_common_ptr c)
{
    int code = c->err->msg_code;

    if (code == JERR_OUT_OF_MEMORY) {
        cp_job_refuse(CP_INSPECT_TOO_MUCH_MEMORY);
    }
    cp_job_refuse(is_among(unsupported, COUNT(unsupported), code) ? CP_INSPECT_UNSUPPORTED : CP_INSPECT_DAMAGED);
}


/* Level -1 is a warning, the others trace. */
static void
hear(j_common_ptr c, int level)
{
    if (level == -1 && is_among(losses, COUNT(losses), c->err->msg_code)) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
}


static unsigned
orientation_of(const reader_t *reader)
{
    const struct jpeg_marker_struct *marker;
    unsigned                         orientation;

    for (marker = reader->c.marker_list; marker != NULL; marker = marker->next) {
        orientation = cp_exif_orientation(marker->data, marker->data_length);
        if (orientation != 1) {
            return orientation;
        }
    }

    return 1;
}


static void
choose_colours(reader_t *reader, cp_image_t *image)
{
    switch (reader->c.jpeg_color_space) {

    case JCS_GRAYSCALE:
        reader->c.out_color_space = JCS_GRAYSCALE;
        image->pixels = CP_PIXELS_GREY;
        return;

    case JCS_RGB:
    case JCS_YCbCr:
        reader->c.out_color_space = JCS_RGB;
        image->pixels = CP_PIXELS_RGB;
        return;

    case JCS_CMYK:
    case JCS_YCCK:
        reader->c.out_color_space = JCS_CMYK;
        image->pixels = CP_PIXELS_RGB;
        return;

    default:
        cp_job_refuse(CP_INSPECT_UNSUPPORTED);
    }
}


/* In place, without a profile: ink absorbs. What Adobe's programs write is the complement of it. */
static void
cmyk_to_rgb(uint8_t *row, uint32_t width, bool complement)
{
    const uint8_t *in = row;
    uint8_t       *out = row, flip = complement ? 0 : 255;
    uint32_t       x;

    for (x = 0; x < width; x++, in += 4, out += 3) {
        unsigned black = in[3] ^ flip;

        out[0] = (uint8_t) ((in[0] ^ flip) * black / 255);
        out[1] = (uint8_t) ((in[1] ^ flip) * black / 255);
        out[2] = (uint8_t) ((in[2] ^ flip) * black / 255);
    }
}


static void
read_rows(reader_t *reader, cp_image_t *image)
{
    size_t    size = (size_t) image->width * (unsigned) reader->c.output_components;
    uint8_t  *pixels = malloc(size * ROWS);
    JSAMPROW  rows[ROWS];
    unsigned  n, i;

    for (i = 0; i < ROWS; i++) {
        rows[i] = pixels + i * size;
    }

    while (reader->c.output_scanline < reader->c.output_height) {
        n = jpeg_read_scanlines(&reader->c, rows, ROWS);
        for (i = 0; i < n; i++) {
            if (reader->c.out_color_space == JCS_CMYK) {
                cmyk_to_rgb(rows[i], image->width, reader->c.saw_Adobe_marker);
            }
            cp_image_row(image, rows[i]);
        }
    }

    free(pixels);
}


void
cp_jpeg_decode(cp_job_t *job)
{
    static reader_t   reader;
    static cp_image_t image;

    reader.c.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = fail;
    reader.errors.emit_message = hear;
    jpeg_create_decompress(&reader.c);
    jpeg_mem_src(&reader.c, job->data, job->size);
    jpeg_save_markers(&reader.c, JPEG_APP0 + 1, APP1_MAX);

    jpeg_read_header(&reader.c, TRUE);
    cp_job_check_size(job, reader.c.image_width, reader.c.image_height);
    cp_image_clear(&image);
    choose_colours(&reader, &image);
    image.width = reader.c.image_width;
    image.height = reader.c.image_height;
    image.orientation = orientation_of(&reader);

    jpeg_start_decompress(&reader.c);
    cp_image_begin(&image, job, &job->reply.copy);
    read_rows(&reader, &image);
    jpeg_finish_decompress(&reader.c);
    cp_image_end(&image, &job->reply.thumbnail);
}
