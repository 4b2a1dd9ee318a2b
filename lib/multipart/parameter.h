/* The parameters of a header field: word; name=value; name="value" (RFC 9110 section 5.6.6). Pure. */
#ifndef CP_PARAMETER_H
#define CP_PARAMETER_H

#include "base/str.h"

typedef struct {
    const char *at;
    const char *end;
    char       *room;        /* where unquoted values go */
    char       *room_end;
} cp_parameters_t;

typedef enum {
    CP_PARAMETER,
    CP_PARAMETER_NONE,       /* no further one */
    CP_PARAMETER_BAD         /* malformed, or the room is too small for it */
} cp_parameter_found_t;

/*
 * Begins with a field's value, of which *word becomes what stands before the first ";". `size` bytes at `room` hold the
 * parameters' values: as many as the field is long will do. The field's bytes must stay as long as names are used.
 */
void cp_parameters_begin(cp_parameters_t *parameters, cp_str_t field, char *room, size_t size, cp_str_t *word);

/*
 * The next parameter: its name as it is written, its value without quotes. In quotes a backslash escapes a quote or a
 * backslash and is else one itself, as in the paths that old browsers send (RFC 7578 section 4.2).
 */
cp_parameter_found_t cp_parameters_next(cp_parameters_t *parameters, cp_str_t *name, cp_str_t *value);

/* Whether the string is a token (RFC 9110 section 5.6.2): not empty, without separators. */
bool cp_is_token(cp_str_t s);

/* Compares without regard to the case of ASCII letters. */
bool cp_same_word(cp_str_t s, const char *word);

#endif
