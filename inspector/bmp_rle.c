#include <string.h>

#include "bmp.h"

enum { END_OF_ROW = 0, END_OF_BITMAP = 1, DELTA = 2 };

typedef struct {
    const uint8_t        *at;
    const uint8_t        *end;
    const cp_bmp_head_t  *head;
    size_t                pixel;      /* bytes of one in `out` */
    size_t                packed;     /* bits of one in the file */
    uint8_t              *out;
    uint64_t              x;
    uint64_t              y;          /* from the first row in the file */
} runs_t;


/* Pixels that a run has beyond the row, or below the last one, are passed over, as decoders do. */
static void
put(runs_t *runs, const uint8_t *colour)
{
    const cp_bmp_head_t *head = runs->head;
    uint64_t             row = head->top_down ? runs->y : head->height - 1 - runs->y;
    uint8_t             *out;

    if (runs->x < head->width && runs->y < head->height) {
        out = runs->out + (row * head->width + runs->x) * runs->pixel;
        out[0] = colour[0];
        if (runs->pixel == 3) {
            out[1] = colour[1];
            out[2] = colour[2];
        }
    }
    runs->x++;
}


/* The pixel number `i` of those at the present place. */
static void
put_packed(runs_t *runs, size_t i)
{
    const uint8_t *at = runs->at;
    uint8_t        colour[3] = { 0, 0, 0 };

    if (runs->packed == 4) {
        colour[0] = (uint8_t) (i % 2 == 0 ? at[i / 2] >> 4 : at[i / 2] & 15);
    } else if (runs->packed == 8) {
        colour[0] = at[i];
    } else {
        colour[0] = at[3 * i + 2];
        colour[1] = at[3 * i + 1];
        colour[2] = at[3 * i];
    }

    put(runs, colour);
}


/* A run of one value (of two nibbles in turn with RLE4). False: the file ends within it. */
static bool
encoded(runs_t *runs, size_t count)
{
    size_t size = runs->packed == 24 ? 3 : 1, i;

    if ((size_t) (runs->end - runs->at) < size) {
        return false;
    }
    for (i = 0; i < count; i++) {
        put_packed(runs, runs->packed == 4 ? i % 2 : 0);
    }
    runs->at += size;

    return true;
}


/* Pixels one by one, filled up to a multiple of 16 bits. */
static bool
absolute(runs_t *runs, size_t count)
{
    size_t size = (count * runs->packed + 7) / 8, left = (size_t) (runs->end - runs->at), i;

    if (left < size) {
        return false;
    }
    for (i = 0; i < count; i++) {
        put_packed(runs, i);
    }
    size += size % 2;
    runs->at += size < left ? size : left;

    return true;
}


static bool
delta(runs_t *runs)
{
    if (runs->end - runs->at < 2) {
        return false;
    }
    runs->x += runs->at[0];
    runs->y += runs->at[1];
    runs->at += 2;

    return true;
}


/* Follows the next two bytes. False at the end, be it marked or not. */
static bool
step(runs_t *runs, bool *marked)
{
    uint8_t count, value;

    if (runs->end - runs->at < 2) {
        return false;
    }
    count = *runs->at++;
    if (count != 0) {
        return encoded(runs, count);
    }

    value = *runs->at++;
    switch (value) {

    case END_OF_ROW:
        runs->x = 0;
        runs->y++;
        return true;

    case END_OF_BITMAP:
        *marked = true;
        return false;

    case DELTA:
        return delta(runs);

    default:
        return absolute(runs, value);
    }
}


void
cp_bmp_unpack(const cp_job_t *job, const cp_bmp_head_t *head, uint8_t *out)
{
    static const size_t packed[] = { [CP_BMP_RLE4] = 4, [CP_BMP_RLE8] = 8, [CP_BMP_RLE24] = 24 };

    runs_t runs = {
        .at = job->data + head->pixels,
        .end = job->data + job->size,
        .head = head,
        .pixel = head->coding == CP_BMP_RLE24 ? 3 : 1,
        .packed = packed[head->coding],
        .out = out,
    };
    bool   marked = false;

    memset(out, 0, (size_t) head->width * head->height * runs.pixel);
    while (runs.y < head->height && step(&runs, &marked)) {
        /* until the end */
    }

    /* Marked, the rest of the picture was left out on purpose; at the last row's end the mark may be missing. */
    if (!marked && runs.y < head->height && !(runs.y == head->height - 1 && runs.x >= head->width)) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
}
