/* The picture of a captcha. */
#ifndef CP_CAPTCHA_DRAW_H
#define CP_CAPTCHA_DRAW_H

#include "base/error.h"
#include "base/str.h"

#define CP_CAPTCHA_WIDTH   180    /* pixels */
#define CP_CAPTCHA_HEIGHT  64
#define CP_CAPTCHA_SIGNS   5

/* CP_CAPTCHA_SIGNS random signs of the glyphs; from the arena, {0, NULL} when memory is out. */
cp_str_t cp_captcha_signs(cp_arena_t *arena);

/*
 * Draws signs, each with glyphs, distorted anew at each call, as a grey PNG from the arena: each sign turned, sheared
 * and stretched, all of them bent by waves, lines across. CP_E_NO_MEMORY. Safe on any thread.
 */
cp_code_t cp_captcha_draw(cp_arena_t *arena, cp_str_t signs, cp_str_t *png);

#endif
