/*
 * JPEGs for tests and benchmarks.
 *
 * jpeg draw WIDTH HEIGHT [OPTION…]     draws a page of text, as JPEG; options are those of encode and photo, stamp,
 *                                      dark, blur=N (a mean over 2N+1 pixels), empty
 * jpeg encode [OPTION…] <ppm           a P5 or P6 as JPEG: progressive, cmyk, grey, arithmetic, restart, full (4:4:4),
 *                                      quality=N
 * jpeg decode <jpeg                    back to a P6
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
    size_t    width;
    size_t    height;
    uint8_t  *pixels;    /* RGB */
} picture_t;

typedef struct {
    bool  progressive, cmyk, grey, arithmetic, restart, full, photo, stamp, dark, empty;
    int   quality, blur;
} options_t;


static void *
need(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        exit(1);
    }

    return memory;
}


static void
read_options(options_t *options, char **words)
{
    const struct { const char *name; bool *flag; } flags[] = {
        { "progressive", &options->progressive }, { "cmyk", &options->cmyk }, { "grey", &options->grey },
        { "arithmetic", &options->arithmetic }, { "restart", &options->restart }, { "full", &options->full },
        { "photo", &options->photo }, { "stamp", &options->stamp }, { "dark", &options->dark },
        { "empty", &options->empty },
    };
    size_t i;

    options->quality = 85;
    for (; *words != NULL; words++) {
        if (sscanf(*words, "quality=%d", &options->quality) == 1 || sscanf(*words, "blur=%d", &options->blur) == 1) {
            continue;
        }
        for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
            if (strcmp(flags[i].name, *words) == 0) {
                *flags[i].flag = true;
            }
        }
    }
}


static void
encode(const picture_t *picture, const options_t *options)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr       errors;
    uint8_t                    *row = need(picture->width * 4);
    size_t                      x;

    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_stdio_dest(&c, stdout);
    c.image_width = (JDIMENSION) picture->width;
    c.image_height = (JDIMENSION) picture->height;
    c.input_components = options->cmyk ? 4 : options->grey ? 1 : 3;
    c.in_color_space = options->cmyk ? JCS_CMYK : options->grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, options->quality, TRUE);
    if (options->full) {
        c.comp_info[0].h_samp_factor = c.comp_info[0].v_samp_factor = 1;
    }
    if (options->progressive) {
        jpeg_simple_progression(&c);
    }
    c.arith_code = options->arithmetic;
    c.restart_in_rows = options->restart ? 1 : 0;
    jpeg_start_compress(&c, TRUE);

    while (c.next_scanline < c.image_height) {
        const uint8_t *in = picture->pixels + c.next_scanline * picture->width * 3;

        for (x = 0; x < picture->width; x++, in += 3) {
            if (options->cmyk) {           /* the complement of ink, as Adobe writes it */
                row[4 * x] = in[0];
                row[4 * x + 1] = in[1];
                row[4 * x + 2] = in[2];
                row[4 * x + 3] = 255;
            } else if (options->grey) {
                row[x] = in[1];
            } else {
                memcpy(row + 3 * x, in, 3);
            }
        }
        jpeg_write_scanlines(&c, &row, 1);
    }

    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    free(row);
}


static void
read_ppm(picture_t *picture)
{
    size_t  i, count;
    int     kind, c;

    if (scanf("P%d %zu %zu 255", &kind, &picture->width, &picture->height) != 3 || (kind != 5 && kind != 6)) {
        exit(1);
    }
    (void) getchar();
    count = picture->width * picture->height * 3;
    picture->pixels = need(count);
    for (i = 0; i < count; i++) {
        c = kind == 6 || i % 3 == 0 ? getchar() : picture->pixels[i - 1];
        picture->pixels[i] = (uint8_t) c;
    }
}


static void
decode(void)
{
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr         errors;
    uint8_t                      *row;

    c.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&c);
    jpeg_stdio_src(&c, stdin);
    jpeg_read_header(&c, TRUE);
    c.out_color_space = JCS_RGB;
    jpeg_start_decompress(&c);
    printf("P6\n%u %u\n255\n", c.output_width, c.output_height);
    row = need((size_t) c.output_width * 3);
    while (c.output_scanline < c.output_height) {
        jpeg_read_scanlines(&c, &row, 1);
        fwrite(row, 3, c.output_width, stdout);
    }
    jpeg_finish_decompress(&c);
    jpeg_destroy_decompress(&c);
    free(row);
}


/* The same bytes on every machine. */
static unsigned
noise(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;

    return state >> 24;
}


static void
put(const picture_t *picture, size_t x, size_t y, unsigned r, unsigned g, unsigned b)
{
    uint8_t *at = picture->pixels + (y * picture->width + x) * 3;

    if (x < picture->width && y < picture->height) {
        at[0] = (uint8_t) r;
        at[1] = (uint8_t) g;
        at[2] = (uint8_t) b;
    }
}


/* Paper with the grain of a camera; a photo has shades besides. */
static void
draw_paper(const picture_t *picture, const options_t *options)
{
    size_t x, y;

    for (y = 0; y < picture->height; y++) {
        for (x = 0; x < picture->width; x++) {
            unsigned grain = noise() % 8, shade = (unsigned) ((x * 60 / picture->width) + (y * 40 / picture->height));
            unsigned value = options->photo ? 140 + shade + grain : 240 + grain;

            put(picture, x, y, value, value, options->photo ? value - 12 : value);
        }
    }
}


/* Strokes as high as a 24th of the width, in lines. */
static void
draw_text(const picture_t *picture)
{
    size_t size = picture->width / 48 + 2, left = size * 2, x, y, dx, dy;

    for (y = left; y + left < picture->height; y += size * 2) {
        for (x = left; x + left < picture->width; x += size) {
            unsigned shape = noise();

            for (dy = 0; dy < size; dy++) {
                for (dx = 0; dx < size * 3 / 4; dx++) {
                    if ((shape & (1u << (dx * 4 / size + dy * 2 / size * 4) % 8)) != 0 && (dx + dy) % 5 != 0) {
                        put(picture, x + dx, y + dy, 25, 25, 30);
                    }
                }
            }
        }
    }
}


/* A ring of seal ink in the lower right, a fifth of the width. */
static void
draw_stamp(const picture_t *picture)
{
    size_t radius = picture->width / 10, cx = picture->width * 3 / 4, cy = picture->height * 3 / 4, x, y;

    for (y = cy - radius; y < cy + radius; y++) {
        for (x = cx - radius; x < cx + radius; x++) {
            size_t dx = x > cx ? x - cx : cx - x, dy = y > cy ? y - cy : cy - y, d = dx * dx + dy * dy;

            if (d < radius * radius && d > radius * radius * 3 / 4) {
                put(picture, x, y, 200, 45, 50);
            }
        }
    }
}


/* A mean along one axis. */
static void
blur_line(uint8_t *at, size_t count, size_t step, size_t radius, uint8_t *copy)
{
    size_t i, k, c;

    for (i = 0; i < count; i++) {
        memcpy(copy + 3 * i, at + i * step, 3);
    }
    for (i = radius; i + radius < count; i++) {
        for (c = 0; c < 3; c++) {
            size_t sum = 0;

            for (k = i - radius; k <= i + radius; k++) {
                sum += copy[3 * k + c];
            }
            at[i * step + c] = (uint8_t) (sum / (2 * radius + 1));
        }
    }
}


static void
blur(const picture_t *picture, size_t radius)
{
    uint8_t *copy = need((picture->width + picture->height) * 3);
    size_t   i;

    for (i = 0; i < picture->height; i++) {
        blur_line(picture->pixels + i * picture->width * 3, picture->width, 3, radius, copy);
    }
    for (i = 0; i < picture->width; i++) {
        blur_line(picture->pixels + i * 3, picture->height, picture->width * 3, radius, copy);
    }
    free(copy);
}


static void
draw(picture_t *picture, const options_t *options)
{
    size_t i, count = picture->width * picture->height * 3;

    picture->pixels = need(count);
    draw_paper(picture, options);
    if (!options->empty) {
        draw_text(picture);
    }
    if (options->stamp) {
        draw_stamp(picture);
    }
    if (options->blur != 0) {
        blur(picture, (size_t) options->blur);
    }
    for (i = 0; i < count && options->dark; i++) {
        picture->pixels[i] = (uint8_t) (picture->pixels[i] / 4);
    }
}


int
main(int argc, char **argv)
{
    options_t options = { .quality = 0 };
    picture_t picture = { 0, 0, NULL };

    if (argc >= 2 && strcmp(argv[1], "decode") == 0) {
        decode();
    } else if (argc >= 2 && strcmp(argv[1], "encode") == 0) {
        read_options(&options, argv + 2);
        read_ppm(&picture);
        encode(&picture, &options);
    } else if (argc >= 4 && strcmp(argv[1], "draw") == 0) {
        read_options(&options, argv + 4);
        picture.width = strtoull(argv[2], NULL, 10);
        picture.height = strtoull(argv[3], NULL, 10);
        draw(&picture, &options);
        encode(&picture, &options);
    } else {
        return 2;
    }

    free(picture.pixels);

    return ferror(stdout) != 0;
}
