#include "base/clock.h"
#include "session/challenge.h"


cp_str_t
cp_challenge_message(cp_arena_t *arena, const cp_challenge_t *challenge)
{
    cp_str_t expires = cp_time_text(arena, challenge->expires_ms);

    if (expires.data == NULL) {
        return expires;
    }

    return cp_str_printf(arena, "caportal challenge v1\nnonce: %.*s\norigin: %.*s\nexpires: %.*s\n",
                         (int) challenge->nonce.len, challenge->nonce.data, (int) challenge->origin.len,
                         challenge->origin.data, (int) expires.len, expires.data);
}
