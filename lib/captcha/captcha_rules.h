/* What does not ask Redis: answers as they are compared. Pure. */
#ifndef CP_CAPTCHA_RULES_H
#define CP_CAPTCHA_RULES_H

#include "base/str.h"

/*
 * An answer in the one form that is compared: without spaces, full-width characters as ASCII, letters small, a
 * number in Chinese digits ("二十三", up to 九十九) in decimal ones, without leading zeros. What is neither stays as it
 * is. From the arena; {0, NULL} when memory is out.
 */
cp_str_t cp_captcha_canonical(cp_arena_t *arena, cp_str_t answer);

#endif
