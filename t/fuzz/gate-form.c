/*
 * The gate of uploads on any body: CONTENT-TYPE NUL CONTENT-DISPOSITION NUL BODY, or the body of a form alone, which
 * begins with its boundary. The same end however the body is cut, and of a good one no byte of a file is lost or added.
 */
#include "fuzz.h"

#include <zlib.h>

#include "catalog/catalog.h"
#include "gate/gate.h"

#define ALL_TYPES  (CP_TYPE_JPEG | CP_TYPE_PNG | CP_TYPE_BMP | CP_TYPE_GIF | CP_TYPE_PDF)

/* So much that no input reaches it: which of two faults in one piece is told depends on how it is cut. */
static const cp_gate_limits_t limits = { .types = ALL_TYPES, .max_size = 1 << 20, .max_pixels = 100000, .max_pages = 4 };

typedef struct {
    int64_t   size;
    uint32_t  sum;
} sunk_t;


static cp_code_t
sink(void *data, const void *bytes, size_t len)
{
    sunk_t *sunk = data;

    HOLDS(len > 0);
    sunk->size += (int64_t) len;
    sunk->sum = (uint32_t) crc32(sunk->sum, bytes, (uInt) len);

    return CP_OK;
}


/* In pieces of at most so many bytes, each at the end of a block. */
static void
pass(cp_gate_t *gate, cp_gate_form_t form, const cp_gate_head_t *head, cp_str_t body, size_t most, sunk_t *sunk)
{
    cp_code_t  code;
    size_t     n, size = body.len < most ? body.len : most;
    char      *block = malloc(size), *piece;

    HOLDS(block != NULL || size == 0);
    *sunk = (sunk_t) { 0 };
    code = cp_gate_open(gate, &limits, form, head, sink, sunk);
    HOLDS(code == gate->failed);

    for ( ; body.len > 0; body.data += n, body.len -= n) {
        n = body.len < most ? body.len : most;
        piece = block + size - n;
        memcpy(piece, body.data, n);
        code = cp_gate_write(gate, piece, n);
        HOLDS(code == gate->failed && gate->multipart.held <= CP_MULTIPART_HEADERS);
    }

    code = cp_gate_finish(gate);
    HOLDS(code == gate->failed && cp_gate_finish(gate) == code);

    free(block);
}


static void
assert_same(const cp_gate_t *one, const cp_gate_t *other)
{
    const char *reason = cp_gate_reason(one), *others = cp_gate_reason(other);

    HOLDS(one->failed == other->failed);
    HOLDS((reason == NULL) == (others == NULL) && (reason == NULL || strcmp(reason, others) == 0));
    HOLDS(one->failed != CP_OK || (one->size == other->size && one->files == other->files));
    HOLDS(one->failed != CP_E_INVALID || (one->why == other->why && strcmp(one->field, other->field) == 0));
    HOLDS(one->failed != CP_E_INVALID || cp_str_is_text(cp_str(one->field)));
}


static void
check(cp_gate_form_t form, const cp_gate_head_t *head, cp_str_t body, size_t cut)
{
    static cp_gate_t one, other;

    sunk_t whole, pieces;

    pass(&one, form, head, body, body.len + 1, &whole);
    HOLDS(one.failed != CP_OK || one.size == whole.size);

    pass(&other, form, head, body, cut, &pieces);
    assert_same(&one, &other);
    HOLDS(one.failed != CP_OK || (whole.size == pieces.size && whole.sum == pieces.sum));
}


static cp_str_t
up_to_nul(cp_str_t *rest)
{
    const char *nul = rest->len == 0 ? NULL : memchr(rest->data, '\0', rest->len);
    cp_str_t    part = CP_STR_NULL;

    if (nul != NULL) {
        part = cp_str_n(rest->data, (size_t) (nul - rest->data));
        rest->data += part.len + 1;
        rest->len -= part.len + 1;
    }

    return part;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const size_t cuts[] = { 1, 3, 64 };

    cp_str_t       body = cp_str_n(data, len);
    cp_gate_head_t head = { .content_type = CP_STR("multipart/form-data; boundary=b0"), .length = -1 };
    uint32_t       seed = (uint32_t) crc32(1, data, (uInt) len);
    size_t         cut = cuts[seed % 3];

    if (len > 1 && data[0] == '-') {
        check(seed % 2 == 0 ? CP_GATE_FORM : CP_GATE_ANY, &head, body, cut);
        return 0;
    }

    head.content_type = up_to_nul(&body);
    head.disposition = up_to_nul(&body);
    check(CP_GATE_ANY, &head, body, cut);

    return 0;
}
