/* The walkers: what is whole passes, what ends early or is broken where it counts does not, however it is split. */
#include "seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pictures.h"
#include "walk/walk.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static const cp_walk_limits_t limits = { .max_pixels = 40 * 1000 * 1000, .max_pages = 3 };


/* Walks a copy of exactly these bytes, so that the sanitizer sees a read beyond them. */
static cp_walk_verdict_t
walked(cp_walk_t *walk, cp_walk_kind_t kind, const unsigned char *bytes, size_t len, size_t most)
{
    unsigned char *copy;
    size_t         n, at;

    cp_walk_begin(walk, kind, &limits);

    for (at = 0; at < len; at += n) {
        n = len - at < most ? len - at : most;
        copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, bytes + at, n);
        cp_walk_feed(walk, copy, n);
        free(copy);
    }

    return cp_walk_end(walk);
}


/* The verdict and its place, which no splitting changes. */
static cp_walk_verdict_t
verdict_of(cp_walk_kind_t kind, const unsigned char *bytes, size_t len, cp_walk_t *walk)
{
    static const size_t slices[] = { 1, 2, 3, 7, 64 };

    cp_walk_t         other;
    cp_walk_verdict_t verdict = walked(walk, kind, bytes, len, len + 1);
    size_t            i;

    for (i = 0; i < COUNT(slices); i++) {
        assert_int_equal(walked(&other, kind, bytes, len, slices[i]), verdict);
        assert_int_equal(other.size, walk->size);
        assert_int_equal(other.width, walk->width);
        assert_int_equal(other.height, walk->height);
        assert_int_equal(other.trailing, walk->trailing);
        assert_int_equal(other.pages, walk->pages);
    }

    return verdict;
}


/* Whole: accepted with so many trailing bytes, which may be cut; cut anywhere before them it is refused. */
static void
assert_whole(cp_walk_kind_t kind, const picture_t *picture, size_t trailing)
{
    cp_walk_t walk;
    size_t    len;

    assert_int_equal(verdict_of(kind, picture->bytes, picture->len, &walk), CP_WALK_OK);
    assert_int_equal(walk.trailing, trailing);
    assert_int_equal(walk.size, picture->len);

    for (len = 0; len < picture->len; len++) {
        if (len < picture->len - trailing) {
            assert_int_not_equal(verdict_of(kind, picture->bytes, len, &walk), CP_WALK_OK);
        } else {
            assert_int_equal(verdict_of(kind, picture->bytes, len, &walk), CP_WALK_OK);
        }
    }
}


/* A broken one: the verdict, which comes before the end unless the end is what is missing, and stays. */
static void
assert_verdict(cp_walk_kind_t kind, const picture_t *picture, cp_walk_verdict_t verdict, const char *name)
{
    cp_walk_t walk;

    if (verdict_of(kind, picture->bytes, picture->len, &walk) != verdict) {
        fail_msg("%s: %s instead of %s", name, cp_walk_text(walk.verdict)->code, cp_walk_text(verdict)->code);
    }

    if (verdict != CP_WALK_OK) {
        assert_int_equal(cp_walk_feed(&walk, "more", 4), verdict);
        assert_int_equal(cp_walk_end(&walk), verdict);
    }
}


typedef struct {
    const char        *parts;
    cp_walk_verdict_t  verdict;
} row_t;


static void
png(void **state)
{
    static const char *const whole[] = { PICTURE_PNG, "HDE", "IPDE", "HDdDE", "HtDtE", "HPDE" };
    static const row_t rows[] = {
        { "TDE", CP_WALK_ORDER },        { "DHE", CP_WALK_ORDER },          { "HHDE", CP_WALK_ORDER },
        { "HDTDE", CP_WALK_ORDER },      { "IDPE", CP_WALK_MISSING },       { "IPPDE", CP_WALK_ORDER },
        { "HDPE", CP_WALK_ORDER },       { "HE", CP_WALK_MISSING },         { "HdE", CP_WALK_MISSING },
        { "IDE", CP_WALK_MISSING },      { "fDE", CP_WALK_CRC },            { "HxE", CP_WALK_CRC },
        { "IqDE", CP_WALK_CRC },         { "HDn", CP_WALK_CRC },            { "IpDE", CP_WALK_LENGTH },
        { "hDE", CP_WALK_LENGTH },       { "HDe", CP_WALK_LENGTH },         { "HL", CP_WALK_LENGTH },
        { "H!DE", CP_WALK_LENGTH },      { "0DE", CP_WALK_DIMENSIONS },     { "wDE", CP_WALK_DIMENSIONS },
        { "b", CP_WALK_TOO_MANY_PIXELS }, { "3DE", CP_WALK_UNSUPPORTED },   { "cDE", CP_WALK_UNSUPPORTED },
        { "gPDE", CP_WALK_UNSUPPORTED }, { "HXDE", CP_WALK_UNSUPPORTED },   { "HD", CP_WALK_TRUNCATED },
    };
    picture_t picture;
    cp_walk_t walk;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(whole); i++) {
        picture_png(&picture, whole[i]);
        assert_whole(CP_WALK_PNG, &picture, 0);
        picture_put(&picture, "PK\3\4", 4);
        assert_whole(CP_WALK_PNG, &picture, 4);
    }

    for (i = 0; i < COUNT(rows); i++) {
        picture_png(&picture, rows[i].parts);
        assert_verdict(CP_WALK_PNG, &picture, rows[i].verdict, rows[i].parts);
    }

    picture_png(&picture, PICTURE_PNG);
    verdict_of(CP_WALK_PNG, picture.bytes, picture.len, &walk);
    assert_int_equal(walk.width, 8);
    assert_int_equal(walk.height, 8);

    picture.bytes[7] = '\r';
    assert_verdict(CP_WALK_PNG, &picture, CP_WALK_SIGNATURE, "a changed line end");
}


/* Every depth with every colour type: ISO/IEC 15948 table 11.1. */
static void
png_depths(void **state)
{
    static const char *const allowed[] = { "1 2 4 8 16", "", "8 16", "1 2 4 8", "8 16", "", "8 16", "" };

    picture_t picture;
    cp_walk_t walk;
    unsigned  colour, depth;
    char      word[16], list[32];

    (void) state;

    for (colour = 0; colour < COUNT(allowed); colour++) {
        for (depth = 0; depth <= 33; depth++) {
            picture_png(&picture, "");
            picture_ihdr(&picture, 8, 8, depth, colour, 0);
            snprintf(word, sizeof(word), " %u ", depth);
            snprintf(list, sizeof(list), " %s ", allowed[colour]);
            assert_int_equal(verdict_of(CP_WALK_PNG, picture.bytes, picture.len, &walk),
                             strstr(list, word) != NULL ? CP_WALK_TRUNCATED : CP_WALK_UNSUPPORTED);
        }
    }
}


static void
jpeg(void **state)
{
    static const char *const whole[] = {
        PICTURE_JPEG, "SQFhHs.Z", "SCQEhHs.Z", "SQPho.v.Z", "SQF~hHDs.Z", "SQFs.hQCs.~Z", "S?QF?s.Z",
    };
    static const row_t rows[] = {
        { "SQhs.Z", CP_WALK_ORDER },        { "SQFFs.Z", CP_WALK_ORDER },        { "SSQFs.Z", CP_WALK_ORDER },
        { "SQs.FZ", CP_WALK_ORDER },        { "SQPs.Z", CP_WALK_ORDER },         { "SZ", CP_WALK_MISSING },
        { "SQFZ", CP_WALK_MISSING },        { "SFs.Z", CP_WALK_MISSING },        { "SQFm.Z", CP_WALK_MISSING },
        { "SQ3s.Z", CP_WALK_MISSING },      { "SQFsZ", CP_WALK_TRUNCATED },      { "SQFs.", CP_WALK_TRUNCATED },
        { "Sa", CP_WALK_LENGTH },           { "SqF", CP_WALK_LENGTH },           { "SQc", CP_WALK_LENGTH },
        { "Si", CP_WALK_LENGTH },           { "Sk", CP_WALK_LENGTH },            { "Sd", CP_WALK_LENGTH },
        { "SQFy", CP_WALK_LENGTH },         { "SQ0", CP_WALK_DIMENSIONS },       { "SQg", CP_WALK_DIMENSIONS },
        { "SQb", CP_WALK_TOO_MANY_PIXELS }, { "SQl", CP_WALK_UNSUPPORTED },      { "SQr", CP_WALK_UNSUPPORTED },
        { "SQu", CP_WALK_UNSUPPORTED },     { "SQ2", CP_WALK_UNSUPPORTED },      { "SQN", CP_WALK_UNSUPPORTED },
        { "SQFs.<", CP_WALK_UNSUPPORTED },  { "QF", CP_WALK_SIGNATURE },
    };
    picture_t picture;
    cp_walk_t walk;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(whole); i++) {
        picture_jpeg(&picture, whole[i]);
        assert_whole(CP_WALK_JPEG, &picture, 0);
        picture_put(&picture, "\0\0\xff\xd8", 4);
        assert_whole(CP_WALK_JPEG, &picture, 4);
    }

    for (i = 0; i < COUNT(rows); i++) {
        picture_jpeg(&picture, rows[i].parts);
        assert_verdict(CP_WALK_JPEG, &picture, rows[i].verdict, rows[i].parts);
    }

    picture_jpeg(&picture, PICTURE_JPEG);
    verdict_of(CP_WALK_JPEG, picture.bytes, picture.len, &walk);
    assert_int_equal(walk.width, 16);
    assert_int_equal(walk.height, 16);
}


static void
gif(void **state)
{
    static const char *const whole[] = { PICTURE_GIF, "7I;", "9GL;", "9GIXII;", "0GI;" };
    static const row_t rows[] = {
        { "8GI;", CP_WALK_SIGNATURE },      { "9GX;", CP_WALK_MISSING },      { "9Ge;", CP_WALK_MISSING },
        { "9GI?;", CP_WALK_ORDER },         { "9Gz;", CP_WALK_DIMENSIONS },   { "b", CP_WALK_TOO_MANY_PIXELS },
        { "9Gp", CP_WALK_TOO_MANY_PIXELS }, { "9Gw", CP_WALK_UNSUPPORTED },   { "9GI", CP_WALK_TRUNCATED },
        { "9GIIIX;", CP_WALK_OK },          { "9GIIII", CP_WALK_TOO_MANY_PAGES },
    };
    picture_t picture;
    cp_walk_t walk;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(whole); i++) {
        picture_gif(&picture, whole[i]);
        assert_whole(CP_WALK_GIF, &picture, 0);
        picture_put(&picture, "PK\3\4", 4);
        assert_whole(CP_WALK_GIF, &picture, 4);
    }

    for (i = 0; i < COUNT(rows); i++) {
        picture_gif(&picture, rows[i].parts);
        assert_verdict(CP_WALK_GIF, &picture, rows[i].verdict, rows[i].parts);
    }

    picture_gif(&picture, "0GIXI;");
    verdict_of(CP_WALK_GIF, picture.bytes, picture.len, &walk);
    assert_int_equal(walk.width, 4);
    assert_int_equal(walk.pages, 2);
}


typedef struct {
    picture_bmp_t      bmp;
    cp_walk_verdict_t  verdict;
} bmp_row_t;


static void
bmp(void **state)
{
    static const bmp_row_t rows[] = {
        { { 40, 5, 3, 1, 24, 0, 0, 54, 48 }, CP_WALK_OK },
        { { 40, 5, -3, 1, 24, 0, 0, 54, 48 }, CP_WALK_OK },
        { { 12, 5, 3, 1, 24, 0, 0, 26, 48 }, CP_WALK_OK },
        { { 12, 9, 2, 1, 1, 0, 0, 32, 8 }, CP_WALK_OK },
        { { 16, 5, 3, 1, 8, 0, 0, 30 + 1024, 24 }, CP_WALK_OK },
        { { 52, 5, 3, 1, 16, 3, 0, 66, 36 }, CP_WALK_OK },
        { { 56, 5, 3, 1, 32, 3, 0, 70, 60 }, CP_WALK_OK },
        { { 64, 5, 3, 1, 4, 0, 16, 78 + 64, 12 }, CP_WALK_OK },
        { { 108, 5, 3, 1, 32, 0, 0, 122, 60 }, CP_WALK_OK },
        { { 124, 5, 3, 1, 24, 0, 0, 138, 48 }, CP_WALK_OK },
        { { 40, 5, 3, 1, 16, 3, 0, 66, 36 }, CP_WALK_OK },
        { { 40, 5, 3, 1, 32, 6, 0, 70, 60 }, CP_WALK_OK },
        { { 40, 5, 3, 1, 8, 0, 2, 100, 24 }, CP_WALK_OK },
        { { 40, 5, 3, 1, 24, 0, 0, 54, 47 }, CP_WALK_TRUNCATED },
        { { 40, 5, 3, 1, 24, 0, 0, 0xffffffff, 48 }, CP_WALK_TRUNCATED },
        { { 40, 0, 3, 1, 24, 0, 0, 54, 48 }, CP_WALK_DIMENSIONS },
        { { 40, 5, 0, 1, 24, 0, 0, 54, 48 }, CP_WALK_DIMENSIONS },
        { { 40, -5, 3, 1, 24, 0, 0, 54, 48 }, CP_WALK_DIMENSIONS },
        { { 40, 5, INT32_MIN, 1, 24, 0, 0, 54, 48 }, CP_WALK_DIMENSIONS },
        { { 12, 0, 3, 1, 24, 0, 0, 26, 48 }, CP_WALK_DIMENSIONS },
        { { 40, INT32_MAX, INT32_MAX, 1, 32, 0, 0, 54, 48 }, CP_WALK_TOO_MANY_PIXELS },
        { { 40, INT32_MAX, -INT32_MAX, 1, 1, 0, 2, 62, 48 }, CP_WALK_TOO_MANY_PIXELS },
        { { 40, 5, 3, 2, 24, 0, 0, 54, 48 }, CP_WALK_UNSUPPORTED },
        { { 40, 5, 3, 1, 7, 0, 0, 54, 48 }, CP_WALK_UNSUPPORTED },
        { { 40, 5, 3, 1, 0, 4, 0, 54, 48 }, CP_WALK_UNSUPPORTED },
        { { 40, 5, 3, 1, 24, 1, 0, 54, 48 }, CP_WALK_UNSUPPORTED },
        { { 40, 5, 3, 1, 8, 2, 0, 54, 48 }, CP_WALK_UNSUPPORTED },
        { { 40, 5, -3, 1, 8, 1, 0, 58, 48 }, CP_WALK_UNSUPPORTED },
        { { 64, 5, 3, 1, 24, 4, 0, 78, 48 }, CP_WALK_UNSUPPORTED },
        { { 12, 5, 3, 1, 32, 0, 0, 26, 60 }, CP_WALK_UNSUPPORTED },
        { { 41, 5, 3, 1, 24, 0, 0, 55, 48 }, CP_WALK_UNSUPPORTED },
        { { 40, 5, 3, 1, 24, 0, 0, 53, 48 }, CP_WALK_LENGTH },
        { { 40, 5, 3, 1, 24, 0, 0, 0, 48 }, CP_WALK_LENGTH },
        { { 40, 5, 3, 1, 8, 0, 256, 1077, 24 }, CP_WALK_LENGTH },
        { { 40, 5, 3, 1, 8, 0, 0xffffffff, 1078, 24 }, CP_WALK_LENGTH },
        { { 40, 5, 3, 1, 32, 3, 0, 54, 60 }, CP_WALK_LENGTH },
    };
    picture_t picture;
    size_t    i;
    char      name[32];

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        snprintf(name, sizeof(name), "row %zu", i);
        picture_bmp(&picture, &rows[i].bmp, NULL);
        assert_verdict(CP_WALK_BMP, &picture, rows[i].verdict, name);

        if (rows[i].verdict == CP_WALK_OK) {
            assert_whole(CP_WALK_BMP, &picture, 0);
            picture_put(&picture, "more", 4);
            assert_whole(CP_WALK_BMP, &picture, 4);
        }
    }

    picture.bytes[1] = 'N';
    assert_verdict(CP_WALK_BMP, &picture, CP_WALK_SIGNATURE, "BN");
}


#define BODY(bytes)  bytes, sizeof(bytes) - 1

/* Runs up to the mark of the end, or to the last row's last pixel. */
static void
bmp_runs(void **state)
{
    static const struct { unsigned bits; const char *body; size_t len, trailing; } rows[] = {
        { 8, BODY("\5\1\0\0\5\1\0\0\5\1"), 0 },
        { 8, BODY("\5\1\0\0\0\1"), 0 },
        { 8, BODY("\0\2\1\2\5\7"), 0 },
        { 8, BODY("\0\5abcde\0\0\0\0\0\0\1"), 0 },
        { 4, BODY("\0\5abc\0\0\1"), 0 },
        { 4, BODY("\0\1rest"), 4 },
    };
    picture_bmp_t row = { 40, 5, 3, 1, 8, 1, 0, 0, 0 };
    picture_t picture;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        row.bits = rows[i].bits;
        row.compression = rows[i].bits == 8 ? 1 : 2;
        row.offset = 54 + (rows[i].bits == 8 ? 1024 : 64);
        row.body = rows[i].len;
        picture_bmp(&picture, &row, rows[i].body);
        assert_whole(CP_WALK_BMP, &picture, rows[i].trailing);
    }
}


static void
pdf(void **state)
{
    static const struct { size_t before; const char *body; size_t after; cp_walk_verdict_t verdict; } rows[] = {
        { 0, PICTURE_PDF, 0, CP_WALK_OK },            { 1024, PICTURE_PDF, 0, CP_WALK_SIGNATURE },
        { 1023, PICTURE_PDF, 0, CP_WALK_OK },         { 3000, PICTURE_PDF, 0, CP_WALK_SIGNATURE },
        { 0, "no PDF %%EOF", 0, CP_WALK_SIGNATURE }, { 0, PICTURE_PDF, 1019, CP_WALK_OK },
        { 0, PICTURE_PDF, 1020, CP_WALK_TRUNCATED },  { 0, "%PDF-1.4\n%%EOF", 0, CP_WALK_MISSING },
        { 0, "%PDF-1.4\nstartxref\n9\n", 0, CP_WALK_TRUNCATED },
    };
    picture_t picture;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        picture.len = 0;
        picture_zeros(&picture, rows[i].before);
        picture_put(&picture, rows[i].body, strlen(rows[i].body));
        picture_zeros(&picture, rows[i].after);
        assert_verdict(CP_WALK_PDF, &picture, rows[i].verdict, rows[i].body);
    }

    picture.len = 0;
    picture_put(&picture, PICTURE_PDF "\r\n", strlen(PICTURE_PDF) + 2);
    assert_whole(CP_WALK_PDF, &picture, 2);
}


#define TREE(count)  "2 0 obj <</Type/Pages/Count " count "/Kids[3 0 R]>> endobj\n"

/* Pages where the tree is in the clear. The limit here is 3. */
static void
pdf_pages(void **state)
{
    static const struct { const char *objects; int64_t pages; cp_walk_verdict_t verdict; } rows[] = {
        { "", 0, CP_WALK_OK },
        { TREE("1"), 1, CP_WALK_OK },
        { TREE("3"), 3, CP_WALK_OK },
        { TREE("4"), 4, CP_WALK_TOO_MANY_PAGES },
        { TREE("99999999999"), 99999999999, CP_WALK_TOO_MANY_PAGES },
        { TREE("999999999999"), 0, CP_WALK_OK },
        { TREE("5 0 R"), 0, CP_WALK_OK },
        { TREE("-5"), 0, CP_WALK_OK },
        { TREE("x"), 0, CP_WALK_OK },
        { TREE("4") TREE("2"), 2, CP_WALK_OK },
        { TREE("2") TREE("4"), 4, CP_WALK_TOO_MANY_PAGES },
        { "<</Count 4\n/Kids [3 0 R]\r/Type\t/Pages>>", 4, CP_WALK_TOO_MANY_PAGES },
        { "<</Count%\n 4/Type/Pages%>>\n>>", 4, CP_WALK_TOO_MANY_PAGES },
        { "<</A<</Count 9>>/Count 2/B(>>\\)(>>))/C<3e3e>/Type/Pages>>", 2, CP_WALK_OK },
        { "<</Type/Pages/Count 9/Parent 2 0 R>>", 0, CP_WALK_OK },
        { "<</Type/Outlines/Count 9>>", 0, CP_WALK_OK },
        { "<</Type/Page/Count 9>>", 0, CP_WALK_OK },
        { "<</Count 9>><</Type/Pages>>", 0, CP_WALK_OK },
        { "(<</Type/Pages/Count 9>>)", 0, CP_WALK_OK },
        { "%<</Type/Pages/Count 9>>\n", 0, CP_WALK_OK },
        { "<</L 9>>stream\n" TREE("9") "endstrendstream " TREE("1"), 1, CP_WALK_OK },
        { "<</L 9>>stream\n" TREE("9"), 0, CP_WALK_OK },
        { "stream endstream " TREE("2"), 2, CP_WALK_OK },
        { "<<<<<<<<<<<<<<<<<</Type/Pages/Count 9>> stream >>>>>>>>>>>>>>>>" TREE("2"), 2, CP_WALK_OK },
        { ">> >>" TREE("2"), 2, CP_WALK_OK },
        { "<" TREE("9") ">" TREE("2"), 2, CP_WALK_OK },
    };
    cp_walk_t walk;
    picture_t picture;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        picture.len = 0;
        picture_put(&picture, "%PDF-1.4\n", 9);
        picture_put(&picture, rows[i].objects, strlen(rows[i].objects));
        picture_put(&picture, "\nxref\nstartxref\n9\n%%EOF", 24);
        assert_verdict(CP_WALK_PDF, &picture, rows[i].verdict, rows[i].objects);

        verdict_of(CP_WALK_PDF, picture.bytes, picture.len, &walk);
        if (walk.pages != rows[i].pages) {
            fail_msg("%s: %lld pages", rows[i].objects, (long long) walk.pages);
        }
    }
}


/* A header alone brings the verdict on its numbers: at its last byte, with nothing of the rest there. */
static void
limits_come_early(void **state)
{
    static const picture_bmp_t large = { 40, 30000, 30000, 1, 1, 0, 0, 62, 0 };

    picture_t picture;
    cp_walk_t walk;

    (void) state;

    picture_png(&picture, "bTDE");
    assert_int_equal(walked(&walk, CP_WALK_PNG, picture.bytes, picture.len, 1), CP_WALK_TOO_MANY_PIXELS);
    assert_int_equal(walk.size, 33);

    picture_jpeg(&picture, "Sbs.Z");
    assert_int_equal(walked(&walk, CP_WALK_JPEG, picture.bytes, picture.len, 1), CP_WALK_TOO_MANY_PIXELS);
    assert_int_equal(walk.size, 12);

    picture_bmp(&picture, &large, NULL);
    assert_int_equal(walked(&walk, CP_WALK_BMP, picture.bytes, picture.len, 1), CP_WALK_TOO_MANY_PIXELS);
    assert_int_equal(walk.size, 54);

    cp_walk_begin(&walk, CP_WALK_BMP, NULL);
    assert_int_equal(cp_walk_feed(&walk, picture.bytes, picture.len), CP_WALK_OK);
    assert_int_equal(walk.width * walk.height, 900000000);
}


/* Any single changed byte, and any byte put in or left out, ends in some verdict and reads nothing beyond the bytes. */
static void
damaged(void **state)
{
    static void (*const builders[])(picture_t *, const char *) = { picture_png, picture_jpeg, picture_gif };
    static const char *const parts[] = { PICTURE_PNG, PICTURE_JPEG, PICTURE_GIF };
    static const cp_walk_kind_t kinds[] = { CP_WALK_PNG, CP_WALK_JPEG, CP_WALK_GIF };

    picture_t picture, broken;
    cp_walk_t walk;
    size_t    i, at;
    unsigned  value;

    (void) state;

    for (i = 0; i < COUNT(kinds); i++) {
        builders[i](&picture, parts[i]);
        for (at = 0; at < picture.len; at++) {
            for (value = 1; value < 256; value <<= 1) {
                broken = picture;
                broken.bytes[at] ^= (unsigned char) value;
                verdict_of(kinds[i], broken.bytes, broken.len, &walk);
            }
            broken.len = 0;
            picture_put(&broken, picture.bytes, at);
            picture_put(&broken, picture.bytes + at + 1, picture.len - at - 1);
            verdict_of(kinds[i], broken.bytes, broken.len, &walk);
        }
    }
}


int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(png),      cmocka_unit_test(png_depths), cmocka_unit_test(jpeg),
        cmocka_unit_test(gif),      cmocka_unit_test(bmp),        cmocka_unit_test(bmp_runs),
        cmocka_unit_test(pdf), cmocka_unit_test(pdf_pages),
            cmocka_unit_test(damaged),    cmocka_unit_test(limits_come_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
