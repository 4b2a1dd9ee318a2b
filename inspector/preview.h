/* A picture reduced while its rows pass: each of its pixels is the mean of a square of the picture. */
#ifndef CP_PREVIEW_H
#define CP_PREVIEW_H

#include <stddef.h>
#include <stdint.h>

#define CP_PREVIEW_EDGE  1024u    /* longer edge, at most */

typedef struct {
    uint32_t   width;
    uint32_t   height;
    size_t     channels;          /* 1 or 3 */
    uint8_t   *pixels;

    /* While it is made. */
    uint32_t   full_width;
    uint32_t   square;            /* edge of the square */
    uint32_t   rows;              /* summed up and not yet reduced */
    uint32_t   y;                 /* reduced rows */
    uint16_t  *sums;              /* a column's over these rows */
} cp_preview_t;

void cp_preview_begin(cp_preview_t *preview, uint32_t width, uint32_t height, size_t channels);
void cp_preview_row(cp_preview_t *preview, const uint8_t *row);
void cp_preview_end(cp_preview_t *preview);

/* The whole preview scaled into width × height pixels, none of it larger than its own, from malloc(). */
uint8_t *cp_preview_scale(const cp_preview_t *preview, uint32_t width, uint32_t height);

/* CP_HINT_DARK, CP_HINT_BLURRED and CP_HINT_STAMP of a finished preview. Pure. */
uint32_t cp_preview_hints(const cp_preview_t *preview);

void cp_preview_free(cp_preview_t *preview);

#endif
