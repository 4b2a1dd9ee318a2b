#include "call/fields.h"

#include <string.h>

#define MAX_DEPTH  16


static size_t
depth_of(const json_t *json)
{
    size_t      deepest = 0, d, i;
    const char *key;
    json_t     *member;

    if (json_is_object(json)) {
        json_object_foreach((json_t *) (uintptr_t) json, key, member) {
            d = depth_of(member);
            deepest = d > deepest ? d : deepest;
        }
        return deepest + 1;
    }

    if (json_is_array(json)) {
        json_array_foreach(json, i, member) {
            d = depth_of(member);
            deepest = d > deepest ? d : deepest;
        }
        return deepest + 1;
    }

    return 0;
}


static bool
is_json_type(cp_str_t type)
{
    const char *end;
    size_t      n;

    if (type.data == NULL) {
        return false;
    }

    end = memchr(type.data, ';', type.len);
    n = end == NULL ? type.len : (size_t) (end - type.data);

    while (n > 0 && type.data[n - 1] == ' ') {
        n--;
    }

    return n == 16 && strncasecmp(type.data, "application/json", 16) == 0;
}


cp_code_t
cp_body_json(cp_call_t *call)
{
    json_error_t error;

    if (call->input != NULL) {
        return CP_OK;
    }

    /* Nothing at all stands for {}: what is required is then named. */
    if (call->body.len == 0) {
        call->input = json_object();
        return call->input == NULL ? CP_E_NO_MEMORY : CP_OK;
    }

    if (!is_json_type(call->content_type)) {
        return CP_E_MEDIA_TYPE;
    }

    call->input = json_loadb(call->body.data == NULL ? "" : call->body.data, call->body.len, JSON_REJECT_DUPLICATES,
                             &error);

    if (call->input == NULL || !json_is_object(call->input) || depth_of(call->input) > MAX_DEPTH) {
        return CP_E_MALFORMED;
    }

    return CP_OK;
}


static bool
is_known(const char *name, const cp_field_t *table, size_t rows)
{
    size_t i;

    for (i = 0; i < rows; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return true;
        }
    }

    return false;
}


static cp_str_t
full_name(cp_call_t *call, const char *prefix, const char *name)
{
    cp_str_t text = cp_str_printf(call->arena, "%s%s", prefix, name);

    return text.data == NULL ? cp_str(name) : text;
}


static cp_str_t
trim(cp_str_t s)
{
    while (s.len > 0 && s.data[0] == ' ') {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && s.data[s.len - 1] == ' ') {
        s.len--;
    }
    return s;
}


/* Text whose only controls are line feeds and tabs. */
static bool
is_long_text(cp_str_t s)
{
    size_t i, start = 0;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '\n' || s.data[i] == '\t' || s.data[i] == '\r') {
            if (!cp_str_is_text(cp_str_n(s.data + start, i - start))) {
                return false;
            }
            start = i + 1;
        }
    }

    return cp_str_is_text(cp_str_n(s.data + start, s.len - start));
}


static cp_field_code_t
read_text(cp_call_t *call, const cp_field_t *row, const json_t *value, void *member)
{
    cp_str_t text;
    size_t   chars;

    if (!json_is_string(value)) {
        return CP_F_TYPE;
    }

    text = cp_str_n(json_string_value(value), json_string_length(value));
    if (row->kind != CP_FIELD_SECRET) {
        text = trim(text);
    }

    if (row->kind == CP_FIELD_LONG_TEXT ? !is_long_text(text) : !cp_str_is_text(text)) {
        return CP_F_FORMAT;
    }

    chars = cp_str_chars(text);
    if ((int64_t) chars < row->min) {
        return chars == 0 ? CP_F_REQUIRED : CP_F_TOO_SHORT;
    }
    if ((int64_t) chars > row->max) {
        return CP_F_TOO_LONG;
    }

    *(cp_str_t *) member = text;

    return row->check == NULL ? CP_F_END : row->check(call, text);
}


static cp_field_code_t
read_number(const cp_field_t *row, const json_t *value, void *member)
{
    if (!json_is_integer(value)) {
        return CP_F_TYPE;
    }
    if (json_integer_value(value) < row->min || json_integer_value(value) > row->max) {
        return CP_F_RANGE;
    }

    *(int64_t *) member = json_integer_value(value);
    return CP_F_END;
}


static cp_field_code_t
read_choice(const cp_field_t *row, const json_t *value, void *member)
{
    unsigned bit;

    if (!json_is_string(value)) {
        return CP_F_TYPE;
    }

    bit = cp_word_bit(row->words, cp_str_n(json_string_value(value), json_string_length(value)));
    *(unsigned *) member = bit;

    return bit == 0 ? CP_F_CHOICE : CP_F_END;
}


static cp_field_code_t
read_container(const cp_field_t *row, const json_t *value, void *member)
{
    int64_t size = (int64_t) json_array_size(value);

    if (row->kind == CP_FIELD_OBJECT ? !json_is_object(value) : !json_is_array(value)) {
        return CP_F_TYPE;
    }
    if (row->kind == CP_FIELD_ARRAY && (size < row->min || size > row->max)) {
        return size < row->min ? CP_F_TOO_SHORT : CP_F_TOO_LONG;
    }

    *(const json_t **) member = value;
    return CP_F_END;
}


static cp_field_code_t
read_value(cp_call_t *call, const cp_field_t *row, const json_t *value, void *member)
{
    switch (row->kind) {
    case CP_FIELD_NUMBER:
        return read_number(row, value, member);
    case CP_FIELD_BOOL:
        *(bool *) member = json_is_true(value);
        return json_is_boolean(value) ? CP_F_END : CP_F_TYPE;
    case CP_FIELD_CHOICE:
        return read_choice(row, value, member);
    case CP_FIELD_OBJECT:
    case CP_FIELD_ARRAY:
        return read_container(row, value, member);
    default:
        return read_text(call, row, value, member);
    }
}


cp_code_t
cp_fields_read(cp_call_t *call, const json_t *object, const char *prefix, const cp_field_t *table, size_t rows,
               void *out, size_t size)
{
    const char     *key;
    json_t         *member;
    cp_field_code_t why;
    size_t          i;

    memset(out, 0, size);

    json_object_foreach((json_t *) (uintptr_t) object, key, member) {
        if (!is_known(key, table, rows)) {
            cp_bad_field(call, full_name(call, prefix, key), CP_F_UNKNOWN);
        }
    }

    for (i = 0; i < rows; i++) {
        const json_t *value = json_object_get(object, table[i].name);

        if (value == NULL || json_is_null(value)) {
            if (table[i].required) {
                cp_bad_field(call, full_name(call, prefix, table[i].name), CP_F_REQUIRED);
            }
            continue;
        }

        why = read_value(call, &table[i], value, (char *) out + table[i].offset);
        if (why != CP_F_END) {
            cp_bad_field(call, full_name(call, prefix, table[i].name), why);
        }
    }

    return cp_fields_verdict(call);
}


cp_code_t
cp_body_fields(cp_call_t *call, const cp_field_t *table, size_t rows, void *out, size_t size)
{
    CP_TRY(cp_body_json(call));

    return cp_fields_read(call, call->input, "", table, rows, out, size);
}


cp_code_t
cp_body_nothing(cp_call_t *call)
{
    char nothing;

    return cp_body_fields(call, NULL, 0, &nothing, sizeof(nothing));
}
