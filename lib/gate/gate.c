#include "gate/gate.h"

#include <string.h>

#include "catalog/catalog.h"
#include "multipart/parameter.h"

#define FILE_FIELD  "file"
#define BODY_FIELD  "body"

static const char *const form_fields[] = { CP_GATE_FORM_FIELDS };

static bool begin_part(void *data, const cp_multipart_part_t *part);
static bool take_part(void *data, const void *bytes, size_t len);
static bool end_part(void *data);

static const cp_multipart_events_t events = { begin_part, take_part, end_part };


static cp_walk_kind_t
kind_of(unsigned type)
{
    switch (type) {
    case CP_TYPE_PNG:
        return CP_WALK_PNG;
    case CP_TYPE_BMP:
        return CP_WALK_BMP;
    case CP_TYPE_GIF:
        return CP_WALK_GIF;
    case CP_TYPE_PDF:
        return CP_WALK_PDF;
    default:
        return CP_WALK_JPEG;
    }
}


static cp_code_t
bad_field(cp_gate_t *gate, cp_str_t name, cp_field_code_t why)
{
    size_t n = name.len < CP_GATE_FIELD ? name.len : CP_GATE_FIELD;

    /* It goes into an answer: a name that is no text, or is cut within a character, is not repeated. */
    if (!cp_str_is_text(cp_str_n(name.data, n))) {
        n = 0;
    }

    memcpy(gate->field, name.data, n);
    gate->field[n] = '\0';
    gate->why = why;

    return CP_E_INVALID;
}


/* The types of which a file may be by what its sender says; 0: none, or nothing was said. */
static unsigned
claimed(unsigned types, cp_str_t content_type, const cp_str_t names[2])
{
    bool   told = content_type.data != NULL && !cp_same_word(content_type, "application/octet-stream");
    size_t i;

    if (told) {
        types &= cp_type_of_mime(content_type);
    }

    for (i = 0; i < 2; i++) {
        if (cp_has_ending(names[i])) {
            types &= cp_type_of_name(names[i]);
            told = true;
        }
    }

    return told ? types : 0;
}


static cp_code_t
begin_file(cp_gate_t *gate, unsigned types)
{
    if (types == 0) {
        return CP_E_MEDIA_TYPE;
    }

    gate->type = types;
    gate->file_size = 0;
    gate->in_file = true;
    gate->nameless = false;

    return CP_OK;
}


static cp_code_t
open_raw(cp_gate_t *gate, const cp_gate_head_t *head)
{
    cp_disposition_t *disposition = &gate->multipart.disposition;
    cp_str_t          names[2] = { CP_STR_NULL, CP_STR_NULL };

    gate->form = CP_GATE_RAW;

    if (head->disposition.data != NULL) {
        if (!cp_disposition_read(disposition, head->disposition)) {
            return CP_E_MALFORMED;
        }
        names[0] = disposition->file_name;
        names[1] = disposition->extended_name;
    }

    CP_TRY(begin_file(gate, claimed(gate->limits.types, head->content_type, names)));

    gate->files = 1;
    return head->length > gate->limits.max_size ? CP_E_TOO_LARGE : CP_OK;
}


static cp_code_t
open_form(cp_gate_t *gate, const cp_gate_head_t *head)
{
    if (!cp_is_form(head->content_type)) {
        return CP_E_MEDIA_TYPE;
    }

    if (!cp_multipart_begin(&gate->multipart, head->content_type, &events, gate)) {
        gate->multipart.verdict = CP_MULTIPART_BOUNDARY;
        return CP_E_MALFORMED;
    }

    return head->length - (int64_t) CP_GATE_FORM_EXTRA > gate->limits.max_size ? CP_E_TOO_LARGE : CP_OK;
}


cp_code_t
cp_gate_open(cp_gate_t *gate, const cp_gate_limits_t *limits, cp_gate_form_t form, const cp_gate_head_t *head,
             cp_gate_sink_fn sink, void *data)
{
    memset(gate, 0, sizeof(*gate));
    gate->limits = *limits;
    gate->form = form;
    gate->sink = sink;
    gate->data = data;

    if (form == CP_GATE_FORM || (form == CP_GATE_ANY && cp_is_form(head->content_type))) {
        gate->failed = open_form(gate, head);
    } else {
        gate->failed = open_raw(gate, head);
    }

    return gate->failed;
}


/* Of another format is told first: the bytes that tell it are walked together, when they are here. */
static cp_code_t
check_head(cp_gate_t *gate, size_t len)
{
    cp_walk_limits_t limits = { .max_pixels = gate->limits.max_pixels, .max_pages = gate->limits.max_pages };

    gate->type &= cp_type_of_bytes(cp_str_n(gate->head, len));
    if (gate->type == 0) {
        return CP_E_MEDIA_TYPE;
    }

    cp_walk_begin(&gate->walk, kind_of(gate->type), &limits);

    return cp_walk_feed(&gate->walk, gate->head, len) == CP_WALK_OK ? CP_OK : CP_E_BAD_FILE;
}


static cp_code_t
check(cp_gate_t *gate, const unsigned char *p, size_t len)
{
    size_t n, held;

    if (gate->file_size < (int64_t) sizeof(gate->head)) {
        held = (size_t) gate->file_size;
        n = sizeof(gate->head) - held < len ? sizeof(gate->head) - held : len;

        memcpy(gate->head + held, p, n);
        if (held + n == sizeof(gate->head)) {
            CP_TRY(check_head(gate, sizeof(gate->head)));
        }

        gate->file_size += (int64_t) n;
        p += n;
        len -= n;
    }

    gate->file_size += (int64_t) len;

    return len == 0 || cp_walk_feed(&gate->walk, p, len) == CP_WALK_OK ? CP_OK : CP_E_BAD_FILE;
}


static cp_code_t
take_file(cp_gate_t *gate, const void *bytes, size_t len)
{
    if (gate->nameless) {
        return CP_E_MEDIA_TYPE;
    }
    if ((int64_t) len > gate->limits.max_size - gate->size) {
        return CP_E_TOO_LARGE;
    }

    CP_TRY(check(gate, bytes, len));
    gate->size += (int64_t) len;

    return gate->sink == NULL ? CP_OK : gate->sink(gate->data, bytes, len);
}


static cp_code_t
end_file(cp_gate_t *gate)
{
    gate->in_file = false;

    if (gate->nameless) {
        gate->files--;
        return CP_OK;
    }
    if (gate->file_size == 0) {
        return bad_field(gate, gate->form == CP_GATE_RAW ? CP_STR(BODY_FIELD) : CP_STR(FILE_FIELD), CP_F_REQUIRED);
    }
    if (gate->file_size < (int64_t) sizeof(gate->head)) {
        CP_TRY(check_head(gate, (size_t) gate->file_size));
    }

    return cp_walk_end(&gate->walk) == CP_WALK_OK ? CP_OK : CP_E_BAD_FILE;
}


static bool
is_form_field(cp_str_t name)
{
    size_t i;

    for (i = 0; i < sizeof(form_fields) / sizeof(form_fields[0]); i++) {
        if (cp_str_is(name, form_fields[i])) {
            return true;
        }
    }

    return false;
}


/* What some readers of forms take for a file even without a name: anything but text. */
static bool
is_text(cp_str_t content_type)
{
    cp_parameters_t parameters;
    cp_str_t        word;

    if (content_type.data == NULL) {
        return true;
    }
    cp_parameters_begin(&parameters, content_type, NULL, 0, &word);

    return cp_same_word(word, "text/plain") || cp_same_word(word, "application/json");
}


/* Which fields a form may have; whether this one is a file. */
static cp_code_t
admit(cp_gate_t *gate, const cp_multipart_part_t *part, bool *file)
{
    *file = part->file_name.data != NULL || part->extended_name.data != NULL || !is_text(part->content_type);

    if (gate->form == CP_GATE_ANY) {
        return CP_OK;
    }

    if (cp_str_is(part->name, FILE_FIELD)) {
        *file = true;
        return gate->files == 0 ? CP_OK : bad_field(gate, part->name, CP_F_REPEATED);
    }

    if (!is_form_field(part->name) || *file) {
        return bad_field(gate, part->name, CP_F_UNKNOWN);
    }

    gate->in_next = cp_str_is(part->name, CP_GATE_NEXT);
    return gate->in_next && gate->next_len > 0 ? bad_field(gate, part->name, CP_F_REPEATED) : CP_OK;
}


static cp_code_t
take_next(cp_gate_t *gate, const void *bytes, size_t len)
{
    if (len > sizeof(gate->next) - gate->next_len) {
        return bad_field(gate, CP_STR(CP_GATE_NEXT), CP_F_TOO_LONG);
    }

    memcpy(gate->next + gate->next_len, bytes, len);
    gate->next_len += len;

    return CP_OK;
}


/* A path on this server: what browsers take for another host ("//", and backslashes as slashes) is none. */
static cp_code_t
end_next(cp_gate_t *gate)
{
    cp_str_t path = cp_str_n(gate->next, gate->next_len);
    size_t   i;
    bool     good = path.len == 0 || path.data[0] == '/';

    gate->in_next = false;

    for (i = 0; i < path.len && good; i++) {
        good = path.data[i] > ' ' && path.data[i] < 0x7f && path.data[i] != '\\'
               && !(i == 1 && path.data[i] == '/');
    }

    return good ? CP_OK : bad_field(gate, CP_STR(CP_GATE_NEXT), CP_F_FORMAT);
}


static bool
begin_part(void *data, const cp_multipart_part_t *part)
{
    cp_gate_t     *gate = data;
    const cp_str_t names[2] = { part->file_name, part->extended_name };
    bool           file;

    gate->failed = admit(gate, part, &file);
    if (gate->failed != CP_OK || !file) {
        return gate->failed == CP_OK;
    }

    gate->files++;

    /* What browsers send for a file that nobody chose. */
    if (part->file_name.data != NULL && part->file_name.len == 0 && part->extended_name.data == NULL) {
        gate->in_file = true;
        gate->nameless = true;
        return true;
    }

    gate->failed = begin_file(gate, claimed(gate->limits.types, part->content_type, names));
    return gate->failed == CP_OK;
}


static bool
take_part(void *data, const void *bytes, size_t len)
{
    cp_gate_t *gate = data;

    if (gate->in_file) {
        gate->failed = take_file(gate, bytes, len);
    } else if (gate->in_next) {
        gate->failed = take_next(gate, bytes, len);
    }

    return gate->failed == CP_OK;
}


static bool
end_part(void *data)
{
    cp_gate_t *gate = data;

    if (gate->in_file) {
        gate->failed = end_file(gate);
    } else if (gate->in_next) {
        gate->failed = end_next(gate);
    }

    return gate->failed == CP_OK;
}


static cp_code_t
of_form(const cp_gate_t *gate, cp_multipart_verdict_t verdict)
{
    return verdict == CP_MULTIPART_OK ? CP_OK : verdict == CP_MULTIPART_STOPPED ? gate->failed : CP_E_MALFORMED;
}


static cp_code_t
take_form(cp_gate_t *gate, const void *bytes, size_t len)
{
    CP_TRY(of_form(gate, cp_multipart_feed(&gate->multipart, bytes, len)));

    return gate->taken - gate->size > (int64_t) CP_GATE_FORM_EXTRA ? CP_E_TOO_LARGE : CP_OK;
}


cp_code_t
cp_gate_write(cp_gate_t *gate, const void *bytes, size_t len)
{
    if (gate->failed == CP_OK && len > 0) {
        gate->taken += (int64_t) len;
        gate->failed = gate->form == CP_GATE_RAW ? take_file(gate, bytes, len) : take_form(gate, bytes, len);
    }

    return gate->failed;
}


static cp_code_t
finish(cp_gate_t *gate)
{
    if (gate->form == CP_GATE_RAW) {
        return end_file(gate);
    }

    CP_TRY(of_form(gate, cp_multipart_end(&gate->multipart)));

    return gate->form == CP_GATE_FORM && gate->files == 0 ? bad_field(gate, CP_STR(FILE_FIELD), CP_F_REQUIRED) : CP_OK;
}


cp_code_t
cp_gate_finish(cp_gate_t *gate)
{
    if (gate->failed == CP_OK) {
        gate->failed = finish(gate);
    }

    return gate->failed;
}


cp_code_t
cp_gate_narrow(cp_gate_t *gate, const cp_gate_limits_t *limits)
{
    cp_walk_t *walk = &gate->walk;

    if (gate->failed != CP_OK) {
        return gate->failed;
    }

    if ((gate->type & limits->types) == 0) {
        gate->failed = CP_E_MEDIA_TYPE;
    } else if (gate->size > limits->max_size) {
        gate->failed = CP_E_TOO_LARGE;
    } else if (limits->max_pixels > 0 && walk->height > 0 && walk->width > limits->max_pixels / walk->height) {
        walk->verdict = CP_WALK_TOO_MANY_PIXELS;
        gate->failed = CP_E_BAD_FILE;
    } else if (limits->max_pages > 0 && walk->pages > limits->max_pages) {
        walk->verdict = CP_WALK_TOO_MANY_PAGES;
        gate->failed = CP_E_BAD_FILE;
    }

    return gate->failed;
}


const char *
cp_gate_reason(const cp_gate_t *gate)
{
    if (gate->failed == CP_E_BAD_FILE) {
        return cp_walk_text(gate->walk.verdict)->code;
    }

    return gate->failed == CP_E_MALFORMED && gate->form != CP_GATE_RAW ? cp_multipart_word(gate->multipart.verdict)
                                                                       : NULL;
}
