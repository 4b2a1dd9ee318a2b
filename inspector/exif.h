/* The one thing that EXIF is read for. */
#ifndef CP_EXIF_H
#define CP_EXIF_H

#include <stddef.h>
#include <stdint.h>

/*
 * The orientation (1 to 8) of an APP1 segment's content, "Exif\0\0" and a TIFF structure: EXIF 2.32 sections 4.5.2 to
 * 4.5.4 and 4.6.4, tag 0x0112 of the 0th IFD. 1 when it says none or is none of this. Pure.
 */
unsigned cp_exif_orientation(const uint8_t *data, size_t size);

#endif
