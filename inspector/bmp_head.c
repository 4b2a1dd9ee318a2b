#include <string.h>

#include "bmp.h"

#define FILE_HEAD     14u
#define CORE          12u
#define INFO          40u
#define OS2_LONGEST   64u
#define MASKS_AT      40u      /* from the head's begin: in it from version 2 on, behind it before */

enum { RGB = 0, RLE8 = 1, RLE4 = 2, BITFIELDS = 3, JPEG_OR_RLE24 = 4, PNG = 5, ALPHABITFIELDS = 6 };


static uint32_t
number(const cp_job_t *job, size_t at, size_t bytes)
{
    uint32_t value = 0;

    if (at + bytes > job->size) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
    while (bytes-- != 0) {
        value = value << 8 | job->data[at + bytes];
    }

    return value;
}


/* A field of the head, 0 when the head is too short to have it. */
static uint32_t
field(const cp_job_t *job, size_t head_size, size_t at, size_t bytes)
{
    return at + bytes <= head_size ? number(job, FILE_HEAD + at, bytes) : 0;
}


/* Lengths that Windows wrote; the others up to OS/2's longest are OS/2's, which may be cut after any field. */
static bool
is_os2(uint32_t size)
{
    return size > 12 && size <= OS2_LONGEST && size != INFO && size != 52 && size != 56;
}


static bool
is_known_size(uint32_t size)
{
    if (is_os2(size)) {
        return size >= 16 && (size % 4 == 0 || size == 42 || size == 46);
    }

    return size == CORE || size == INFO || size == 52 || size == 56 || size == 108 || size == 124;
}


static void
read_size(const cp_job_t *job, uint32_t size, cp_bmp_head_t *head)
{
    int64_t width = (int32_t) field(job, size, 4, 4), height = (int32_t) field(job, size, 8, 4);

    if (size == CORE) {
        width = field(job, size, 4, 2);
        height = field(job, size, 6, 2);
        head->depth = field(job, size, 10, 2);
    } else {
        head->depth = field(job, size, 14, 2);
    }

    head->top_down = height < 0;
    height = height < 0 ? -height : height;
    cp_job_check_size(job, width < 0 ? 0 : (uint64_t) width, (uint64_t) height);
    head->width = (uint32_t) width;
    head->height = (uint32_t) height;
}


/* What may go together; anything else is either a kind that is not read here, or no bitmap. */
static void
read_coding(const cp_job_t *job, uint32_t size, cp_bmp_head_t *head)
{
    static const struct {
        uint32_t         compression;
        unsigned         depth;
        bool             os2;
        cp_bmp_coding_t  coding;
    } rows[] = {
        { RGB, 1, true, CP_BMP_PLAIN },          { RGB, 2, true, CP_BMP_PLAIN },       { RGB, 4, true, CP_BMP_PLAIN },
        { RGB, 8, true, CP_BMP_PLAIN },          { RGB, 16, true, CP_BMP_FIELDS },     { RGB, 24, true, CP_BMP_PLAIN },
        { RGB, 32, true, CP_BMP_FIELDS },        { RLE8, 8, true, CP_BMP_RLE8 },       { RLE4, 4, true, CP_BMP_RLE4 },
        { BITFIELDS, 16, false, CP_BMP_FIELDS }, { BITFIELDS, 32, false, CP_BMP_FIELDS },
        { ALPHABITFIELDS, 16, false, CP_BMP_FIELDS }, { ALPHABITFIELDS, 32, false, CP_BMP_FIELDS },
        { JPEG_OR_RLE24, 24, true, CP_BMP_RLE24 },
    };
    uint32_t compression = field(job, size, 16, 4);
    bool     depth_known = false;
    size_t   i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].compression == compression && rows[i].depth == head->depth && (rows[i].os2 || !is_os2(size))
            && (rows[i].coding != CP_BMP_RLE24 || is_os2(size)))
        {
            head->coding = rows[i].coding;
            return;
        }
        depth_known = depth_known || rows[i].depth == head->depth;
    }

    cp_job_refuse(compression != RGB || head->depth == 64 || depth_known ? CP_INSPECT_UNSUPPORTED : CP_INSPECT_DAMAGED);
}


static void
set_field(cp_bmp_field_t *out, uint32_t mask)
{
    out->mask = mask;
    out->shift = mask == 0 ? 0 : (unsigned) __builtin_ctz(mask);
    out->most = mask >> out->shift;
}


/* Returns the bytes that the masks take behind the head. */
static size_t
read_fields(const cp_job_t *job, uint32_t size, cp_bmp_head_t *head)
{
    static const uint32_t usual[2][3] = { { 0x7c00, 0x03e0, 0x001f }, { 0xff0000, 0x00ff00, 0x0000ff } };

    uint32_t compression = field(job, size, 16, 4);
    size_t   i, count = 3;

    if (head->coding != CP_BMP_FIELDS) {
        return 0;
    }
    if (compression == RGB) {
        for (i = 0; i < 3; i++) {
            set_field(&head->fields[i], usual[head->depth == 32][i]);
        }
        return 0;
    }

    if (compression == ALPHABITFIELDS || size >= 56) {
        count = 4;
    }
    for (i = 0; i < count; i++) {
        set_field(&head->fields[i], number(job, FILE_HEAD + MASKS_AT + 4 * i, 4));
    }

    return size == INFO ? 4 * count : 0;
}


/* As many colours as there is room for before the pixels; missing ones stay black. */
static void
read_palette(const cp_job_t *job, uint32_t size, size_t at, cp_bmp_head_t *head)
{
    size_t   entry = size == CORE ? 3 : 4, room, i;
    uint32_t most, used = field(job, size, 32, 4);

    if (head->depth > 8) {
        return;
    }
    most = 1u << head->depth;

    if (head->pixels < at) {
        head->pixels = at + entry * (used != 0 && used < most ? used : most);
    }
    room = ((head->pixels < job->size ? head->pixels : job->size) - at) / entry;
    head->colours = used == 0 || used > most ? most : used;
    head->colours = head->colours < room ? head->colours : (unsigned) room;

    for (i = 0; i < head->colours; i++) {
        const uint8_t *colour = job->data + at + entry * i;

        head->palette[i] = (cp_colour_t) { colour[2], colour[1], colour[0], 255 };
    }
}


void
cp_bmp_read_head(const cp_job_t *job, cp_bmp_head_t *head)
{
    uint32_t size = number(job, FILE_HEAD, 4);
    size_t   at;

    if (memcmp(job->data, "BM", 2) != 0 || !is_known_size(size)) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }

    read_size(job, size, head);
    read_coding(job, size, head);

    head->pixels = number(job, 10, 4);
    at = FILE_HEAD + size + read_fields(job, size, head);
    if (at > job->size) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }

    /* A place within the head, mostly 0, was not filled in: the pixels follow the palette. */
    read_palette(job, size, at, head);
    if (head->pixels < at) {
        head->pixels = at;
    }
    if (head->pixels > job->size) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
}
