/* The place that a session was begun at, as text that may be stored in a record and shown. */
#include "session/session.h"

#include <arpa/inet.h>
#include <string.h>

#define SEQUENCE  4    /* bytes of the longest character in UTF-8 */


/* The length of the printable character at the front, 0 when the bytes are none. */
static size_t
character(cp_str_t text)
{
    size_t n;

    for (n = 1; n <= SEQUENCE && n <= text.len; n++) {
        if (cp_str_is_text(cp_str_n(text.data, n))) {
            return n;
        }
    }

    return 0;
}


/* What of the text can be shown: other bytes are left out, then the end beyond the limit. */
static cp_str_t
clean(cp_arena_t *arena, cp_str_t text)
{
    cp_str_t out = { 0, cp_alloc(arena, CP_SESSION_PLACE + 1) };
    size_t   i, n;

    if (out.data == NULL) {
        return CP_STR_NULL;
    }

    for (i = 0; i < text.len; i += n == 0 ? 1 : n) {
        n = character(cp_str_n(text.data + i, text.len - i));
        if (out.len + n > CP_SESSION_PLACE) {
            break;
        }
        if (n != 0 && !(out.len == 0 && text.data[i] == ' ')) {
            memcpy(out.data + out.len, text.data + i, n);
            out.len += n;
        }
    }

    while (out.len > 0 && out.data[out.len - 1] == ' ') {
        out.len--;
    }
    out.data[out.len] = '\0';

    return out;
}


/* An address without the part that names one machine or household: RFC 6177 gives a site a /48. */
static cp_str_t
network_of(cp_arena_t *arena, cp_str_t address)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };    /* RFC 4291 section 2.5.5.2 */

    char          text[INET6_ADDRSTRLEN];
    unsigned char b[16];

    if (address.len == 0 || address.len >= sizeof(text)) {
        return CP_STR_NULL;
    }
    memcpy(text, address.data, address.len);
    text[address.len] = '\0';

    if (inet_pton(AF_INET, text, b) == 1) {
        return cp_str_printf(arena, "%u.%u.%u.*", b[0], b[1], b[2]);
    }
    if (inet_pton(AF_INET6, text, b) != 1) {
        return CP_STR_NULL;
    }
    if (memcmp(b, mapped, sizeof(mapped)) == 0) {
        return cp_str_printf(arena, "%u.%u.%u.*", b[12], b[13], b[14]);
    }

    return cp_str_printf(arena, "%x:%x:%x:*", b[0] << 8 | b[1], b[2] << 8 | b[3], b[4] << 8 | b[5]);
}


cp_str_t
cp_session_place(cp_arena_t *arena, cp_str_t named, cp_str_t address)
{
    cp_str_t place = named.len == 0 ? CP_STR_NULL : clean(arena, named);

    return place.len != 0 ? place : network_of(arena, address);
}
