/* Where the answers of captchas are kept. */
#ifndef CP_CAPTCHA_STORE_H
#define CP_CAPTCHA_STORE_H

#include "captcha/captcha.h"

/* A new captcha with this answer: its id, from the arena. CP_E_RATE_LIMITED with call->retry_after_s, CP_E_REDIS. */
cp_code_t cp_captcha_keep(cp_call_t *call, cp_str_t answer, cp_str_t *id);

#endif
