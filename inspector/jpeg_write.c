#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "image.h"

#define BUFFER  16384u

struct cp_jpeg_writer_s {
    struct jpeg_compress_struct  c;
    struct jpeg_error_mgr        errors;
    struct jpeg_destination_mgr  destination;
    unsigned char                buffer[BUFFER];
};


/* Rows and sizes are ours: an error is one of memory, or our own. */
static void
fail(j_common_ptr c)
{
    (void) c;
    cp_job_refuse(CP_INSPECT_CRASHED);
}


static void
start(j_compress_ptr c)
{
    cp_jpeg_writer_t *writer = c->client_data;

    writer->destination.next_output_byte = writer->buffer;
    writer->destination.free_in_buffer = BUFFER;
}


static boolean
empty(j_compress_ptr c)
{
    cp_jpeg_writer_t *writer = c->client_data;

    cp_job_write(writer->buffer, BUFFER);
    start(c);

    return TRUE;
}


static void
finish(j_compress_ptr c)
{
    cp_jpeg_writer_t *writer = c->client_data;

    cp_job_write(writer->buffer, BUFFER - writer->destination.free_in_buffer);
}


cp_jpeg_writer_t *
cp_jpeg_writer(uint32_t width, uint32_t height, size_t channels, unsigned quality)
{
    cp_jpeg_writer_t *writer = calloc(1, sizeof(*writer));

    /* A JPEG has 16 bits for an edge. */
    if (width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION) {
        cp_job_refuse(CP_INSPECT_TOO_MANY_PIXELS);
    }

    writer->c.err = jpeg_std_error(&writer->errors);
    writer->errors.error_exit = fail;
    jpeg_create_compress(&writer->c);
    writer->c.client_data = writer;
    writer->c.dest = &writer->destination;
    writer->destination.init_destination = start;
    writer->destination.empty_output_buffer = empty;
    writer->destination.term_destination = finish;

    writer->c.image_width = width;
    writer->c.image_height = height;
    writer->c.input_components = (int) channels;
    writer->c.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&writer->c);
    jpeg_set_quality(&writer->c, (int) quality, TRUE);
    jpeg_start_compress(&writer->c, TRUE);

    return writer;
}


void
cp_jpeg_writer_row(cp_jpeg_writer_t *writer, const uint8_t *row)
{
    JSAMPROW rows[] = { (JSAMPROW) (uintptr_t) row };

    jpeg_write_scanlines(&writer->c, rows, 1);
}


void
cp_jpeg_writer_end(cp_jpeg_writer_t *writer)
{
    jpeg_finish_compress(&writer->c);
    jpeg_destroy_compress(&writer->c);
    free(writer);
}
