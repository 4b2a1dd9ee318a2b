/*
 * The reader of forms on any bytes: the first line is the Content-Type, the rest the body. However it is cut, the same
 * parts come with the same bytes, in their order, and the same verdict, which stays.
 */
#include "fuzz.h"

#include <zlib.h>

#include "multipart/multipart.h"

#define BYTEWISE_MAX  512

typedef struct {
    uint32_t  sum;       /* of all that came */
    size_t    events;
    size_t    stop;      /* at this event, 0: never */
    size_t    len;       /* bytes of the part */
    bool      inside;
} form_t;

typedef struct {
    form_t                  form;
    cp_multipart_verdict_t  verdict;
    bool                    begun;
} result_t;


static bool
event(form_t *form)
{
    return ++form->events != form->stop;
}


static void
add(form_t *form, const void *data, size_t len)
{
    form->sum = (uint32_t) crc32(form->sum, data, (uInt) len);
}


static void
add_word(form_t *form, cp_str_t word)
{
    add(form, word.data == NULL ? "-" : "+", 1);
    add(form, &word.len, sizeof(word.len));
    if (word.len > 0) {
        add(form, word.data, word.len);
    }
}


static bool
begin(void *data, const cp_multipart_part_t *part)
{
    form_t *form = data;

    HOLDS(!form->inside);
    form->inside = true;
    form->len = 0;

    add_word(form, part->name);
    add_word(form, part->file_name);
    add_word(form, part->extended_name);
    add_word(form, part->content_type);

    return event(form);
}


/* No event of their own: in how many pieces they come depends on the cuts. */
static bool
bytes(void *data, const void *piece, size_t len)
{
    form_t *form = data;

    HOLDS(form->inside && len > 0);
    form->len += len;
    add(form, piece, len);

    return true;
}


static bool
end(void *data)
{
    form_t *form = data;

    HOLDS(form->inside);
    form->inside = false;
    add(form, &form->len, sizeof(form->len));

    return event(form);
}


static const cp_multipart_events_t events = { begin, bytes, end };


static result_t
read_form(const uint8_t *type, size_t type_len, const uint8_t *body, size_t len, uint32_t cuts, size_t stop)
{
    cp_multipart_t        *multipart = malloc(sizeof(*multipart));
    result_t               result = { .form.stop = stop };
    uint8_t               *piece = fuzz_copy(type, type_len);
    cp_multipart_verdict_t before;
    size_t                 at, n;

    HOLDS(multipart != NULL);
    result.begun = cp_multipart_begin(multipart, cp_str_n(piece, type_len), &events, &result.form);
    free(piece);

    for (at = 0; result.begun && at < len; at += n) {
        n = fuzz_piece(&cuts, len - at);
        piece = fuzz_copy(body + at, n);
        before = multipart->verdict;
        result.verdict = cp_multipart_feed(multipart, piece, n);
        free(piece);
        HOLDS(result.verdict == multipart->verdict && result.verdict < CP_MULTIPART_VERDICTS_END);
        HOLDS(before == CP_MULTIPART_OK || result.verdict == before);
    }

    if (result.begun) {
        result.verdict = cp_multipart_end(multipart);
        HOLDS(cp_multipart_end(multipart) == result.verdict);
        HOLDS(result.verdict != CP_MULTIPART_OK || !result.form.inside);
        HOLDS(result.verdict != CP_MULTIPART_STOPPED || result.form.events == stop);
    }
    free(multipart);

    return result;
}


/* Of a part that was broken off, how much of its bytes came is nobody's business. */
static void
assert_same(const result_t *one, const result_t *other)
{
    HOLDS(one->begun == other->begun && one->verdict == other->verdict);
    HOLDS(one->form.events == other->form.events && one->form.inside == other->form.inside);
    HOLDS(one->form.inside || one->form.sum == other->form.sum);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *line = len > 0 ? memchr(data, '\n', len) : NULL, *body;
    size_t         type, left;
    uint32_t       seed = (uint32_t) crc32(1, data, (uInt) len);
    result_t       whole, cut;

    if (line == NULL) {
        return 0;
    }

    body = line + 1;
    type = (size_t) (line - data);
    left = len - type - 1;
    whole = read_form(data, type, body, left, FUZZ_WHOLE, 0);

    HOLDS(whole.verdict != CP_MULTIPART_STOPPED);

    cut = read_form(data, type, body, left, seed | 1u << 31, 0);
    assert_same(&whole, &cut);
    if (left <= BYTEWISE_MAX) {
        cut = read_form(data, type, body, left, FUZZ_BYTEWISE, 0);
        assert_same(&whole, &cut);
    }

    if (whole.form.events > 0) {
        cut = read_form(data, type, body, left, seed | 1u << 31, 1 + seed % whole.form.events);
        HOLDS(cut.verdict == CP_MULTIPART_STOPPED);
    }

    return 0;
}
