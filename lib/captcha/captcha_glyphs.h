/*
 * Capital letters and digits as strokes, for pictures that are drawn without a font. None is left in that is taken for
 * another when it is bent: no O 0 Q, I 1 L, S 5, Z 2, B 8, G, V.
 */
#ifndef CP_CAPTCHA_GLYPHS_H
#define CP_CAPTCHA_GLYPHS_H

#include <stddef.h>

/* Of the grid that strokes are written on; y grows downwards. */
#define CP_GLYPH_WIDTH   8
#define CP_GLYPH_HEIGHT  12

/*
 * `strokes` is a row of commands, each a letter and points of two hexadecimal digits, x and y: M moves, L draws a line,
 * Q a curve by its control point and its end.
 */
typedef struct {
    char        sign;
    const char *strokes;
} cp_glyph_t;

extern const cp_glyph_t cp_glyphs[];
extern const size_t     cp_glyph_count;

#endif
