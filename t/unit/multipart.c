/* Forms cut at every byte: what a part is told and what comes of it must not depend on the cuts. */
#include "seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "multipart/multipart.h"
#include "multipart/parameter.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define TYPE          "multipart/form-data; boundary=b0"

/* What the events said, as text: <name|file_name|extended|type> bytes </> */
typedef struct {
    char   text[8192];
    size_t len;
    int    stop_at;      /* the number of the event that stops; 0: none */
    int    events;
} heard_t;


static bool
hear(heard_t *heard, const void *bytes, size_t len)
{
    assert_true(len <= sizeof(heard->text) - heard->len);
    memcpy(heard->text + heard->len, bytes, len);
    heard->len += len;

    return true;
}


static bool
hear_value(heard_t *heard, cp_str_t s)
{
    return s.data == NULL ? hear(heard, "-", 1) : hear(heard, s.data, s.len);
}


static bool
go_on(heard_t *heard)
{
    return ++heard->events != heard->stop_at;
}


static bool
hear_begin(void *data, const cp_multipart_part_t *part)
{
    heard_t *heard = data;

    hear(heard, "<", 1);
    hear_value(heard, part->name);
    hear(heard, "|", 1);
    hear_value(heard, part->file_name);
    hear(heard, "|", 1);
    hear_value(heard, part->extended_name);
    hear(heard, "|", 1);
    hear_value(heard, part->content_type);
    hear(heard, ">", 1);

    return go_on(heard);
}


static bool
hear_bytes(void *data, const void *bytes, size_t len)
{
    assert_true(len > 0);

    return hear(data, bytes, len);
}


static bool
hear_end(void *data)
{
    hear(data, "</>", 3);

    return go_on(data);
}


static const cp_multipart_events_t events = { hear_begin, hear_bytes, hear_end };


/* In two pieces that meet at `cut`; 0: byte by byte. The pieces are blocks of their own, for the sanitizers. */
static cp_multipart_verdict_t
read_cut(cp_str_t body, size_t cut, heard_t *heard)
{
    cp_multipart_t         multipart;
    cp_multipart_verdict_t verdict = CP_MULTIPART_OK;
    size_t                 at = 0, n;
    char                  *piece;

    heard->len = 0;
    heard->events = 0;
    assert_true(cp_multipart_begin(&multipart, CP_STR(TYPE), &events, heard));

    while (at < body.len && verdict == CP_MULTIPART_OK) {
        n = cut == 0 ? 1 : at == 0 && cut < body.len ? cut : body.len - at;
        piece = malloc(n);
        assert_non_null(piece);
        memcpy(piece, body.data + at, n);
        verdict = cp_multipart_feed(&multipart, piece, n);
        free(piece);
        at += n;
    }

    return cp_multipart_end(&multipart);
}


#define PART(headers, body)  "--b0\r\n" headers "\r\n\r\n" body "\r\n"
#define NAMED(name)          "Content-Disposition: form-data; name=\"" name "\""
#define LAST                 "--b0--"

static const struct { const char *body; cp_multipart_verdict_t verdict; const char *heard; } forms[] = {
    { PART(NAMED("a"), "1") LAST, CP_MULTIPART_OK, "<a|-|-|->1</>" },
    { PART(NAMED("a"), "1") LAST "\r\n", CP_MULTIPART_OK, "<a|-|-|->1</>" },
    { "\r\n" PART(NAMED("a"), "") LAST, CP_MULTIPART_OK, "<a|-|-|-></>" },
    { PART(NAMED("a"), "1") PART(NAMED("b"), "2") LAST, CP_MULTIPART_OK, "<a|-|-|->1</><b|-|-|->2</>" },
    { PART(NAMED("file") "; filename=\"x.jpg\"\r\nContent-Type: image/jpeg", "\r\n--b\r\n--b1\r\r\n--b") LAST,
      CP_MULTIPART_OK, "<file|x.jpg|-|image/jpeg>\r\n--b\r\n--b1\r\r\n--b</>" },
    { "--b0 \t\r\ncontent-disposition:form-data;name=a;filename*=utf-8'zh'%E5%9B%BE.png\r\n\r\n\n-\n\r\n" LAST,
      CP_MULTIPART_OK, "<a|-|图.png|->\n-\n</>" },
    { PART("Content-Length: 1\r\n" NAMED("a\\\"b\\\\c") "; filename=\"C:\\x\\y.png\"", "1") LAST, CP_MULTIPART_OK,
      "<a\"b\\c|C:\\x\\y.png|-|->1</>" },
    { PART("Content-Transfer-Encoding: binary\r\n" NAMED("a"), "1") LAST, CP_MULTIPART_OK, "<a|-|-|->1</>" },
    { PART(NAMED("a"), "--b0--") LAST, CP_MULTIPART_OK, "<a|-|-|->--b0--</>" },
    { LAST, CP_MULTIPART_OK, "" },

    { "", CP_MULTIPART_TRUNCATED, "" },
    { "--b0", CP_MULTIPART_TRUNCATED, "" },
    { PART(NAMED("a"), "1"), CP_MULTIPART_TRUNCATED, "<a|-|-|->1" },
    { PART(NAMED("a"), "1") "--b0", CP_MULTIPART_TRUNCATED, "<a|-|-|->1</>" },
    { PART(NAMED("a"), "1") "--b0-", CP_MULTIPART_TRUNCATED, "<a|-|-|->1</>" },

    { "preamble\r\n" PART(NAMED("a"), "1") LAST, CP_MULTIPART_BOUNDARY, "" },
    { "\r\n\r\n" PART(NAMED("a"), "1") LAST, CP_MULTIPART_BOUNDARY, "" },
    { "\n" PART(NAMED("a"), "1") LAST, CP_MULTIPART_BOUNDARY, "" },
    { "--b1\r\n", CP_MULTIPART_BOUNDARY, "" },
    { "--b0x\r\n", CP_MULTIPART_BOUNDARY, "" },
    { "--b0\n" NAMED("a"), CP_MULTIPART_BOUNDARY, "" },
    { "--b0\r\r\n", CP_MULTIPART_BOUNDARY, "" },
    { "--b0 -", CP_MULTIPART_BOUNDARY, "" },
    { "--b0-\r\n", CP_MULTIPART_BOUNDARY, "" },
    { "--b0                                        \r\n", CP_MULTIPART_BOUNDARY, "" },
    { PART(NAMED("a"), "1") "--b0x\r\n", CP_MULTIPART_BOUNDARY, "<a|-|-|->1</>" },

    { "--b0\r\n\r\n1\r\n" LAST, CP_MULTIPART_HEADER, "" },
    { PART("X: y", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART("Content-Disposition: form-data", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART("Content-Disposition: attachment; name=a", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART("Content-Disposition : form-data; name=a", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "\r\n" NAMED("b"), "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; name=b", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; filename=x.jpg; FileName=x.php", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; filename*0=x.php", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; name*=utf-8''b", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; filename*=gbk''b", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; filename*=utf-8''%00.jpg", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; filename*=utf-8''%ff.jpg", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; filename*=utf-8''a%4", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "; filename*=utf-8", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") " filename=b", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART("Content-Disposition: form-data; name=\"a", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART("Content-Disposition: form-data; name=", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "\n; filename=b", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "\r\n ; filename=b", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "\r\nContent-Type: text/plain\r\nContent-type: image/png", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "\r\nContent-Type:", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "\r\nContent-Type: Multipart/Mixed; boundary=c", "1") LAST, CP_MULTIPART_HEADER, "" },
    { PART(NAMED("a") "\r\nContent-Transfer-Encoding: base64", "1") LAST, CP_MULTIPART_HEADER, "" },

    { PART(NAMED("a"), "1") LAST "\r\nepilogue", CP_MULTIPART_TRAILING, "<a|-|-|->1</>" },
    { PART(NAMED("a"), "1") LAST "\n", CP_MULTIPART_TRAILING, "<a|-|-|->1</>" },
    { PART(NAMED("a"), "1") LAST "\r\n\r\n", CP_MULTIPART_TRAILING, "<a|-|-|->1</>" },
    { PART(NAMED("a"), "1") LAST "--", CP_MULTIPART_TRAILING, "<a|-|-|->1</>" },
};


static void
every_cut(void **state)
{
    static heard_t heard;
    size_t         i, cut;

    (void) state;

    for (i = 0; i < COUNT(forms); i++) {
        cp_str_t body = cp_str(forms[i].body);

        for (cut = 0; cut <= body.len; cut++) {
            cp_multipart_verdict_t verdict = read_cut(body, cut, &heard);

            if (verdict != forms[i].verdict || heard.len != strlen(forms[i].heard)
                || memcmp(heard.text, forms[i].heard, heard.len) != 0)
            {
                fail_msg("form %zu cut at %zu: %s, %.*s", i, cut, cp_multipart_word(verdict), (int) heard.len,
                         heard.text);
            }
        }
    }
}


/* A byte of zero in the header fields, and header fields that never end. */
static void
headers(void **state)
{
    static const char zero[] = PART(NAMED("a") "\0b", "1") LAST;
    static heard_t    heard;
    static char       body[2 * CP_MULTIPART_HEADERS];

    (void) state;

    assert_int_equal(read_cut(cp_str_n(zero, sizeof(zero) - 1), 0, &heard), CP_MULTIPART_HEADER);

    memset(body, 'x', sizeof(body));
    memcpy(body, "--b0\r\n", 6);
    assert_int_equal(read_cut(cp_str_n(body, sizeof(body)), 0, &heard), CP_MULTIPART_TOO_LONG);
    assert_int_equal(read_cut(cp_str_n(body, sizeof(body)), 7, &heard), CP_MULTIPART_TOO_LONG);

    /* as long as they may be, and a byte longer */
    memset(body, 'x', sizeof(body));
    memcpy(body, "--b0\r\n" NAMED("a") "\r\nX: ", 6 + sizeof(NAMED("a") "\r\nX: ") - 1);
    memcpy(body + 6 + CP_MULTIPART_HEADERS - 4, "\r\n\r\n\r\n--b0--", 12);
    assert_int_equal(read_cut(cp_str_n(body, 6 + CP_MULTIPART_HEADERS + 8), 0, &heard), CP_MULTIPART_OK);
    memcpy(body + 6 + CP_MULTIPART_HEADERS - 4, "x\r\n\r\n\r\n--b0--", 13);
    assert_int_equal(read_cut(cp_str_n(body, 6 + CP_MULTIPART_HEADERS + 9), 0, &heard), CP_MULTIPART_TOO_LONG);
}


static void
boundaries(void **state)
{
    static const struct { const char *type; bool form, good; } rows[] = {
        { "multipart/form-data; boundary=x", true, true },
        { "Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b'()+_,-./:=?\"", true, true },
        { "multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890", true,
          true },
        { "multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901", true,
          false },
        { "multipart/form-data", true, false },
        { "multipart/form-data;", true, false },
        { "multipart/form-data; boundary=", true, false },
        { "multipart/form-data; boundary=\"\"", true, false },
        { "multipart/form-data; boundary=\"a \"", true, false },
        { "multipart/form-data; boundary=\"a\r\"", true, false },
        { "multipart/form-data; boundary=\"a", true, false },
        { "multipart/form-data; boundary=a; boundary=a", true, false },
        { "multipart/form-data; boundary=a, multipart/form-data; boundary=b", true, false },
        { "multipart/form-data; boundary=a{", true, false },
        { "multipart/form-datas; boundary=a", false, false },
        { "multipart/mixed; boundary=a", false, false },
        { "image/png", false, false },
        { "", false, false },
        { NULL, false, false },
    };
    cp_multipart_t multipart;
    size_t         i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(cp_is_form(cp_str(rows[i].type)), rows[i].form);
        if (cp_multipart_begin(&multipart, cp_str(rows[i].type), &events, NULL) != rows[i].good) {
            fail_msg("%s", rows[i].type);
        }
    }
}


static void
stopped(void **state)
{
    static heard_t heard;
    int            i;

    (void) state;

    for (i = 1; i <= 4; i++) {
        heard.stop_at = i;
        assert_int_equal(read_cut(CP_STR(PART(NAMED("a"), "1") PART(NAMED("b"), "2") LAST), 0, &heard),
                         CP_MULTIPART_STOPPED);
        assert_int_equal(heard.events, i);
    }
    heard.stop_at = 0;
}


/* Content-Disposition of a whole body. */
static void
dispositions(void **state)
{
    static const struct { const char *field; bool good; const char *file_name, *extended_name; } rows[] = {
        { "attachment", true, NULL, NULL },
        { "inline; filename=a.jpg", true, "a.jpg", NULL },
        { " attachment ; filename=\"a b.jpg\" ;; filename*=UTF-8''%e2%82%ac%20rates.jpg;", true, "a b.jpg",
          "€ rates.jpg" },
        { "attachment; filename=\"\"", true, "", NULL },
        { "", false, NULL, NULL },
        { "; filename=a.jpg", false, NULL, NULL },
        { "two words; filename=a.jpg", false, NULL, NULL },
        { "attachment; filename=a b.jpg", false, NULL, NULL },
        { "attachment; filename=a.jpg; filename=b.jpg", false, NULL, NULL },
        { "attachment; filename = a.jpg", false, NULL, NULL },
        { "attachment; filename=\"a\tb\"", false, NULL, NULL },
    };
    cp_disposition_t disposition;
    char             long_field[CP_DISPOSITION_MAX + 2];
    size_t           i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_disposition_read(&disposition, cp_str(rows[i].field)) != rows[i].good) {
            fail_msg("%s", rows[i].field);
        }
        if (rows[i].good) {
            assert_true(cp_str_eq(disposition.file_name, cp_str(rows[i].file_name)));
            assert_int_equal(disposition.file_name.data == NULL, rows[i].file_name == NULL);
            assert_true(cp_str_eq(disposition.extended_name, cp_str(rows[i].extended_name)));
        }
    }

    memset(long_field, 'a', sizeof(long_field));
    assert_true(cp_disposition_read(&disposition, cp_str_n(long_field, CP_DISPOSITION_MAX)));
    assert_false(cp_disposition_read(&disposition, cp_str_n(long_field, CP_DISPOSITION_MAX + 1)));
}


int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut), cmocka_unit_test(headers), cmocka_unit_test(boundaries),
        cmocka_unit_test(stopped),   cmocka_unit_test(dispositions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
