/* JPEG (ITU-T T.81 Annex B): the segments, one frame, and scans that are followed by the end of the image. */
#include <string.h>

#include "walk/walk_format.h"

#define SOI  0xd8u
#define EOI  0xd9u

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

typedef struct {
    unsigned           first, last;    /* markers */
    cp_walk_verdict_t  verdict;        /* of one that ends the walk */
    cp_walk_step_fn    body;           /* runs when the length is known; NULL: the marker stands alone */
} row_t;

static cp_walk_verdict_t between(cp_walk_t *walk, const unsigned char **p, const unsigned char *end);


static cp_walk_verdict_t
segment_over(cp_walk_t *walk)
{
    return cp_walk_scan(walk, between);
}


static cp_walk_verdict_t
pass_over(cp_walk_t *walk)
{
    return walk->of.jpeg.left == 0 ? segment_over(walk) : cp_walk_next(walk, segment_over, walk->of.jpeg.left, 0);
}


/* The components of the frame: id, sampling factors, quantization table. */
static cp_walk_verdict_t
frame_components(cp_walk_t *walk)
{
    cp_walk_jpeg_t      *jpeg = &walk->of.jpeg;
    const unsigned char *p = walk->buffer;
    unsigned             i, across, down;

    for (i = 0; i < jpeg->components; i++, p += 3) {
        across = p[1] >> 4;
        down = p[1] & 15;
        if (across < 1 || across > 4 || down < 1 || down > 4) {
            return CP_WALK_DIMENSIONS;
        }
        if (p[2] > 3) {
            return CP_WALK_MISSING;
        }
        jpeg->ids[i] = p[0];
        jpeg->selectors[i] = p[2];
    }

    return segment_over(walk);
}


/* Samples of 12 bits are legal and beyond what decoders are built for. A height of 0 promises a DNL segment. */
static cp_walk_verdict_t
frame_header(cp_walk_t *walk)
{
    cp_walk_jpeg_t      *jpeg = &walk->of.jpeg;
    const unsigned char *p = walk->buffer;

    walk->height = cp_walk_be16(p + 1);
    walk->width = cp_walk_be16(p + 3);
    jpeg->components = p[5];

    if (jpeg->left != 6 + 3 * jpeg->components) {
        return CP_WALK_LENGTH;
    }
    if (walk->width == 0 || jpeg->components == 0) {
        return CP_WALK_DIMENSIONS;
    }
    if (walk->height == 0 || p[0] != 8 || jpeg->components > COUNT(jpeg->ids)) {
        return CP_WALK_UNSUPPORTED;
    }
    CP_WALK_TRY(cp_walk_pixels(walk, walk->width, walk->height));

    walk->pages = 1;
    return cp_walk_next(walk, frame_components, 0, 3 * (size_t) jpeg->components);
}


static cp_walk_verdict_t
frame(cp_walk_t *walk)
{
    cp_walk_jpeg_t *jpeg = &walk->of.jpeg;

    if (jpeg->components != 0) {
        return CP_WALK_ORDER;
    }

    jpeg->progressive = jpeg->marker == 0xc2;

    return jpeg->left < 6 ? CP_WALK_LENGTH : cp_walk_next(walk, frame_header, 0, 6);
}


/* The component of that id must be in the frame and its quantization table here. */
static cp_walk_verdict_t
scan_component(cp_walk_jpeg_t *jpeg, unsigned char id)
{
    bool     known = false;
    unsigned i;

    for (i = 0; i < jpeg->components; i++) {
        if (jpeg->ids[i] != id) {
            continue;
        }
        if ((jpeg->tables >> jpeg->selectors[i] & 1u) == 0) {
            return CP_WALK_MISSING;
        }
        jpeg->scanned |= 1u << i;
        known = true;
    }

    return known ? CP_WALK_OK : CP_WALK_MISSING;
}


/* T.81 table G.1: a scan of a progressive frame is of the DC coefficients, or of AC ones of one component. */
static bool
progression_fits(unsigned components, const unsigned char *p)
{
    unsigned from = p[0], to = p[1], high = p[2] >> 4, low = p[2] & 15;

    if (from == 0 ? to != 0 : from > to || to > 63 || components != 1) {
        return false;
    }

    return low <= 13 && (high == 0 || low + 1 == high);
}


static cp_walk_verdict_t
scan_header(cp_walk_t *walk)
{
    cp_walk_jpeg_t *jpeg = &walk->of.jpeg;
    unsigned        i, components = (jpeg->left - 4) / 2;

    for (i = 0; i < components; i++) {
        CP_WALK_TRY(scan_component(jpeg, walk->buffer[2 * i]));
    }

    if (jpeg->progressive && !progression_fits(components, walk->buffer + 2 * components)) {
        return CP_WALK_ORDER;
    }

    jpeg->empty = true;
    return cp_walk_scan(walk, between);
}


static cp_walk_verdict_t
scan_components(cp_walk_t *walk)
{
    unsigned left = walk->of.jpeg.left, components = walk->buffer[0];

    if (components < 1 || components > 4 || left != 4 + 2 * components) {
        return CP_WALK_LENGTH;
    }

    return cp_walk_next(walk, scan_header, 0, left - 1);
}


static cp_walk_verdict_t
scan(cp_walk_t *walk)
{
    if (walk->of.jpeg.components == 0) {
        return CP_WALK_ORDER;
    }

    return walk->of.jpeg.left == 0 ? CP_WALK_LENGTH : cp_walk_next(walk, scan_components, 0, 1);
}


static cp_walk_verdict_t quantization_table(cp_walk_t *walk);


static cp_walk_verdict_t
quantization(cp_walk_t *walk)
{
    return walk->of.jpeg.left == 0 ? segment_over(walk) : cp_walk_next(walk, quantization_table, 0, 1);
}


static cp_walk_verdict_t
quantization_table(cp_walk_t *walk)
{
    cp_walk_jpeg_t *jpeg = &walk->of.jpeg;
    unsigned        precision = walk->buffer[0] >> 4, number = walk->buffer[0] & 15;
    unsigned        size = 64u << (precision & 1u);

    if (precision > 1 || number > 3 || jpeg->left < 1 + size) {
        return CP_WALK_LENGTH;
    }

    jpeg->tables |= 1u << number;
    jpeg->left -= 1 + size;

    return cp_walk_next(walk, quantization, size, 0);
}


static cp_walk_verdict_t huffman_table(cp_walk_t *walk);


static cp_walk_verdict_t
huffman(cp_walk_t *walk)
{
    unsigned left = walk->of.jpeg.left;

    return left == 0 ? segment_over(walk) : left < 17 ? CP_WALK_LENGTH : cp_walk_next(walk, huffman_table, 0, 17);
}


/* Class and number, then how many codes there are of each length. */
static cp_walk_verdict_t
huffman_table(cp_walk_t *walk)
{
    cp_walk_jpeg_t *jpeg = &walk->of.jpeg;
    unsigned        i, codes = 0;

    for (i = 1; i <= 16; i++) {
        codes += walk->buffer[i];
    }

    if ((walk->buffer[0] & ~0x13u) != 0 || codes > 256 || jpeg->left < 17 + codes) {
        return CP_WALK_LENGTH;
    }

    jpeg->left -= 17 + codes;

    return codes == 0 ? huffman(walk) : cp_walk_next(walk, huffman, codes, 0);
}


static cp_walk_verdict_t
restart_interval(cp_walk_t *walk)
{
    return walk->of.jpeg.left != 2 ? CP_WALK_LENGTH : pass_over(walk);
}


static cp_walk_verdict_t
length(cp_walk_t *walk)
{
    cp_walk_jpeg_t *jpeg = &walk->of.jpeg;
    unsigned        bytes = cp_walk_be16(walk->buffer);

    if (bytes < 2) {
        return CP_WALK_LENGTH;
    }

    jpeg->left = bytes - 2;
    return jpeg->body(walk);
}


static cp_walk_verdict_t
end_of_image(cp_walk_t *walk)
{
    cp_walk_jpeg_t *jpeg = &walk->of.jpeg;

    if (jpeg->components == 0 || jpeg->scanned != (1u << jpeg->components) - 1) {
        return CP_WALK_MISSING;
    }

    return cp_walk_done(walk);
}


/* T.81 table B.1. Arithmetic coding, lossless and hierarchical frames are not what scanners and cameras write. */
static const row_t *
row_of(unsigned marker)
{
    static const row_t rows[] = {
        { 0x01, 0x01, CP_WALK_OK, NULL },
        { 0xc0, 0xc2, CP_WALK_OK, frame },
        { 0xc4, 0xc4, CP_WALK_OK, huffman },
        { 0xcc, 0xcc, CP_WALK_OK, pass_over },
        { SOI, SOI, CP_WALK_ORDER, NULL },
        { 0xda, 0xda, CP_WALK_OK, scan },
        { 0xdb, 0xdb, CP_WALK_OK, quantization },
        { 0xdc, 0xdc, CP_WALK_OK, pass_over },
        { 0xdd, 0xdd, CP_WALK_OK, restart_interval },
        { 0xe0, 0xef, CP_WALK_OK, pass_over },
        { 0xfe, 0xfe, CP_WALK_OK, pass_over },
        { 0x00, 0xff, CP_WALK_UNSUPPORTED, NULL },
    };
    const row_t *row = rows;

    while (marker < row->first || marker > row->last) {
        row++;
    }

    return row;
}


static cp_walk_verdict_t
marker_found(cp_walk_t *walk, unsigned marker)
{
    cp_walk_jpeg_t *jpeg = &walk->of.jpeg;
    const row_t    *row = row_of(marker);

    if (jpeg->empty) {
        return CP_WALK_TRUNCATED;
    }
    if (marker == EOI) {
        return end_of_image(walk);
    }
    if (row->verdict != CP_WALK_OK || row->body == NULL) {
        return row->verdict;
    }

    jpeg->marker = marker;
    jpeg->body = row->body;

    return cp_walk_next(walk, length, 0, 2);
}


/*
 * What lies between two segments: coded data with its stuffed zeros and restart markers, fill bytes, or bytes that
 * mean nothing, which decoders pass over.
 */
static cp_walk_verdict_t
between(cp_walk_t *walk, const unsigned char **p, const unsigned char *end)
{
    cp_walk_jpeg_t      *jpeg = &walk->of.jpeg;
    const unsigned char *at = *p, *found;
    unsigned             byte;

    *p = end;

    while (at < end) {
        if (!jpeg->escape) {
            found = memchr(at, 0xff, (size_t) (end - at));
            jpeg->empty = jpeg->empty && found == at;
            if (found == NULL) {
                return CP_WALK_OK;
            }
            jpeg->escape = true;
            at = found + 1;
            continue;
        }

        byte = *at++;
        jpeg->escape = byte == 0xff;
        jpeg->empty = jpeg->empty && byte != 0;

        if (byte != 0 && byte != 0xff && (byte & 0xf8) != 0xd0) {
            *p = at;
            return marker_found(walk, byte);
        }
    }

    return CP_WALK_OK;
}


static cp_walk_verdict_t
signature(cp_walk_t *walk)
{
    return walk->buffer[0] == 0xff && walk->buffer[1] == SOI ? cp_walk_scan(walk, between) : CP_WALK_SIGNATURE;
}


static void
begin(cp_walk_t *walk)
{
    cp_walk_next(walk, signature, 0, 2);
}


const cp_walk_format_t cp_walk_jpeg = { begin, NULL };
