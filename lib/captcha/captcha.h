/*
 * Captchas: a picture with distorted characters, or an arithmetic question in words for who cannot see it. Good for
 * five minutes and one answer, right or wrong. Redis holds an authentication code of the answer under the captcha's id;
 * nothing binds it to who asked.
 */
#ifndef CP_CAPTCHA_H
#define CP_CAPTCHA_H

#include "call/call.h"

#define CP_CAPTCHA_LIVE_S  300

/* The rows of an operation's table of fields that takes a captcha: at most so many characters. */
#define CP_CAPTCHA_ID_MAX      64
#define CP_CAPTCHA_ANSWER_MAX  32

/*
 * Redeems the answer of a captcha: CP_OK once. CP_E_CAPTCHA_REQUIRED when the id or the answer is absent ({0, NULL});
 * CP_E_BAD_CAPTCHA when the answer is wrong, late, given before, or of no captcha: it is used up in any case.
 * CP_E_REDIS without Redis. For an operation that always demands one; those of sending codes and of passwords ask their
 * own rules (caportal_captcha) first.
 */
cp_code_t cp_captcha_check(cp_call_t *call, cp_str_t id, cp_str_t answer);

#endif
