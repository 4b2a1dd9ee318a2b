/* The captcha of who cannot see one: a sum in words. */
#ifndef CP_CAPTCHA_QUESTION_H
#define CP_CAPTCHA_QUESTION_H

#include "call/call.h"

/*
 * A random question in the language, with numbers in words ("七加十二等于多少？"), and its answer, 0 to 99 in decimal
 * digits; both from the arena. CP_E_NO_MEMORY. Only chance decides, nothing is stored.
 */
cp_code_t cp_captcha_question(cp_arena_t *arena, cp_lang_t lang, cp_str_t *question, cp_str_t *answer);

#endif
