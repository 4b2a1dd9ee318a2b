/* Captchas over HTTP. */
#ifndef CP_CAPTCHA_OPS_H
#define CP_CAPTCHA_OPS_H

#include "call/call.h"

cp_code_t cp_op_captcha_create(cp_call_t *call);      /* GET /api/captcha */

#endif
