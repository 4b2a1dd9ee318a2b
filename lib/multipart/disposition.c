#include "multipart/disposition.h"

#include <string.h>
#include <strings.h>

#include "multipart/parameter.h"

#define UTF_8  "UTF-8'"


static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}


/* The value of an extended parameter: UTF-8'language'percent-encoded. The result is never longer. */
static bool
decode(cp_str_t value, char *out, cp_str_t *text)
{
    const char *end = value.data + value.len, *at;
    char       *begin = out;
    int         high, low;

    if (value.len < sizeof(UTF_8) || strncasecmp(value.data, UTF_8, sizeof(UTF_8) - 1) != 0) {
        return false;
    }

    at = memchr(value.data + sizeof(UTF_8) - 1, '\'', value.len - (sizeof(UTF_8) - 1));
    if (at == NULL) {
        return false;
    }

    for (at++; at < end; at++) {
        if (*at != '%') {
            *out++ = *at;
            continue;
        }

        high = end - at > 2 ? hex_digit(at[1]) : -1;
        low = end - at > 2 ? hex_digit(at[2]) : -1;
        if (high < 0 || low < 0) {
            return false;
        }
        *out++ = (char) (high * 16 + low);
        at += 2;
    }

    *text = cp_str_n(begin, (size_t) (out - begin));
    return cp_str_is_text(*text);
}


static bool
set_once(cp_str_t *member, cp_str_t value)
{
    if (member->data != NULL) {
        return false;
    }

    *member = value;
    return true;
}


static bool
take(cp_disposition_t *disposition, cp_parameters_t *parameters, cp_str_t name, cp_str_t value)
{
    cp_str_t text;

    if (cp_same_word(name, "name")) {
        return set_once(&disposition->name, value);
    }

    if (cp_same_word(name, "filename")) {
        return set_once(&disposition->file_name, value);
    }

    if (cp_same_word(name, "filename*")) {
        if ((size_t) (parameters->room_end - parameters->room) < value.len || !decode(value, parameters->room, &text)) {
            return false;
        }
        parameters->room += text.len;
        return set_once(&disposition->extended_name, text);
    }

    return memchr(name.data, '*', name.len) == NULL;
}


bool
cp_disposition_read(cp_disposition_t *disposition, cp_str_t field)
{
    cp_parameters_t      parameters;
    cp_str_t             name, value;
    cp_parameter_found_t found;

    disposition->name = CP_STR_NULL;
    disposition->file_name = CP_STR_NULL;
    disposition->extended_name = CP_STR_NULL;

    if (field.len > CP_DISPOSITION_MAX) {
        return false;
    }

    cp_parameters_begin(&parameters, field, disposition->room, sizeof(disposition->room), &disposition->type);
    if (!cp_is_token(disposition->type)) {
        return false;
    }

    while ((found = cp_parameters_next(&parameters, &name, &value)) == CP_PARAMETER) {
        if (!take(disposition, &parameters, name, value)) {
            return false;
        }
    }

    return found == CP_PARAMETER_NONE;
}
