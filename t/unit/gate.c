/* Bodies held against limits, as they are and in forms: types, names, bytes, sizes, fields; cut anywhere. */
#include "seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "gate/gate.h"
#include "pictures.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define FORM          "multipart/form-data; boundary=b0"
#define JPEG_AND_PNG  (CP_TYPE_JPEG | CP_TYPE_PNG)

static const cp_gate_limits_t limits = { .types = JPEG_AND_PNG, .max_size = 2000, .max_pixels = 1000 };

static unsigned char sunk[8192];
static size_t        sunk_len;


static cp_code_t
sink(void *data, const void *bytes, size_t len)
{
    assert_ptr_equal(data, sunk);
    assert_true(len > 0 && len <= sizeof(sunk) - sunk_len);
    memcpy(sunk + sunk_len, bytes, len);
    sunk_len += len;

    return CP_OK;
}


/* In slices of `most` bytes, each a block of its own; the code of the whole. */
static cp_code_t
pass(cp_gate_t *gate, const void *bytes, size_t len, size_t most)
{
    const char *p = bytes;
    size_t      n;
    char       *piece;

    for ( ; len > 0; p += n, len -= n) {
        n = len < most ? len : most;
        piece = malloc(n);
        assert_non_null(piece);
        memcpy(piece, p, n);
        (void) cp_gate_write(gate, piece, n);
        free(piece);
    }

    return cp_gate_finish(gate);
}


static cp_code_t
open_gate(cp_gate_t *gate, cp_gate_form_t form, const char *type, const char *disposition)
{
    cp_gate_head_t head = { .content_type = cp_str(type), .disposition = cp_str(disposition), .length = -1 };

    sunk_len = 0;
    return cp_gate_open(gate, &limits, form, &head, sink, sunk);
}


static void
jpeg(picture_t *picture)
{
    picture->len = 0;
    picture_jpeg(picture, PICTURE_JPEG);
}


static void
png(picture_t *picture)
{
    picture->len = 0;
    picture_png(picture, PICTURE_PNG);
}


/* What the sender says of the file, with a JPEG following. */
static void
claims(void **state)
{
    static const struct { const char *type, *disposition; cp_code_t open, whole; } rows[] = {
        { "image/jpeg", NULL, CP_OK, CP_OK },
        { "IMAGE/JPG; q=1", "inline", CP_OK, CP_OK },
        { "image/jpeg", "attachment; filename=a.jpg", CP_OK, CP_OK },
        { "image/jpeg", "attachment; filename=a.JPEG", CP_OK, CP_OK },
        { "image/jpeg", "attachment; filename=licence", CP_OK, CP_OK },
        { "image/jpeg", "attachment; filename=\"C:\\v1.2\\licence\"", CP_OK, CP_OK },
        { "image/jpeg", "attachment; filename=\"/v1.2/licence\"", CP_OK, CP_OK },
        { "image/jpeg", "attachment; filename*=UTF-8''%E7%85%A7.jpg", CP_OK, CP_OK },
        { "application/octet-stream", "attachment; filename=a.jpg", CP_OK, CP_OK },
        { NULL, "attachment; filename=a.jpg", CP_OK, CP_OK },

        { NULL, NULL, CP_E_MEDIA_TYPE, 0 },
        { "", NULL, CP_E_MEDIA_TYPE, 0 },
        { "application/octet-stream", NULL, CP_E_MEDIA_TYPE, 0 },
        { "application/octet-stream", "attachment; filename=licence", CP_E_MEDIA_TYPE, 0 },
        { "text/html", NULL, CP_E_MEDIA_TYPE, 0 },
        { "application/pdf", NULL, CP_E_MEDIA_TYPE, 0 },
        { FORM, NULL, CP_E_MEDIA_TYPE, 0 },
        { "image/jpeg", "attachment; filename=a.png", CP_E_MEDIA_TYPE, 0 },
        { "image/jpeg", "attachment; filename=a.jpg.php", CP_E_MEDIA_TYPE, 0 },
        { "image/jpeg", "attachment; filename=a.", CP_E_MEDIA_TYPE, 0 },
        { "image/jpeg", "attachment; filename=\"a.jpg \"", CP_E_MEDIA_TYPE, 0 },
        { "image/jpeg", "attachment; filename=a.jpg; filename*=UTF-8''a.png", CP_E_MEDIA_TYPE, 0 },
        { "image/jpeg", "attachment; filename=a.jpg; filename*=UTF-8''a.html", CP_E_MEDIA_TYPE, 0 },
        { NULL, "attachment; filename=a.pdf", CP_E_MEDIA_TYPE, 0 },
        { "image/jpeg", "attachment; filename=a.jpg; filename=b.jpg", CP_E_MALFORMED, 0 },
        { "image/jpeg", "attachment; filename=\"a", CP_E_MALFORMED, 0 },

        { "image/png", NULL, CP_OK, CP_E_MEDIA_TYPE },
        { NULL, "attachment; filename=a.png", CP_OK, CP_E_MEDIA_TYPE },
    };
    cp_gate_t gate;
    picture_t picture;
    size_t    i;

    (void) state;

    jpeg(&picture);

    for (i = 0; i < COUNT(rows); i++) {
        if (open_gate(&gate, CP_GATE_RAW, rows[i].type, rows[i].disposition) != rows[i].open) {
            fail_msg("%s, %s: %d", rows[i].type, rows[i].disposition, gate.failed);
        }
        if (rows[i].open == CP_OK) {
            assert_int_equal(pass(&gate, picture.bytes, picture.len, 1), rows[i].whole);
            assert_int_equal(sunk_len, rows[i].whole == CP_OK ? picture.len : 11);
        } else {
            assert_int_equal(pass(&gate, picture.bytes, picture.len, 1), rows[i].open);
            assert_int_equal(sunk_len, 0);
        }
    }
}


static void
put(picture_t *body, const char *text)
{
    picture_put(body, text, strlen(text));
}


/* A form of parts that a letter each names: a JPEG as j, a PNG as p, a broken PNG as x; c … text fields, and so on. */
static void
form(picture_t *body, const char *parts)
{
    picture_t file;
    size_t    n;

    body->len = 0;
    for ( ; *parts != '\0'; parts++) {
        put(body, "--b0\r\nContent-Disposition: form-data; name=");
        file.len = 0;
        switch (*parts) {
        case 'j':
            put(body, "file; filename=a.jpg\r\nContent-Type: image/jpeg\r\n\r\n");
            jpeg(&file);
            break;
        case 'n':    /* without a type */
            put(body, "file; filename=a.jpg\r\n\r\n");
            jpeg(&file);
            break;
        case 'o':    /* under another name */
            put(body, "other; filename=a.jpg\r\nContent-Type: image/jpeg\r\n\r\n");
            jpeg(&file);
            break;
        case 't':    /* without a file name */
            put(body, "file\r\nContent-Type: image/jpeg\r\n\r\n");
            jpeg(&file);
            break;
        case 'u':    /* with neither */
            put(body, "file\r\n\r\n");
            jpeg(&file);
            break;
        case 'm':    /* type and name disagree */
            put(body, "file; filename=a.png\r\nContent-Type: image/jpeg\r\n\r\n");
            jpeg(&file);
            break;
        case 'l':    /* neither is true */
            put(body, "file; filename=a.png\r\nContent-Type: image/png\r\n\r\n");
            jpeg(&file);
            break;
        case 'p':
            put(body, "file; filename=a.png\r\nContent-Type: image/png\r\n\r\n");
            png(&file);
            break;
        case 'x':
            put(body, "file; filename=a.png\r\nContent-Type: image/png\r\n\r\n");
            picture_png(&file, "HD");
            break;
        case 'z':    /* an empty file */
            put(body, "file; filename=a.png\r\nContent-Type: image/png\r\n\r\n");
            break;
        case '0':    /* no file chosen */
            put(body, "file; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n");
            break;
        case '1':    /* bytes of a file without a name */
            put(body, "file; filename=\"\"\r\nContent-Type: image/jpeg\r\n\r\nx");
            break;
        case 'c':
            put(body, "_charset_\r\n\r\nUTF-8");
            break;
        case '/':
            put(body, "next\r\n\r\n/orders/1?a=b#materials");
            break;
        case 'e':
            put(body, "next\r\n\r\n");
            break;
        case 'H':
            put(body, "next\r\n\r\n//evil.example/");
            break;
        case 'I':
            put(body, "next\r\n\r\n/\\evil.example/");
            break;
        case 'J':
            put(body, "next\r\n\r\nhttps://evil.example/");
            break;
        case 'K':
            put(body, "next\r\n\r\n/a\rSet-Cookie: a");
            break;
        case 'L':
            put(body, "next\r\n\r\n/");
            for (n = 1; n <= CP_GATE_NEXT_MAX; n++) {
                put(body, "x");
            }
            break;
        case 'f':
            put(body, "_charset_; filename=a.jpg\r\nContent-Type: image/jpeg\r\n\r\n");
            jpeg(&file);
            break;
        case 'b':    /* a file to some readers */
            put(body, "page\r\nContent-Type: text/html\r\n\r\n<script>");
            break;
        default:
            put(body, "note\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n1");
            break;
        }
        picture_put(body, file.bytes, file.len);
        put(body, "\r\n");
    }
    put(body, "--b0--\r\n");
}


/* Forms with one file, and forms for any application. */
static void
forms(void **state)
{
    static const struct {
        cp_gate_form_t  form;
        const char     *parts;
        cp_code_t       code;
        const char     *field;
        int             why;
        const char     *reason;
    } rows[] = {
        { CP_GATE_FORM, "j", CP_OK, NULL, 0, NULL },
        { CP_GATE_FORM, "cp", CP_OK, NULL, 0, NULL },
        { CP_GATE_FORM, "pc", CP_OK, NULL, 0, NULL },
        { CP_GATE_FORM, "n", CP_OK, NULL, 0, NULL },
        { CP_GATE_FORM, "t", CP_OK, NULL, 0, NULL },
        { CP_GATE_FORM, "", CP_E_INVALID, "file", CP_F_REQUIRED, NULL },
        { CP_GATE_FORM, "c", CP_E_INVALID, "file", CP_F_REQUIRED, NULL },
        { CP_GATE_FORM, "0", CP_E_INVALID, "file", CP_F_REQUIRED, NULL },
        { CP_GATE_FORM, "z", CP_E_INVALID, "file", CP_F_REQUIRED, NULL },
        { CP_GATE_FORM, "jp", CP_E_INVALID, "file", CP_F_REPEATED, NULL },
        { CP_GATE_FORM, "jk", CP_E_INVALID, "note", CP_F_UNKNOWN, NULL },
        { CP_GATE_FORM, "jo", CP_E_INVALID, "other", CP_F_UNKNOWN, NULL },
        { CP_GATE_FORM, "f", CP_E_INVALID, "_charset_", CP_F_UNKNOWN, NULL },
        { CP_GATE_FORM, "/j", CP_OK, NULL, 0, NULL },
        { CP_GATE_FORM, "je", CP_OK, NULL, 0, NULL },
        { CP_GATE_FORM, "j//", CP_E_INVALID, "next", CP_F_REPEATED, NULL },
        { CP_GATE_FORM, "jH", CP_E_INVALID, "next", CP_F_FORMAT, NULL },
        { CP_GATE_FORM, "jI", CP_E_INVALID, "next", CP_F_FORMAT, NULL },
        { CP_GATE_FORM, "jJ", CP_E_INVALID, "next", CP_F_FORMAT, NULL },
        { CP_GATE_FORM, "jK", CP_E_INVALID, "next", CP_F_FORMAT, NULL },
        { CP_GATE_FORM, "jL", CP_E_INVALID, "next", CP_F_TOO_LONG, NULL },
        { CP_GATE_FORM, "u", CP_E_MEDIA_TYPE, NULL, 0, NULL },
        { CP_GATE_FORM, "m", CP_E_MEDIA_TYPE, NULL, 0, NULL },
        { CP_GATE_FORM, "l", CP_E_MEDIA_TYPE, NULL, 0, NULL },
        { CP_GATE_FORM, "1", CP_E_MEDIA_TYPE, NULL, 0, NULL },
        { CP_GATE_FORM, "x", CP_E_BAD_FILE, NULL, 0, "truncated" },

        { CP_GATE_ANY, "j", CP_OK, NULL, 0, NULL },
        { CP_GATE_ANY, "kjpo0k", CP_OK, NULL, 0, NULL },
        { CP_GATE_ANY, "k", CP_OK, NULL, 0, NULL },
        { CP_GATE_ANY, "", CP_OK, NULL, 0, NULL },
        { CP_GATE_ANY, "jx", CP_E_BAD_FILE, NULL, 0, "truncated" },
        { CP_GATE_ANY, "kl", CP_E_MEDIA_TYPE, NULL, 0, NULL },
        { CP_GATE_ANY, "b", CP_E_MEDIA_TYPE, NULL, 0, NULL },
        { CP_GATE_ANY, "01", CP_E_MEDIA_TYPE, NULL, 0, NULL },
        { CP_GATE_ANY, "z", CP_E_INVALID, "file", CP_F_REQUIRED, NULL },
    };
    static const size_t slices[] = { 1, 2, 7, 64, 10000 };

    picture_t   body;
    cp_gate_t   gate;
    const char *reason;
    size_t      i, j;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        form(&body, rows[i].parts);
        for (j = 0; j < COUNT(slices); j++) {
            assert_int_equal(open_gate(&gate, rows[i].form, FORM, NULL), CP_OK);
            if (pass(&gate, body.bytes, body.len, slices[j]) != rows[i].code) {
                fail_msg("%s: %s", rows[i].parts, cp_error(gate.failed)->code);
            }
            if (rows[i].field != NULL) {
                assert_string_equal(gate.field, rows[i].field);
                assert_int_equal(gate.why, rows[i].why);
            }
            reason = cp_gate_reason(&gate);
            assert_string_equal(reason == NULL ? "" : reason, rows[i].reason == NULL ? "" : rows[i].reason);
        }
    }
}


/* The file comes out of the form as it is, wherever the form is cut. */
static void
every_cut(void **state)
{
    picture_t body, file;
    cp_gate_t gate;
    size_t    cut;

    (void) state;

    form(&body, "cj");
    jpeg(&file);

    for (cut = 1; cut < body.len; cut++) {
        assert_int_equal(open_gate(&gate, CP_GATE_FORM, FORM, NULL), CP_OK);
        assert_int_equal(cp_gate_write(&gate, body.bytes, cut), CP_OK);
        assert_int_equal(pass(&gate, body.bytes + cut, body.len - cut, body.len), CP_OK);
        assert_int_equal(gate.type, CP_TYPE_JPEG);
        assert_int_equal(gate.size, file.len);
        assert_int_equal(sunk_len, file.len);
        assert_memory_equal(sunk, file.bytes, file.len);
    }

    /* and ends too early wherever it ends, but for the line break behind it */
    for (cut = 0; cut < body.len - 2; cut++) {
        assert_int_equal(open_gate(&gate, CP_GATE_FORM, FORM, NULL), CP_OK);
        assert_int_not_equal(pass(&gate, body.bytes, cut, 100), CP_OK);
    }
}


static void
no_forms(void **state)
{
    static const struct { const char *type; cp_code_t code; const char *reason; } rows[] = {
        { "image/jpeg", CP_E_MEDIA_TYPE, NULL },
        { "application/x-www-form-urlencoded", CP_E_MEDIA_TYPE, NULL },
        { NULL, CP_E_MEDIA_TYPE, NULL },
        { "multipart/form-data", CP_E_MALFORMED, "form_boundary" },
        { "multipart/form-data; boundary=a; boundary=b", CP_E_MALFORMED, "form_boundary" },
    };
    cp_gate_t   gate;
    const char *reason;
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(open_gate(&gate, CP_GATE_FORM, rows[i].type, NULL), rows[i].code);
        reason = cp_gate_reason(&gate);
        assert_string_equal(reason == NULL ? "" : reason, rows[i].reason == NULL ? "" : rows[i].reason);
    }

    assert_int_equal(open_gate(&gate, CP_GATE_FORM, FORM, NULL), CP_OK);
    assert_int_equal(pass(&gate, "--b1", 4, 1), CP_E_MALFORMED);
    assert_string_equal(cp_gate_reason(&gate), "form_boundary");
}


/* By the length that is told, and by what comes. */
static void
sizes(void **state)
{
    static const struct { cp_gate_form_t form; const char *type; int64_t length; cp_code_t code; } rows[] = {
        { CP_GATE_RAW, "image/jpeg", 2000, CP_OK },
        { CP_GATE_RAW, "image/jpeg", 2001, CP_E_TOO_LARGE },
        { CP_GATE_RAW, "image/jpeg", INT64_MAX, CP_E_TOO_LARGE },
        { CP_GATE_FORM, FORM, 2000 + CP_GATE_FORM_EXTRA, CP_OK },
        { CP_GATE_FORM, FORM, 2001 + CP_GATE_FORM_EXTRA, CP_E_TOO_LARGE },
        { CP_GATE_ANY, FORM, 2001 + CP_GATE_FORM_EXTRA, CP_E_TOO_LARGE },
        { CP_GATE_ANY, "image/jpeg", 2001, CP_E_TOO_LARGE },
        { CP_GATE_ANY, FORM, INT64_MAX, CP_E_TOO_LARGE },
    };
    static char many[CP_GATE_FORM_EXTRA];

    picture_t body;
    cp_gate_t gate;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_gate_head_t head = { .content_type = cp_str(rows[i].type), .length = rows[i].length };

        assert_int_equal(cp_gate_open(&gate, &limits, rows[i].form, &head, NULL, NULL), rows[i].code);
    }

    jpeg(&body);
    assert_int_equal(open_gate(&gate, CP_GATE_RAW, "image/jpeg", NULL), CP_OK);
    assert_int_equal(cp_gate_write(&gate, body.bytes, body.len), CP_OK);
    assert_int_equal(cp_gate_write(&gate, many, 2000 - body.len), CP_OK);
    assert_int_equal(cp_gate_write(&gate, many, 1), CP_E_TOO_LARGE);
    assert_int_equal(sunk_len, 2000);

    /* the files of a form together, and what it has beside them */
    for (i = 0; i < 2; i++) {
        cp_gate_head_t   head = { .content_type = CP_STR(FORM), .length = -1 };
        cp_gate_limits_t narrow = limits;

        jpeg(&body);
        narrow.max_size = 2 * (int64_t) body.len - (int64_t) i;
        form(&body, "jj");
        assert_int_equal(cp_gate_open(&gate, &narrow, CP_GATE_ANY, &head, NULL, NULL), CP_OK);
        assert_int_equal(pass(&gate, body.bytes, body.len, 50), i == 0 ? CP_OK : CP_E_TOO_LARGE);
    }

    memset(many, 'x', sizeof(many));
    assert_int_equal(open_gate(&gate, CP_GATE_ANY, FORM, NULL), CP_OK);
    form(&body, "k");
    assert_int_equal(cp_gate_write(&gate, body.bytes, body.len - 10), CP_OK);
    assert_int_equal(cp_gate_write(&gate, many, sizeof(many) - (body.len - 10)), CP_OK);
    assert_int_equal(cp_gate_write(&gate, many, 1), CP_E_TOO_LARGE);
}


/* Several halls ask for a kind: what any of them takes gets to where the order is known. */
static void
widest_rule(void **state)
{
    static cp_hall_t  halls[3];
    cp_catalog_t      catalog = { .halls = { &halls[0], &halls[1], &halls[2] }, .hall_count = 3 };
    cp_material_rule_t rule;

    (void) state;

    halls[0].materials[0] = (cp_material_rule_t) { .kind = CP_STR("a"), .types = CP_TYPE_PNG, .max_size = 10,
                                                   .max_pixels = 5, .max_pages = 3 };
    halls[1].materials[0] = (cp_material_rule_t) { .kind = CP_STR("a"), .types = CP_TYPE_PDF, .max_size = 5,
                                                   .max_pixels = 7 };
    halls[2].materials[0] = (cp_material_rule_t) { .kind = CP_STR("b"), .types = CP_TYPE_GIF, .max_size = 99 };
    halls[0].material_count = halls[1].material_count = halls[2].material_count = 1;

    assert_true(cp_catalog_material(&catalog, CP_STR("a"), &rule));
    assert_int_equal(rule.types, CP_TYPE_PNG | CP_TYPE_PDF);
    assert_int_equal(rule.max_size, 10);
    assert_int_equal(rule.max_pixels, 7);
    assert_int_equal(rule.max_pages, 0);
    assert_false(cp_catalog_material(&catalog, CP_STR("c"), &rule));
}


int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims),   cmocka_unit_test(forms), cmocka_unit_test(every_cut),
        cmocka_unit_test(no_forms), cmocka_unit_test(sizes), cmocka_unit_test(widest_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
