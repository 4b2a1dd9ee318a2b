#include <stdlib.h>
#include <string.h>

#include "bmp.h"
#include "decoders.h"


/* The row that is `y` from the top. Whether all are there has been checked. */
static const uint8_t *
row_of(const cp_job_t *job, const cp_bmp_head_t *head, uint32_t y)
{
    size_t stride = ((size_t) head->width * head->depth + 31) / 32 * 4;

    return job->data + head->pixels + stride * (head->top_down ? y : head->height - 1 - y);
}


/* The last row's filling may be missing. */
static void
check_rows(const cp_job_t *job, const cp_bmp_head_t *head)
{
    uint64_t bits = (uint64_t) head->width * head->depth, stride = (bits + 31) / 32 * 4;

    if (stride * (head->height - 1) + (bits + 7) / 8 > job->size - head->pixels) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
}


static void
indices(const cp_bmp_head_t *head, const uint8_t *in, uint8_t *out)
{
    unsigned mask = (1u << head->depth) - 1, per_byte = 8 / head->depth;
    uint32_t x;

    for (x = 0; x < head->width; x++) {
        out[x] = (uint8_t) ((unsigned) in[x / per_byte] >> (8 - head->depth - x % per_byte * head->depth) & mask);
    }
}


static void
triples(const cp_bmp_head_t *head, const uint8_t *in, uint8_t *out)
{
    uint32_t x;

    for (x = 0; x < head->width; x++, in += 3, out += 3) {
        out[0] = in[2];
        out[1] = in[1];
        out[2] = in[0];
    }
}


static uint32_t
word(const cp_bmp_head_t *head, const uint8_t *in)
{
    uint32_t value = (uint32_t) in[0] | (uint32_t) in[1] << 8;

    return head->depth == 16 ? value : value | (uint32_t) in[2] << 16 | (uint32_t) in[3] << 24;
}


static uint8_t
channel(const cp_bmp_field_t *field, uint32_t value)
{
    uint64_t part = (value & field->mask) >> field->shift;

    return (uint8_t) (field->most == 0 ? 0 : (part * 255 + field->most / 2) / field->most);
}


static void
words(const cp_bmp_head_t *head, const uint8_t *in, uint8_t *out, size_t channels)
{
    size_t   size = head->depth / 8, c;
    uint32_t x, value;

    for (x = 0; x < head->width; x++, in += size, out += channels) {
        value = word(head, in);
        for (c = 0; c < channels; c++) {
            out[c] = channel(&head->fields[c], value);
        }
    }
}


/* Many writers fill alpha with zeros and mean an opaque picture. */
static bool
has_alpha(const cp_job_t *job, const cp_bmp_head_t *head)
{
    uint32_t x, y;

    if (head->coding != CP_BMP_FIELDS || head->fields[3].most == 0) {
        return false;
    }

    for (y = 0; y < head->height; y++) {
        const uint8_t *row = row_of(job, head, y);

        for (x = 0; x < head->width; x++) {
            if ((word(head, row + x * (head->depth / 8)) & head->fields[3].mask) != 0) {
                return true;
            }
        }
    }

    return false;
}


static void
read_rows(cp_job_t *job, const cp_bmp_head_t *head, cp_image_t *image)
{
    uint8_t *row;
    uint32_t y;

    check_rows(job, head);
    image->pixels = head->depth <= 8 ? CP_PIXELS_INDEX : has_alpha(job, head) ? CP_PIXELS_RGBA : CP_PIXELS_RGB;
    cp_image_begin(image, job, &job->reply.copy);
    row = malloc((size_t) head->width * image->channels);

    for (y = 0; y < head->height; y++) {
        const uint8_t *in = row_of(job, head, y);

        if (head->depth <= 8) {
            indices(head, in, row);
        } else if (head->coding == CP_BMP_PLAIN) {
            triples(head, in, row);
        } else {
            words(head, in, row, image->channels);
        }
        cp_image_row(image, row);
    }

    free(row);
}


static void
read_runs(cp_job_t *job, const cp_bmp_head_t *head, cp_image_t *image)
{
    size_t   row = (size_t) head->width * (head->coding == CP_BMP_RLE24 ? 3 : 1);
    uint8_t *pixels = malloc(row * head->height);
    uint32_t y;

    cp_bmp_unpack(job, head, pixels);
    image->pixels = head->coding == CP_BMP_RLE24 ? CP_PIXELS_RGB : CP_PIXELS_INDEX;
    cp_image_begin(image, job, &job->reply.copy);
    for (y = 0; y < head->height; y++) {
        cp_image_row(image, pixels + row * y);
    }

    free(pixels);
}


void
cp_bmp_decode(cp_job_t *job)
{
    static cp_bmp_head_t head;
    static cp_image_t    image;

    cp_bmp_read_head(job, &head);

    cp_image_clear(&image);
    image.width = head.width;
    image.height = head.height;
    image.colours = head.colours;
    memcpy(image.palette, head.palette, head.colours * sizeof(head.palette[0]));

    if (head.coding == CP_BMP_PLAIN || head.coding == CP_BMP_FIELDS) {
        read_rows(job, &head, &image);
    } else {
        read_runs(job, &head, &image);
    }
    cp_image_end(&image, &job->reply.thumbnail);
}
