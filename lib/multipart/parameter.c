#include "multipart/parameter.h"

#include <string.h>
#include <strings.h>


static bool
is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}


bool
cp_is_token(cp_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (!is_token_char(s.data[i])) {
            return false;
        }
    }

    return s.len > 0;
}


bool
cp_same_word(cp_str_t s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.data, word, s.len) == 0;
}


static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}


static void
skip_blanks(cp_parameters_t *parameters)
{
    while (parameters->at < parameters->end && is_blank(*parameters->at)) {
        parameters->at++;
    }
}


void
cp_parameters_begin(cp_parameters_t *parameters, cp_str_t field, char *room, size_t size, cp_str_t *word)
{
    const char *end = field.len == 0 ? NULL : memchr(field.data, ';', field.len);

    *parameters = (cp_parameters_t) { .at = field.data, .end = field.data + field.len, .room = room,
                                      .room_end = size == 0 ? room : room + size };

    skip_blanks(parameters);
    *word = cp_str_n(parameters->at, (size_t) ((end == NULL ? parameters->end : end) - parameters->at));
    parameters->at += word->len;

    while (word->len > 0 && is_blank(word->data[word->len - 1])) {
        word->len--;
    }
}


/* Behind the opening quote; leaves the closing one behind. */
static bool
unquote(cp_parameters_t *parameters, cp_str_t *value)
{
    char *out = parameters->room;

    for ( ; parameters->at < parameters->end; parameters->at++) {
        char c = *parameters->at;

        if (c == '"') {
            parameters->at++;
            *value = cp_str_n(parameters->room, (size_t) (out - parameters->room));
            parameters->room = out;
            return true;
        }

        if (c == '\\' && parameters->at + 1 < parameters->end
            && (parameters->at[1] == '"' || parameters->at[1] == '\\'))
        {
            c = *++parameters->at;
        }

        if ((unsigned char) c < 0x20 || c == 0x7f || out == parameters->room_end) {
            return false;
        }
        *out++ = c;
    }

    return false;
}


static cp_str_t
token(cp_parameters_t *parameters)
{
    const char *begin = parameters->at;

    while (parameters->at < parameters->end && is_token_char(*parameters->at)) {
        parameters->at++;
    }

    return cp_str_n(begin, (size_t) (parameters->at - begin));
}


cp_parameter_found_t
cp_parameters_next(cp_parameters_t *parameters, cp_str_t *name, cp_str_t *value)
{
    bool separated = false;

    for ( ;; ) {
        skip_blanks(parameters);
        if (parameters->at == parameters->end) {
            return CP_PARAMETER_NONE;
        }
        if (*parameters->at != ';') {
            break;
        }
        parameters->at++;
        separated = true;
    }

    *name = token(parameters);
    if (!separated || name->len == 0 || parameters->at == parameters->end || *parameters->at != '=') {
        return CP_PARAMETER_BAD;
    }
    parameters->at++;

    if (parameters->at < parameters->end && *parameters->at == '"') {
        parameters->at++;
        return unquote(parameters, value) ? CP_PARAMETER : CP_PARAMETER_BAD;
    }

    *value = token(parameters);
    return value->len > 0 ? CP_PARAMETER : CP_PARAMETER_BAD;
}
