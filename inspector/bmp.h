/*
 * Windows and OS/2 bitmaps. No library that Debian keeps reads all their variants and says when pixels are missing
 * (libnsbmp shows what it has; the loaders in toolkits bring the toolkit), and the format is small: so it is read here.
 * The fields are those of BITMAPFILEHEADER, BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER
 * (Windows GDI) and OS/2's BITMAPINFOHEADER2.
 */
#ifndef CP_BMP_H
#define CP_BMP_H

#include "image.h"

typedef enum {
    CP_BMP_PLAIN,
    CP_BMP_RLE4,
    CP_BMP_RLE8,
    CP_BMP_RLE24,
    CP_BMP_FIELDS
} cp_bmp_coding_t;

typedef struct {
    uint32_t  mask;
    unsigned  shift;
    uint32_t  most;          /* its largest value, shifted; 0: no such channel */
} cp_bmp_field_t;

typedef struct {
    uint32_t         width;
    uint32_t         height;
    bool             top_down;
    unsigned         depth;          /* bits a pixel: 1 2 4 8 16 24 32 */
    cp_bmp_coding_t  coding;
    cp_bmp_field_t   fields[4];      /* red, green, blue, alpha; of 16 and 32 bits */
    unsigned         colours;
    cp_colour_t      palette[256];
    size_t           pixels;         /* where they begin in the file */
} cp_bmp_head_t;

/* Reads and checks everything before the pixels; refuses what is damaged or of an unknown kind. */
void cp_bmp_read_head(const cp_job_t *job, cp_bmp_head_t *head);

/* Unpacks run lengths into `out`, rows from the top, 1 byte a pixel or 3 (RLE24: red, green, blue). Refuses a lack. */
void cp_bmp_unpack(const cp_job_t *job, const cp_bmp_head_t *head, uint8_t *out);

#endif
