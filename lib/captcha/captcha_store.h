/* Where the answers of captchas are kept. */
#ifndef CP_CAPTCHA_STORE_H
#define CP_CAPTCHA_STORE_H

#include "captcha/captcha.h"

typedef enum {
    CP_CAPTCHA_IMAGE,
    CP_CAPTCHA_QUESTION
} cp_captcha_kind_t;

/*
 * A new captcha with this answer: its id, from the arena. CP_E_RATE_LIMITED with call->retry_after_s when the client's
 * address or network had too many of the kind; CP_E_REDIS.
 */
cp_code_t cp_captcha_keep(cp_call_t *call, cp_captcha_kind_t kind, cp_str_t answer, cp_str_t *id);

#endif
