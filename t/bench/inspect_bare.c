/*
 * inspect_bare JPEG SECONDS
 *
 * Decodes the file, encodes it again (quality 90) and a thumbnail of every 16th pixel of every 16th row, over and over:
 * what libjpeg-turbo alone needs. Prints "FILES SECONDS CPU-SECONDS".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

#define QUALITY  90
#define STEP     16

typedef struct {
    struct jpeg_compress_struct  c;
    struct jpeg_error_mgr        errors;
    unsigned char               *bytes;
    unsigned long                size;
} writer_t;


static unsigned char *
load(const char *path, unsigned long *size)
{
    unsigned char *bytes = malloc(64 << 20);
    FILE          *file = fopen(path, "rb");

    *size = bytes == NULL || file == NULL ? 0 : fread(bytes, 1, 64 << 20, file);
    if (*size == 0) {
        fprintf(stderr, "inspect_bare: cannot read %s\n", path);
        exit(1);
    }
    fclose(file);

    return bytes;
}


static void
begin(writer_t *writer, unsigned width, unsigned height)
{
    writer->c.err = jpeg_std_error(&writer->errors);
    jpeg_create_compress(&writer->c);
    writer->bytes = NULL;
    writer->size = 0;
    jpeg_mem_dest(&writer->c, &writer->bytes, &writer->size);
    writer->c.image_width = width;
    writer->c.image_height = height;
    writer->c.input_components = 3;
    writer->c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&writer->c);
    jpeg_set_quality(&writer->c, QUALITY, TRUE);
    jpeg_start_compress(&writer->c, TRUE);
}


static void
end(writer_t *writer)
{
    jpeg_finish_compress(&writer->c);
    jpeg_destroy_compress(&writer->c);
    free(writer->bytes);
}


static void
convert(const unsigned char *bytes, unsigned long size)
{
    struct jpeg_decompress_struct d;
    struct jpeg_error_mgr         errors;
    writer_t                      copy, thumbnail;
    JSAMPROW                      row, small;
    unsigned                      x, y, width;

    d.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, bytes, size);
    jpeg_read_header(&d, TRUE);
    jpeg_start_decompress(&d);
    width = d.output_width / STEP;
    begin(&copy, d.output_width, d.output_height);
    begin(&thumbnail, width, d.output_height / STEP);
    row = malloc((size_t) d.output_width * 3);
    small = malloc((size_t) width * 3);
    if (row == NULL || small == NULL) {
        exit(1);
    }

    while (d.output_scanline < d.output_height) {
        y = d.output_scanline;
        jpeg_read_scanlines(&d, &row, 1);
        jpeg_write_scanlines(&copy.c, &row, 1);
        if (y % STEP == 0 && y / STEP < d.output_height / STEP) {
            for (x = 0; x < width; x++) {
                memcpy(small + (size_t) x * 3, row + (size_t) x * STEP * 3, 3);
            }
            jpeg_write_scanlines(&thumbnail.c, &small, 1);
        }
    }

    free(row);
    free(small);
    end(&copy);
    end(&thumbnail);
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
}


static double
clock_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);

    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    unsigned char *bytes;
    unsigned long  size, count = 0;
    double         wall, cpu;

    if (argc != 3) {
        fprintf(stderr, "usage: inspect_bare JPEG SECONDS\n");
        return 2;
    }
    bytes = load(argv[1], &size);

    wall = clock_of(CLOCK_MONOTONIC);
    cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    do {
        convert(bytes, size);
        count++;
    } while (clock_of(CLOCK_MONOTONIC) - wall < atof(argv[2]));

    printf("%lu %.6f %.6f\n", count, clock_of(CLOCK_MONOTONIC) - wall, clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    free(bytes);

    return 0;
}
