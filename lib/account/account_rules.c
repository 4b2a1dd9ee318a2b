#include "account/account.h"

#include <string.h>


/* Keeps `head` and `tail` bytes; what is too short for that is hidden whole. */
static cp_str_t
mask(cp_arena_t *arena, cp_str_t text, size_t head, size_t tail)
{
    cp_str_t out = text.data == NULL ? text : cp_str_dup(arena, text);

    if (out.data == NULL) {
        return out;
    }

    if (out.len <= head + tail) {
        head = tail = 0;
    }
    memset(out.data + head, '*', out.len - head - tail);

    return out;
}


cp_str_t
cp_mask_phone(cp_arena_t *arena, cp_str_t phone)
{
    return mask(arena, phone, 3, 4);
}


cp_str_t
cp_mask_id_number(cp_arena_t *arena, cp_str_t id_number)
{
    return mask(arena, id_number, 3, 4);
}


/* The first character and a star for each other one, at most three: the length of a long name tells who it is. */
cp_str_t
cp_mask_name(cp_arena_t *arena, cp_str_t name)
{
    size_t first = 1, chars;

    if (name.len == 0) {
        return name;
    }

    while (first < name.len && ((unsigned char) name.data[first] & 0xc0) == 0x80) {
        first++;
    }
    chars = cp_str_chars(name);

    return cp_str_printf(arena, "%.*s%.*s", (int) first, name.data, (int) (chars > 4 ? 3 : chars - 1), "***");
}
