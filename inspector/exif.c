#include "exif.h"

#include <stdbool.h>
#include <string.h>

#define IDENTIFIER   6u        /* "Exif\0\0", before the TIFF structure */
#define TIFF_HEAD    8u
#define ENTRY        12u
#define ORIENTATION  0x0112u
#define SHORT        3u

typedef struct {
    const uint8_t  *data;
    size_t          size;
    bool            big_endian;
} tiff_t;


static uint32_t
number(const tiff_t *tiff, size_t at, size_t bytes)
{
    uint32_t value = 0;
    size_t   i;

    for (i = 0; i < bytes; i++) {
        value = value << 8 | tiff->data[at + (tiff->big_endian ? i : bytes - 1 - i)];
    }

    return value;
}


unsigned
cp_exif_orientation(const uint8_t *data, size_t size)
{
    tiff_t   tiff;
    size_t   at, count, i;
    uint32_t value;

    if (size < IDENTIFIER + TIFF_HEAD || memcmp(data, "Exif\0", IDENTIFIER) != 0) {
        return 1;
    }
    tiff.data = data + IDENTIFIER;
    tiff.size = size - IDENTIFIER;
    tiff.big_endian = tiff.data[0] == 'M';
    if (memcmp(tiff.data, tiff.big_endian ? "MM\0*" : "II*\0", 4) != 0) {
        return 1;
    }

    at = number(&tiff, 4, 4);
    if (at > tiff.size - 2) {
        return 1;
    }
    count = number(&tiff, at, 2);
    at += 2;

    for (i = 0; i < count && tiff.size - at >= ENTRY; i++, at += ENTRY) {
        if (number(&tiff, at, 2) == ORIENTATION && number(&tiff, at + 2, 2) == SHORT) {
            value = number(&tiff, at + 8, 2);
            return value >= 1 && value <= 8 ? value : 1;
        }
    }

    return 1;
}
