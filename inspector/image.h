/*
 * What becomes of decoded pixels: rows go in once, from the top as the file has them, and come out upright as the copy,
 * while a small preview is summed up for thumbnail and hints. Only what must be turned, or has a palette, is held as a
 * whole.
 */
#ifndef CP_IMAGE_H
#define CP_IMAGE_H

#include "job.h"
#include "mark.h"
#include "preview.h"

typedef enum {
    CP_PIXELS_GREY,      /* 1 byte a pixel */
    CP_PIXELS_INDEX,     /* 1, into the palette */
    CP_PIXELS_RGB,       /* 3 */
    CP_PIXELS_RGBA       /* 4, colours not multiplied by alpha */
} cp_pixels_t;

typedef struct {
    uint8_t  r, g, b, a;
} cp_colour_t;

typedef struct cp_jpeg_writer_s cp_jpeg_writer_t;
typedef struct cp_png_writer_s  cp_png_writer_t;

typedef struct {
    /* Said by the decoder, after cp_image_clear(), before the first row. cp_job_check_size() has seen the size. */
    uint32_t     width;
    uint32_t     height;
    cp_pixels_t  pixels;
    unsigned     orientation;         /* EXIF: 1 to 8; only of GREY and RGB */
    unsigned     colours;             /* of the palette; an index beyond them is black */
    cp_colour_t  palette[256];

    /* The rest is image.c's own. */
    cp_job_t           *job;
    cp_wire_part_t     *copy;
    size_t              channels;     /* bytes a pixel that comes in */
    size_t              opaque;       /* 1 or 3: bytes a pixel without palette and alpha */
    uint32_t            out_width;    /* upright */
    uint32_t            out_height;
    uint32_t            taken;        /* rows */
    uint8_t            *frame;        /* of a picture that is turned, or has a palette */
    uint8_t            *flat;         /* a row without palette and alpha */
    cp_preview_t        preview;
    cp_mark_t          *mark;         /* what is drawn over it; NULL: nothing */
    uint8_t            *marked;       /* a row with it */
    uint32_t            rows_out;
    cp_jpeg_writer_t   *jpeg;
    cp_png_writer_t    *png;
} cp_image_t;

/* An upright picture without rows, its palette black. */
void cp_image_clear(cp_image_t *image);

/* Begins a picture whose copy becomes the given part of the reply. */
void cp_image_begin(cp_image_t *image, cp_job_t *job, cp_wire_part_t *copy);

/* Takes the next row. */
void cp_image_row(cp_image_t *image, const uint8_t *row);

/*
 * After the last row: ends the copy, writes the thumbnail where one is wanted (not NULL), adds the hints to the reply.
 * The copy is PNG for a picture without mark that has a palette, or transparency and at most 4 megapixels, else JPEG on
 * white.
 */
void cp_image_end(cp_image_t *image, cp_wire_part_t *thumbnail);

/* ---- jpeg_write.c: a JPEG of 1 (grey) or 3 (RGB) bytes a pixel, 4:2:0, without any marker but the coding's own. */

cp_jpeg_writer_t *cp_jpeg_writer(uint32_t width, uint32_t height, size_t channels, unsigned quality);
void              cp_jpeg_writer_row(cp_jpeg_writer_t *writer, const uint8_t *row);
void              cp_jpeg_writer_end(cp_jpeg_writer_t *writer);

/* ---- png_write.c: a PNG of INDEX or RGBA rows, 8 bits, critical chunks and tRNS only. */

cp_png_writer_t *cp_png_writer(const cp_image_t *image);
void             cp_png_writer_row(cp_png_writer_t *writer, const uint8_t *row);
void             cp_png_writer_end(cp_png_writer_t *writer);

#endif
