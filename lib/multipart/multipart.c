#include "multipart/multipart.h"

#include <string.h>
#include <strings.h>

#include "multipart/parameter.h"

#define NESTED       "multipart/"
#define PADDING_MAX  32u    /* blanks behind a boundary (RFC 2046 section 5.1.1) */

enum {
    STATE_START,         /* the first delimiter, whose line break is not there or comes first */
    STATE_DELIMITED,     /* behind a delimiter */
    STATE_HEADERS,
    STATE_BODY,
    STATE_END            /* behind the last one */
};


const char *
cp_multipart_word(cp_multipart_verdict_t verdict)
{
#define WORD(name, code)  code,

    static const char *const words[] = { CP_MULTIPART_VERDICTS(WORD) };

#undef WORD

    return words[verdict];
}


bool
cp_is_form(cp_str_t content_type)
{
    cp_parameters_t parameters;
    cp_str_t        word;

    if (content_type.data == NULL) {
        return false;
    }
    cp_parameters_begin(&parameters, content_type, NULL, 0, &word);

    return cp_same_word(word, "multipart/form-data");
}


static bool
is_boundary(cp_str_t boundary)
{
    size_t i;

    for (i = 0; i < boundary.len; i++) {
        char c = boundary.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL)))
        {
            return false;
        }
    }

    return boundary.len > 0 && boundary.len <= CP_BOUNDARY_MAX && boundary.data[boundary.len - 1] != ' ';
}


static bool
find_boundary(cp_str_t content_type, char *room, size_t size, cp_str_t *boundary)
{
    cp_parameters_t      parameters;
    cp_str_t             word, name, value;
    cp_parameter_found_t found;

    *boundary = CP_STR_NULL;
    cp_parameters_begin(&parameters, content_type, room, size, &word);

    while ((found = cp_parameters_next(&parameters, &name, &value)) == CP_PARAMETER) {
        if (!cp_same_word(name, "boundary")) {
            continue;
        }
        if (boundary->data != NULL) {
            return false;
        }
        *boundary = value;
    }

    return found == CP_PARAMETER_NONE && boundary->data != NULL && is_boundary(*boundary);
}


bool
cp_multipart_begin(cp_multipart_t *multipart, cp_str_t content_type, const cp_multipart_events_t *events, void *data)
{
    cp_str_t boundary;

    if (!cp_is_form(content_type)
        || !find_boundary(content_type, multipart->headers, sizeof(multipart->headers), &boundary))
    {
        return false;
    }

    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary.data, boundary.len);
    multipart->delimiter_len = 4 + boundary.len;

    multipart->events = events;
    multipart->data = data;
    multipart->verdict = CP_MULTIPART_OK;
    multipart->state = STATE_START;
    multipart->matched = 2;
    multipart->held = 0;

    return true;
}


/* One header field of a part. */
static bool
take_field(cp_multipart_t *multipart, cp_str_t name, cp_str_t value, cp_multipart_part_t *part, bool *disposed)
{
    if (cp_same_word(name, "Content-Disposition")) {
        if (*disposed || !cp_disposition_read(&multipart->disposition, value)) {
            return false;
        }
        *disposed = true;
        return cp_same_word(multipart->disposition.type, "form-data") && multipart->disposition.name.data != NULL;
    }

    if (cp_same_word(name, "Content-Type")) {
        if (part->content_type.data != NULL || value.len == 0
            || (value.len >= sizeof(NESTED) - 1 && strncasecmp(value.data, NESTED, sizeof(NESTED) - 1) == 0))
        {
            return false;
        }
        part->content_type = value;
        return true;
    }

    return !cp_same_word(name, "Content-Transfer-Encoding") || cp_same_word(value, "binary")
           || cp_same_word(value, "8bit") || cp_same_word(value, "7bit");
}


static bool
has_controls(cp_str_t s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        if (((unsigned char) s.data[i] < 0x20 && s.data[i] != '\t') || s.data[i] == 0x7f) {
            return true;
        }
    }

    return false;
}


static bool
take_line(cp_multipart_t *multipart, cp_str_t line, cp_multipart_part_t *part, bool *disposed)
{
    const char *colon = memchr(line.data, ':', line.len);
    cp_str_t    name, value;

    if (colon == NULL) {
        return false;
    }

    name = cp_str_n(line.data, (size_t) (colon - line.data));
    value = cp_str_n(colon + 1, line.len - name.len - 1);
    while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value.data++;
        value.len--;
    }

    return cp_is_token(name) && !has_controls(value) && take_field(multipart, name, value, part, disposed);
}


/* The header fields are here, each with its line break. */
static cp_multipart_verdict_t
begin_part(cp_multipart_t *multipart)
{
    const char         *at = multipart->headers, *end = at + multipart->held, *next;
    cp_multipart_part_t part = { .content_type = CP_STR_NULL };
    bool                disposed = false;

    for ( ; at < end; at = next + 2) {
        next = memmem(at, (size_t) (end - at), "\r\n", 2);
        if (next == NULL || !take_line(multipart, cp_str_n(at, (size_t) (next - at)), &part, &disposed)) {
            return CP_MULTIPART_HEADER;
        }
    }

    if (!disposed) {
        return CP_MULTIPART_HEADER;
    }

    part.name = multipart->disposition.name;
    part.file_name = multipart->disposition.file_name;
    part.extended_name = multipart->disposition.extended_name;

    multipart->state = STATE_BODY;
    multipart->held = 0;
    multipart->matched = 0;

    return multipart->events->begin(multipart->data, &part) ? CP_MULTIPART_OK : CP_MULTIPART_STOPPED;
}


/* A byte of the header fields; an empty line ends them. */
static cp_multipart_verdict_t
take_header(cp_multipart_t *multipart, char c)
{
    if (multipart->held == sizeof(multipart->headers)) {
        return CP_MULTIPART_TOO_LONG;
    }

    multipart->headers[multipart->held++] = c;

    if (multipart->held == 2 && memcmp(multipart->headers, "\r\n", 2) == 0) {
        return CP_MULTIPART_HEADER;
    }
    if (c == '\n' && multipart->held >= 4
        && memcmp(multipart->headers + multipart->held - 4, "\r\n\r\n", 4) == 0)
    {
        multipart->held -= 2;
        return begin_part(multipart);
    }

    return CP_MULTIPART_OK;
}


static cp_multipart_verdict_t
end_delimiter(cp_multipart_t *multipart)
{
    bool first = multipart->state == STATE_START;

    multipart->state = STATE_DELIMITED;
    multipart->held = 0;

    return first || multipart->events->end(multipart->data) ? CP_MULTIPART_OK : CP_MULTIPART_STOPPED;
}


/* Behind a delimiter: "--" for the last one, or blanks and a line break. */
static cp_multipart_verdict_t
take_delimited(cp_multipart_t *multipart, char c)
{
    char before = multipart->held == 0 ? '\0' : multipart->headers[multipart->held - 1];

    if (multipart->held == PADDING_MAX) {
        return CP_MULTIPART_BOUNDARY;
    }
    multipart->headers[multipart->held++] = c;

    if (before == '\r') {
        multipart->state = STATE_HEADERS;
        multipart->held = 0;
        return c == '\n' ? CP_MULTIPART_OK : CP_MULTIPART_BOUNDARY;
    }

    if (before == '-') {
        multipart->state = STATE_END;
        multipart->held = 0;
        return c == '-' ? CP_MULTIPART_OK : CP_MULTIPART_BOUNDARY;
    }

    return c == '\r' || c == ' ' || c == '\t' || (c == '-' && before == '\0') ? CP_MULTIPART_OK : CP_MULTIPART_BOUNDARY;
}


/* A byte before the first delimiter has ended. Some senders begin with its line break, most do not. */
static cp_multipart_verdict_t
take_start(cp_multipart_t *multipart, char c)
{
    if (multipart->matched == 2 && multipart->held == 0 && c == '\r') {
        multipart->held = 1;
        multipart->matched = 1;
        return CP_MULTIPART_OK;
    }

    if (c != multipart->delimiter[multipart->matched++]) {
        return CP_MULTIPART_BOUNDARY;
    }

    return multipart->matched == multipart->delimiter_len ? end_delimiter(multipart) : CP_MULTIPART_OK;
}


static cp_multipart_verdict_t
take_end(cp_multipart_t *multipart, char c)
{
    return multipart->held < 2 && c == "\r\n"[multipart->held++] ? CP_MULTIPART_OK : CP_MULTIPART_TRAILING;
}


static cp_multipart_verdict_t
hand_on(cp_multipart_t *multipart, const char *from, const char *to)
{
    return from == to || multipart->events->bytes(multipart->data, from, (size_t) (to - from)) ? CP_MULTIPART_OK
                                                                                              : CP_MULTIPART_STOPPED;
}


/* How many of the bytes agree with the delimiter from `matched` on. */
static size_t
agree(const cp_multipart_t *multipart, size_t matched, const char *p, const char *end)
{
    size_t n = 0;

    while (p + n < end && matched + n < multipart->delimiter_len && p[n] == multipart->delimiter[matched + n]) {
        n++;
    }

    return n;
}


/* What began like a delimiter at the end of the bytes before; when it is none, it is handed on from the delimiter itself. */
static cp_multipart_verdict_t
take_matched(cp_multipart_t *multipart, const char **p, const char *end)
{
    size_t matched = multipart->matched, n = agree(multipart, matched, *p, end);

    *p += n;
    multipart->matched += n;
    if (multipart->matched == multipart->delimiter_len) {
        return end_delimiter(multipart);
    }
    if (*p == end) {
        return CP_MULTIPART_OK;
    }

    matched = multipart->matched;
    multipart->matched = 0;

    return hand_on(multipart, multipart->delimiter, multipart->delimiter + matched);
}


/* Where the bytes end in a beginning of the delimiter: only its first byte is a CR, so the last CR tells. */
static const char *
find_beginning(const cp_multipart_t *multipart, const char *from, const char *end)
{
    size_t      most = multipart->delimiter_len - 1, len = (size_t) (end - from);
    const char *tail = len > most ? end - most : from;
    const char *cr = memrchr(tail, '\r', (size_t) (end - tail));

    return cr != NULL && cr + agree(multipart, 0, cr, end) == end ? cr : end;
}


/* Bytes of a part, up to its delimiter. */
static cp_multipart_verdict_t
take_body(cp_multipart_t *multipart, const char **p, const char *end)
{
    const char            *from = *p, *found;
    cp_multipart_verdict_t verdict;

    if (multipart->matched > 0) {
        return take_matched(multipart, p, end);
    }

    found = memmem(from, (size_t) (end - from), multipart->delimiter, multipart->delimiter_len);
    if (found != NULL) {
        *p = found + multipart->delimiter_len;
        verdict = hand_on(multipart, from, found);
        return verdict != CP_MULTIPART_OK ? verdict : end_delimiter(multipart);
    }

    found = find_beginning(multipart, from, end);
    multipart->matched = (size_t) (end - found);
    *p = end;

    return hand_on(multipart, from, found);
}


static cp_multipart_verdict_t
take(cp_multipart_t *multipart, const char **p, const char *end)
{
    switch (multipart->state) {
    case STATE_START:
        return take_start(multipart, *(*p)++);
    case STATE_DELIMITED:
        return take_delimited(multipart, *(*p)++);
    case STATE_HEADERS:
        return take_header(multipart, *(*p)++);
    case STATE_BODY:
        return take_body(multipart, p, end);
    default:
        return take_end(multipart, *(*p)++);
    }
}


cp_multipart_verdict_t
cp_multipart_feed(cp_multipart_t *multipart, const void *bytes, size_t len)
{
    const char *p = bytes, *end = p + len;

    while (multipart->verdict == CP_MULTIPART_OK && p < end) {
        multipart->verdict = take(multipart, &p, end);
    }

    return multipart->verdict;
}


cp_multipart_verdict_t
cp_multipart_end(cp_multipart_t *multipart)
{
    if (multipart->verdict == CP_MULTIPART_OK && multipart->state != STATE_END) {
        multipart->verdict = CP_MULTIPART_TRUNCATED;
    }

    return multipart->verdict;
}
