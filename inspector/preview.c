#include "preview.h"

#include <stdlib.h>
#include <string.h>

/* 255 summed up so often still fits 16 bits. */
#define SQUARE_MAX  256u


void
cp_preview_begin(cp_preview_t *preview, uint32_t width, uint32_t height, size_t channels)
{
    uint32_t longer = width > height ? width : height;
    uint32_t square = (longer + CP_PREVIEW_EDGE - 1) / CP_PREVIEW_EDGE;

    memset(preview, 0, sizeof(*preview));
    preview->square = square < SQUARE_MAX ? square : SQUARE_MAX;
    preview->width = (width + preview->square - 1) / preview->square;
    preview->height = (height + preview->square - 1) / preview->square;
    preview->full_width = width;
    preview->channels = channels;
    preview->pixels = malloc((size_t) preview->width * preview->height * channels);
    preview->sums = calloc((size_t) width * channels, sizeof(uint16_t));
}


/* Sums up the columns of one square, for one row of the preview. */
static void
reduce(cp_preview_t *preview)
{
    size_t    channels = preview->channels, x, i, c;
    uint8_t  *out = preview->pixels + (size_t) preview->y * preview->width * channels;
    uint16_t *sums = preview->sums;
    uint32_t  n, area, sum[3];

    for (x = 0; x < preview->width; x++) {
        n = preview->full_width - (uint32_t) x * preview->square;
        n = n < preview->square ? n : preview->square;
        area = n * preview->rows;

        sum[0] = sum[1] = sum[2] = area / 2;
        for (i = 0; i < n; i++) {
            for (c = 0; c < channels; c++) {
                sum[c] += *sums++;
            }
        }
        for (c = 0; c < channels; c++) {
            *out++ = (uint8_t) (sum[c] / area);
        }
    }

    memset(preview->sums, 0, (size_t) preview->full_width * channels * sizeof(uint16_t));
    preview->rows = 0;
    preview->y++;
}


void
cp_preview_row(cp_preview_t *preview, const uint8_t *row)
{
    size_t    n = (size_t) preview->full_width * preview->channels, i;
    uint16_t *sums = preview->sums;

    if (preview->square == 1) {
        memcpy(preview->pixels + preview->y++ * n, row, n);
        return;
    }

    for (i = 0; i < n; i++) {
        sums[i] = (uint16_t) (sums[i] + row[i]);
    }
    if (++preview->rows == preview->square) {
        reduce(preview);
    }
}


void
cp_preview_end(cp_preview_t *preview)
{
    if (preview->rows != 0) {
        reduce(preview);
    }
}


/* The mean over a box whose edges lie at 1/256 of a pixel: width and height in that unit are at least 256. */
static void
mean_of_box(const cp_preview_t *preview, uint64_t left, uint64_t right, uint64_t top, uint64_t bottom, uint8_t *out)
{
    uint64_t sum[3] = { 0, 0, 0 }, area = (right - left) * (bottom - top), x, y, wx, wy, from, to;
    size_t   c;

    for (y = top >> 8; y << 8 < bottom; y++) {
        from = y << 8 > top ? y << 8 : top;
        to = (y + 1) << 8 < bottom ? (y + 1) << 8 : bottom;
        wy = to - from;
        for (x = left >> 8; x << 8 < right; x++) {
            from = x << 8 > left ? x << 8 : left;
            to = (x + 1) << 8 < right ? (x + 1) << 8 : right;
            wx = to - from;
            for (c = 0; c < preview->channels; c++) {
                sum[c] += wx * wy * preview->pixels[(y * preview->width + x) * preview->channels + c];
            }
        }
    }

    for (c = 0; c < preview->channels; c++) {
        out[c] = (uint8_t) ((sum[c] + area / 2) / area);
    }
}


uint8_t *
cp_preview_scale(const cp_preview_t *preview, uint32_t width, uint32_t height)
{
    uint8_t  *pixels = malloc((size_t) width * height * preview->channels), *out = pixels;
    uint64_t  right = (uint64_t) preview->width << 8, bottom = (uint64_t) preview->height << 8;
    uint32_t  x, y;

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            mean_of_box(preview, right * x / width, right * (x + 1) / width, bottom * y / height,
                        bottom * (y + 1) / height, out);
            out += preview->channels;
        }
    }

    return pixels;
}


void
cp_preview_free(cp_preview_t *preview)
{
    free(preview->pixels);
    free(preview->sums);
    preview->pixels = NULL;
    preview->sums = NULL;
}
