/* The compressed data of a GIF's frame, looked at for codes that no writer can have written. */
#ifndef CP_GIF_CODES_H
#define CP_GIF_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether the data, from the byte that tells the code size on, gives so many pixels without a code that is not defined
 * by then (GIF89a appendix F). giflib shows something for such codes, other decoders call the frame broken. What
 * follows the last pixel does not matter. Pure.
 */
bool cp_gif_codes_are_sound(const uint8_t *data, size_t size, uint64_t pixels);

#endif
