#include <spng.h>
#include <string.h>

#include "image.h"

#define LEVEL  4    /* of zlib: a copy is written once and small either way */

struct cp_png_writer_s {
    spng_ctx  *ctx;
    size_t     row;
};


static int
write_out(spng_ctx *ctx, void *user, void *bytes, size_t size)
{
    (void) ctx;
    (void) user;
    cp_job_write(bytes, size);

    return 0;
}


static int
set_palette(spng_ctx *ctx, const cp_image_t *image)
{
    struct spng_plte palette = { .n_entries = image->colours };
    struct spng_trns alpha = { .n_type3_entries = image->colours };
    bool             transparent = false;
    unsigned         i;
    int              failed;

    for (i = 0; i < image->colours; i++) {
        palette.entries[i].red = image->palette[i].r;
        palette.entries[i].green = image->palette[i].g;
        palette.entries[i].blue = image->palette[i].b;
        alpha.type3_alpha[i] = image->palette[i].a;
        transparent = transparent || image->palette[i].a != 255;
    }

    failed = spng_set_plte(ctx, &palette);

    return failed == 0 && transparent ? spng_set_trns(ctx, &alpha) : failed;
}


cp_png_writer_t *
cp_png_writer(const cp_image_t *image)
{
    static cp_png_writer_t writer;

    struct spng_ihdr head = {
        .width = image->width,
        .height = image->height,
        .bit_depth = 8,
        .color_type = image->pixels == CP_PIXELS_INDEX ? SPNG_COLOR_TYPE_INDEXED : SPNG_COLOR_TYPE_TRUECOLOR_ALPHA,
    };

    writer.row = image->width * (image->pixels == CP_PIXELS_INDEX ? 1u : 4u);
    writer.ctx = spng_ctx_new(SPNG_CTX_ENCODER);
    if (writer.ctx == NULL || spng_set_png_stream(writer.ctx, write_out, NULL) != 0
        || spng_set_option(writer.ctx, SPNG_IMG_COMPRESSION_LEVEL, LEVEL) != 0
        || spng_set_ihdr(writer.ctx, &head) != 0
        || (image->pixels == CP_PIXELS_INDEX && set_palette(writer.ctx, image) != 0)
        || spng_encode_image(writer.ctx, NULL, 0, SPNG_FMT_PNG, SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE) != 0)
    {
        cp_job_refuse(CP_INSPECT_CRASHED);
    }

    return &writer;
}


void
cp_png_writer_row(cp_png_writer_t *writer, const uint8_t *row)
{
    int failed = spng_encode_row(writer->ctx, row, writer->row);

    if (failed != 0 && failed != SPNG_EOI) {
        cp_job_refuse(CP_INSPECT_CRASHED);
    }
}


void
cp_png_writer_end(cp_png_writer_t *writer)
{
    spng_ctx_free(writer->ctx);
    writer->ctx = NULL;
}
