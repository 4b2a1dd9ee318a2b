#include "random.h"

#include <stdint.h>


cp_str_t
cp_random_id(cp_arena_t *arena, size_t bytes)
{
    unsigned char raw[64];

    if (bytes > sizeof(raw)) {
        return CP_STR_NULL;
    }

    cp_random(raw, bytes);
    return cp_str_base64url(arena, cp_str_n(raw, bytes));
}


cp_str_t
cp_random_digits(cp_arena_t *arena, unsigned digits)
{
    uint32_t limit = 1, value, i;

    for (i = 0; i < digits; i++) {
        limit *= 10;
    }

    /* Values above the last whole multiple would make the low codes likelier. */
    do {
        cp_random(&value, sizeof(value));
    } while (value >= UINT32_MAX - UINT32_MAX % limit);

    return cp_str_printf(arena, "%0*u", (int) digits, (unsigned) (value % limit));
}
