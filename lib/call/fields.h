/*
 * Reading a JSON body by a table: one row a field. All faults are found in one pass, unknown fields among them.
 */
#ifndef CP_FIELDS_H
#define CP_FIELDS_H

#include "call/call.h"

typedef enum {
    CP_FIELD_TEXT,         /* cp_str_t: UTF-8 without controls, trimmed of surrounding spaces, `min` to `max` characters */
    CP_FIELD_LONG_TEXT,    /* the same, line breaks and tabs allowed */
    CP_FIELD_SECRET,       /* cp_str_t: as sent, `min` to `max` characters */
    CP_FIELD_NUMBER,       /* int64_t from `min` to `max` */
    CP_FIELD_BOOL,         /* bool */
    CP_FIELD_CHOICE,       /* unsigned: the bit of a word in `words` */
    CP_FIELD_OBJECT,       /* json_t *, borrowed */
    CP_FIELD_ARRAY         /* json_t *, borrowed, `min` to `max` elements */
} cp_field_kind_t;

/* A check of a text's form: CP_F_END when it is good, else why not. */
typedef cp_field_code_t (*cp_field_check_fn)(const cp_call_t *call, cp_str_t value);

typedef struct {
    const char        *name;
    cp_field_kind_t    kind;
    bool               required;
    int64_t            min;
    int64_t            max;
    size_t             offset;     /* of the member in the structure that is filled */
    cp_field_check_fn  check;      /* texts only; NULL: none */
    const cp_word_t   *words;      /* CP_FIELD_CHOICE */
} cp_field_t;

/* Parses call->body into call->input: an object, no duplicate keys, depth at most 16. CP_E_MALFORMED, CP_E_MEDIA_TYPE. */
cp_code_t cp_body_json(cp_call_t *call);

/*
 * Fills `out` (cleared before) from the object by the table, marks every bad field under `prefix` ("" or "address.").
 * Absent optional fields stay zero; JSON null counts as absent. Returns cp_fields_verdict(); CP_E_NO_MEMORY.
 */
cp_code_t cp_fields_read(cp_call_t *call, const json_t *object, const char *prefix, const cp_field_t *table,
                         size_t rows, void *out, size_t size);

/* cp_body_json() and cp_fields_read() of the whole body. */
#define cp_body_read(call, table, out)                                                                                 \
    cp_body_fields(call, table, sizeof(table) / sizeof((table)[0]), out, sizeof(*(out)))

cp_code_t cp_body_fields(cp_call_t *call, const cp_field_t *table, size_t rows, void *out, size_t size);

/* The same of an operation whose body has no fields. */
cp_code_t cp_body_nothing(cp_call_t *call);

#endif
