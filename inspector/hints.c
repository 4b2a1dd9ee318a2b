/*
 * What a preview tells about the scan. The thresholds were set on generated pages, photographs of them and blurred and
 * darkened versions of both (t/inspector/hints.t has the cases): they warn, they refuse nothing.
 */
#include <stdlib.h>

#include "inspect/inspect.h"
#include "preview.h"

#define BRIGHT_PART    20u      /* a scan in which not one in so many pixels */
#define BRIGHT         120u     /* is as bright as this is too dark */
#define FLAT           30.0     /* variance of the luma below which there is nothing to be sharp */
#define SHARP          60.0     /* variance of the Laplacian, below which ... */
#define SHARP_SHARE    0.035    /* ... and below that share of the luma's variance it is blurred */
#define STAMP_PART     500u     /* one in so many pixels is of a seal's red */


/* ITU-R BT.601 section 2.5.1, in 256ths. */
static uint8_t *
luma_of(const cp_preview_t *preview)
{
    size_t         count = (size_t) preview->width * preview->height, i;
    const uint8_t *at = preview->pixels;
    uint8_t       *luma = malloc(count);

    for (i = 0; i < count; i++, at += preview->channels) {
        luma[i] = preview->channels == 1 ? at[0] : (uint8_t) ((77u * at[0] + 150u * at[1] + 29u * at[2]) >> 8);
    }

    return luma;
}


static uint32_t
is_dark(const uint8_t *luma, size_t count)
{
    size_t bright = 0, i;

    for (i = 0; i < count; i++) {
        bright += luma[i] >= BRIGHT;
    }

    return bright < count / BRIGHT_PART + 1 ? CP_HINT_DARK : 0;
}


typedef struct {
    double  sum;
    double  squares;
    double  count;
} moments_t;


static void
count_in(moments_t *moments, double value)
{
    moments->sum += value;
    moments->squares += value * value;
    moments->count++;
}


static double
variance(const moments_t *moments)
{
    double mean = moments->sum / moments->count;

    return moments->squares / moments->count - mean * mean;
}


/* Sharp edges have a large second derivative: the variance of the 4-neighbour Laplacian, set against the contrast. */
static uint32_t
is_blurred(const uint8_t *luma, uint32_t width, uint32_t height)
{
    moments_t value = { 0, 0, 0 }, edge = { 0, 0, 0 };
    size_t    x, y;

    if (width < 16 || height < 16) {
        return 0;
    }

    for (y = 1; y < height - 1; y++) {
        for (x = 1; x < width - 1; x++) {
            const uint8_t *at = luma + y * width + x;

            count_in(&value, at[0]);
            count_in(&edge, 4 * at[0] - at[-1] - at[1] - at[-(ptrdiff_t) width] - at[width]);
        }
    }

    return variance(&value) > FLAT && variance(&edge) < SHARP && variance(&edge) < SHARP_SHARE * variance(&value)
           ? CP_HINT_BLURRED : 0;
}


/* The red of seal ink, also faint or photographed; not skin, wood or orange. */
static uint32_t
has_stamp(const cp_preview_t *preview)
{
    size_t         count = (size_t) preview->width * preview->height, red = 0, i;
    const uint8_t *at = preview->pixels;

    if (preview->channels != 3) {
        return 0;
    }

    for (i = 0; i < count; i++, at += 3) {
        red += at[0] >= 90 && 5 * at[1] <= 3 * at[0] && 10 * at[2] <= 7 * at[0];
    }

    return red > count / STAMP_PART ? CP_HINT_STAMP : 0;
}


uint32_t
cp_preview_hints(const cp_preview_t *preview)
{
    uint8_t  *luma = luma_of(preview);
    uint32_t  hints = is_dark(luma, (size_t) preview->width * preview->height)
                      | is_blurred(luma, preview->width, preview->height) | has_stamp(preview);

    free(luma);

    return hints;
}
