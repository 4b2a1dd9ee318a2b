/* Small real files of each format, put together of parts that a letter each names, so that tests can leave one out. */
#ifndef PICTURES_H
#define PICTURES_H

#include <stdint.h>
#include <string.h>

#include <zlib.h>

#define PICTURE_PNG   "HTDE"
#define PICTURE_JPEG  "SAQFhHs.Z"
#define PICTURE_GIF   "9GXI;"
#define PICTURE_PDF   "%PDF-1.4\n1 0 obj\n<<>>\nendobj\nxref\n0 1\ntrailer\n<<>>\nstartxref\n9\n%%EOF"

typedef struct {
    size_t         len;
    unsigned char  bytes[4096];
} picture_t;


static inline void
picture_put(picture_t *picture, const void *data, size_t len)
{
    if (len > sizeof(picture->bytes) - picture->len) {
        __builtin_trap();
    }

    memcpy(picture->bytes + picture->len, data, len);
    picture->len += len;
}


/* The low `bytes` bytes of a number, the highest first. */
static inline void
picture_big(picture_t *picture, uint32_t number, size_t bytes)
{
    unsigned char byte;

    while (bytes-- > 0) {
        byte = (unsigned char) (number >> 8 * bytes);
        picture_put(picture, &byte, 1);
    }
}


static inline void
picture_little(picture_t *picture, uint32_t number, size_t bytes)
{
    unsigned char byte;

    for (; bytes > 0; bytes--, number >>= 8) {
        byte = (unsigned char) number;
        picture_put(picture, &byte, 1);
    }
}


static inline void
picture_zeros(picture_t *picture, size_t n)
{
    while (n-- > 0) {
        picture_put(picture, "", 1);
    }
}


static inline void
picture_chunk(picture_t *picture, const char *type, const void *data, size_t len, uint32_t fault)
{
    uLong crc = crc32(crc32(0, (const Bytef *) type, 4), data, (uInt) len);

    picture_big(picture, (uint32_t) len, 4);
    picture_put(picture, type, 4);
    picture_put(picture, data, len);
    picture_big(picture, (uint32_t) crc ^ fault, 4);
}


static inline void
picture_ihdr(picture_t *picture, uint32_t width, uint32_t height, unsigned depth, unsigned colour, uint32_t fault)
{
    picture_t data = { 0 };

    picture_big(&data, width, 4);
    picture_big(&data, height, 4);
    picture_big(&data, depth, 1);
    picture_big(&data, colour, 1);
    picture_zeros(&data, 3);
    picture_chunk(picture, "IHDR", data.bytes, data.len, fault);
}


/* Eight rows of eight grey pixels, or of eight indices. */
static inline void
picture_idat(picture_t *picture, uint32_t fault)
{
    static const unsigned char rows[8 * 9];

    unsigned char packed[128];
    uLongf        len = sizeof(packed);

    compress(packed, &len, rows, sizeof(rows));
    picture_chunk(picture, "IDAT", packed, len, fault);
}


static inline void
picture_png_part(picture_t *picture, char part)
{
    switch (part) {
    case 'H': picture_ihdr(picture, 8, 8, 8, 0, 0); break;
    case 'I': picture_ihdr(picture, 8, 8, 8, 3, 0); break;
    case 'f': picture_ihdr(picture, 8, 8, 8, 0, 1); break;           /* bad CRC */
    case '0': picture_ihdr(picture, 0, 8, 8, 0, 0); break;
    case 'w': picture_ihdr(picture, 0x80000000u, 8, 8, 0, 0); break;
    case 'b': picture_ihdr(picture, 30000, 30000, 1, 0, 0); break;
    case '3': picture_ihdr(picture, 8, 8, 3, 0, 0); break;           /* no such depth */
    case 'c': picture_ihdr(picture, 8, 8, 8, 5, 0); break;           /* no such colour type */
    case 'g': picture_ihdr(picture, 8, 8, 16, 3, 0); break;          /* 16-bit indices */
    case 'h': picture_chunk(picture, "IHDR", "123456789abc", 12, 0); break;
    case 'P': picture_chunk(picture, "PLTE", "\1\2\3\4\5\6", 6, 0); break;
    case 'p': picture_chunk(picture, "PLTE", "\1\2\3\4\5", 5, 0); break;
    case 'q': picture_chunk(picture, "PLTE", "\1\2\3", 3, 0x100); break;
    case 'T': picture_chunk(picture, "tEXt", "Comment\0hello", 13, 0); break;
    case 't': picture_chunk(picture, "tEXt", "Comment\0hello", 13, 1); break;
    case 'X': picture_chunk(picture, "XxXX", "?", 1, 0); break;
    case '!': picture_chunk(picture, "\1\2\3\4", "?", 1, 0); break;
    case 'L': picture_put(picture, "\x80\0\0\0IDAT", 8); break;
    case 'D': picture_idat(picture, 0); break;
    case 'x': picture_idat(picture, 1); break;
    case 'd': picture_chunk(picture, "IDAT", "", 0, 0); break;
    case 'E': picture_chunk(picture, "IEND", "", 0, 0); break;
    case 'e': picture_chunk(picture, "IEND", "1", 1, 0); break;
    case 'n': picture_chunk(picture, "IEND", "", 0, 1); break;
    default:  picture_put(picture, &part, 1);
    }
}


static inline void
picture_segment(picture_t *picture, unsigned marker, const void *data, size_t len)
{
    picture_big(picture, 0xff00 | marker, 2);
    picture_big(picture, (uint32_t) len + 2, 2);
    picture_put(picture, data, len);
}


#define SEGMENT(marker, bytes)  picture_segment(picture, marker, bytes, sizeof(bytes) - 1)

/* A code of one bit of value 0; 16 by 16 grey pixels. */
static inline void
picture_jpeg_part(picture_t *picture, char part)
{
    static const unsigned char table[65] = { 0 };

    switch (part) {
    case 'S': picture_put(picture, "\xff\xd8", 2); break;
    case 'A': SEGMENT(0xe0, "JFIF\0\1\1\1\0\x48\0\x48\0\0"); break;
    case 'C': SEGMENT(0xfe, "a comment \xff\xd9 of sorts"); break;
    case 'a': picture_put(picture, "\xff\xe1\0\1", 4); break;             /* a length below 2 */
    case 'Q': picture_segment(picture, 0xdb, table, sizeof(table)); break;
    case 'q': picture_segment(picture, 0xdb, table, sizeof(table) - 1); break;
    case 'F': SEGMENT(0xc0, "\x08\0\x10\0\x10\1\1\x11\0"); break;
    case 'E': SEGMENT(0xc1, "\x08\0\x10\0\x10\1\1\x11\0"); break;
    case 'P': SEGMENT(0xc2, "\x08\0\x10\0\x10\1\1\x11\0"); break;
    case 'l': SEGMENT(0xc3, "\x08\0\x10\0\x10\1\1\x11\0"); break;         /* lossless */
    case 'r': SEGMENT(0xc9, "\x08\0\x10\0\x10\1\1\x11\0"); break;         /* arithmetic */
    case 'u': SEGMENT(0xde, "\x08\0\x10\0\x10\1\1\x11\0"); break;         /* hierarchical */
    case '2': SEGMENT(0xc1, "\x0c\0\x10\0\x10\1\1\x11\0"); break;         /* 12 bits */
    case '0': SEGMENT(0xc0, "\x08\0\x10\0\0\1\1\x11\0"); break;           /* no width */
    case 'N': SEGMENT(0xc0, "\x08\0\0\0\x10\1\1\x11\0"); break;           /* height in DNL */
    case 'b': SEGMENT(0xc0, "\x08\xff\xff\xff\xff\1\1\x11\0"); break;
    case 'g': SEGMENT(0xc0, "\x08\0\x10\0\x10\1\1\x51\0"); break;         /* sampling of 5 */
    case 'c': SEGMENT(0xc0, "\x08\0\x10\0\x10\2\1\x11\0"); break;         /* two components, one described */
    case '3': SEGMENT(0xc0, "\x08\0\x10\0\x10\3\1\x11\0\2\x11\0\3\x11\0"); break;
    case 'h': SEGMENT(0xc4, "\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"); break;
    case 'H': SEGMENT(0xc4, "\x10\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"); break;
    case 'i': SEGMENT(0xc4, "\x24\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"); break;
    case 'k': SEGMENT(0xc4, "\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"); break;
    case 'D': SEGMENT(0xdd, "\0\4"); break;
    case 'd': SEGMENT(0xdd, "\0\4\0"); break;
    case 's': SEGMENT(0xda, "\1\1\0\0\x3f\0"); break;
    case 'o': SEGMENT(0xda, "\1\1\0\0\0\0"); break;                       /* DC only */
    case 'v': SEGMENT(0xda, "\1\1\0\1\x3f\0"); break;                     /* AC only */
    case 'm': SEGMENT(0xda, "\1\7\0\0\x3f\0"); break;                     /* a component that is not there */
    case 'y': SEGMENT(0xda, "\2\1\0\0\x3f\0"); break;
    case '.': picture_put(picture, "\0\xff\0\xff\xd0\0", 6); break;       /* stuffed zero, restart marker */
    case '~': picture_put(picture, "\xff\xff\xff", 3); break;             /* fill bytes */
    case '?': picture_put(picture, "??", 2); break;
    case '<': picture_put(picture, "\xff\x02", 2); break;                 /* reserved */
    case 'Z': picture_put(picture, "\xff\xd9", 2); break;
    default:  picture_put(picture, &part, 1);
    }
}


static inline void
picture_gif_part(picture_t *picture, char part)
{
    switch (part) {
    case '7': picture_put(picture, "GIF87a\4\0\4\0\0\0\0", 13); break;
    case '9': picture_put(picture, "GIF89a\4\0\4\0\x80\0\0", 13); break;
    case '0': picture_put(picture, "GIF89a\0\0\0\0\x80\0\0", 13); break;
    case '8': picture_put(picture, "GIF88a\4\0\4\0\x80\0\0", 13); break;
    case 'b': picture_put(picture, "GIF89a\xff\xff\xff\xff\x80\0\0", 13); break;
    case 'G': picture_put(picture, "\0\0\0\xff\xff\xff", 6); break;
    case 'X': picture_put(picture, "\x21\xfe\5hello\0", 9); break;
    case 'I': picture_put(picture, "\x2c\0\0\0\0\4\0\4\0\0\2\3\x84\x8f\5\0", 16); break;
    case 'L': picture_put(picture, "\x2c\0\0\0\0\4\0\4\0\x80GGGGGG\2\3\x84\x8f\5\0", 22); break;
    case 'z': picture_put(picture, "\x2c\0\0\0\0\0\0\4\0\0\2\3\x84\x8f\5\0", 16); break;
    case 'p': picture_put(picture, "\x2c\0\0\0\0\xff\xff\xff\xff\0\2\3\x84\x8f\5\0", 16); break;
    case 'w': picture_put(picture, "\x2c\0\0\0\0\4\0\4\0\0\x0c\3\x84\x8f\5\0", 16); break;
    case 'e': picture_put(picture, "\x2c\0\0\0\0\4\0\4\0\0\2\0", 12); break;
    default:  picture_put(picture, &part, 1);
    }
}


typedef struct {
    uint32_t  header;                          /* its size */
    int32_t   width, height;
    unsigned  planes, bits;
    uint32_t  compression, colours, offset;
    size_t    body;                            /* bytes from the offset on */
} picture_bmp_t;


/* The body may be NULL: zeros. */
static inline void
picture_bmp(picture_t *picture, const picture_bmp_t *row, const void *body)
{
    size_t bytes = row->header == 12 ? 2 : 4;

    picture->len = 0;
    picture_put(picture, "BM", 2);
    picture_zeros(picture, 8);
    picture_little(picture, row->offset, 4);
    picture_little(picture, row->header, 4);
    picture_little(picture, (uint32_t) row->width, bytes);
    picture_little(picture, (uint32_t) row->height, bytes);
    picture_little(picture, row->planes, 2);
    picture_little(picture, row->bits, 2);

    if (row->header >= 40) {
        picture_little(picture, row->compression, 4);
        picture_zeros(picture, 12);
        picture_little(picture, row->colours, 4);
        picture_zeros(picture, row->header - 36);
    }

    if (row->offset < sizeof(picture->bytes) && row->offset > picture->len) {
        picture_zeros(picture, row->offset - picture->len);
    }
    if (body != NULL) {
        picture_put(picture, body, row->body);
    } else {
        picture_zeros(picture, row->body);
    }
}


typedef void (*picture_part_fn)(picture_t *picture, char part);


static inline void
picture_parts(picture_t *picture, picture_part_fn part, const char *parts)
{
    for (; *parts != '\0'; parts++) {
        part(picture, *parts);
    }
}


static inline void
picture_png(picture_t *picture, const char *parts)
{
    picture->len = 0;
    picture_put(picture, "\x89PNG\r\n\x1a\n", 8);
    picture_parts(picture, picture_png_part, parts);
}


static inline void
picture_jpeg(picture_t *picture, const char *parts)
{
    picture->len = 0;
    picture_parts(picture, picture_jpeg_part, parts);
}


static inline void
picture_gif(picture_t *picture, const char *parts)
{
    picture->len = 0;
    picture_parts(picture, picture_gif_part, parts);
}

#undef SEGMENT

#endif
