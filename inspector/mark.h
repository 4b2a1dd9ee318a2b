/* A mark over a picture: who looks at it and when, again and again, aslant. It is in the pixels, wherever they go. */
#ifndef CP_MARK_H
#define CP_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cp_mark_s cp_mark_t;

/* Chooses the font, before the cage closes. False when there is none. */
bool cp_mark_prepare(void);

/*
 * The mark of a picture of that size: a text in UTF-8, in letters that fit the picture's shorter edge. The same text
 * and size give the same mark. Refuses the file when the font cannot be used. cp_mark_free() releases it.
 */
cp_mark_t *cp_mark_new(const char *text, uint32_t width, uint32_t height);

/* Row `y` of the picture with the mark, into `out`: 1 (grey) or 3 (RGB) bytes a pixel. */
void cp_mark_row(const cp_mark_t *mark, uint32_t y, const uint8_t *row, uint8_t *out, size_t channels);

/* Accepts NULL. */
void cp_mark_free(cp_mark_t *mark);

#endif
