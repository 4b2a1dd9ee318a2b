/* Strings, the arena that they live in, the calendar and random identifiers. */
#include "seams.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define TEXT(literal)  { sizeof(literal) - 1, (char *) (uintptr_t) (literal) }

static cp_arena_t *arena;


static int
open_arena(void **state)
{
    (void) state;
    arena = cp_arena_new(256);

    return arena == NULL ? -1 : 0;
}


static int
close_arena(void **state)
{
    (void) state;
    cp_arena_free(arena);

    return 0;
}


static void
comparing(void **state)
{
    (void) state;

    assert_null(cp_str(NULL).data);
    assert_true(cp_str_eq(CP_STR_NULL, CP_STR("")));
    assert_true(cp_str_eq(CP_STR("a\0b"), CP_STR("a\0b")));
    assert_false(cp_str_eq(CP_STR("a\0b"), CP_STR("a\0c")));
    assert_false(cp_str_eq(CP_STR("ab"), CP_STR("a")));
    assert_true(cp_str_is(CP_STR("issue"), "issue"));
    assert_false(cp_str_is(CP_STR("issue"), "issued"));
    assert_true(cp_str_starts(CP_STR("issue"), "iss"));
    assert_true(cp_str_starts(CP_STR("issue"), ""));
    assert_false(cp_str_starts(CP_STR("iss"), "issue"));
    assert_true(cp_str_eq_secret(CP_STR("token"), CP_STR("token")));
    assert_false(cp_str_eq_secret(CP_STR("token"), CP_STR("tokex")));
    assert_false(cp_str_eq_secret(CP_STR("token"), CP_STR("tokens")));
}


static void
copying(void **state)
{
    cp_str_t copy = cp_str_dup(arena, CP_STR("a\0b")), empty = cp_str_dup(arena, CP_STR(""));

    (void) state;

    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    assert_int_equal(empty.len, 0);
    assert_non_null(empty.data);
    assert_string_equal(cp_str_printf(arena, "%s-%d", "x", 7).data, "x-7");
    assert_int_equal(cp_str_printf(arena, "%1000d", 1).len, 1000);
}


/* RFC 4648 section 10, and the two alphabets' last characters. */
static void
encoding(void **state)
{
    static const struct { cp_str_t bytes; const char *hex, *base64, *url; } rows[] = {
        { TEXT(""), "", "", "" },
        { TEXT("f"), "66", "Zg==", "Zg" },
        { TEXT("fo"), "666f", "Zm8=", "Zm8" },
        { TEXT("foo"), "666f6f", "Zm9v", "Zm9v" },
        { TEXT("foob"), "666f6f62", "Zm9vYg==", "Zm9vYg" },
        { TEXT("fooba"), "666f6f6261", "Zm9vYmE=", "Zm9vYmE" },
        { TEXT("foobar"), "666f6f626172", "Zm9vYmFy", "Zm9vYmFy" },
        { TEXT("\xfb\xff\x00"), "fbff00", "+/8A", "-_8A" },
    };
    static const char *const no_base64[] = {
        "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "-_8A", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9vZg", "=", "Zm=v", "\xc3\xa4"
    };
    cp_str_t back;
    size_t   i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(cp_str_hex(arena, rows[i].bytes).data, rows[i].hex);
        assert_string_equal(cp_str_base64(arena, rows[i].bytes).data, rows[i].base64);
        assert_string_equal(cp_str_base64url(arena, rows[i].bytes).data, rows[i].url);
        assert_true(cp_str_unhex(arena, cp_str(rows[i].hex), &back));
        assert_true(cp_str_eq(back, rows[i].bytes));
        assert_true(cp_str_unbase64(arena, cp_str(rows[i].base64), &back));
        assert_true(cp_str_eq(back, rows[i].bytes));
        assert_true(cp_str_is_base64url(cp_str(rows[i].url)));
    }

    for (i = 0; i < COUNT(no_base64); i++) {
        assert_false(cp_str_unbase64(arena, cp_str(no_base64[i]), &back));
    }
    assert_false(cp_str_is_base64url(CP_STR("Zg==")));
    assert_false(cp_str_is_base64url(CP_STR("+/8A")));
    assert_false(cp_str_is_base64url(CP_STR("a b")));

    assert_true(cp_str_unhex(arena, CP_STR("FBff00"), &back));
    assert_true(cp_str_eq(back, CP_STR("\xfb\xff\x00")));
    assert_false(cp_str_unhex(arena, CP_STR("abc"), &back));
    assert_false(cp_str_unhex(arena, CP_STR("0g"), &back));
    assert_false(cp_str_unhex(arena, CP_STR("\x10\x11"), &back));
    assert_false(cp_str_unhex(arena, CP_STR("0 "), &back));
}


static void
numbers(void **state)
{
    static const struct { cp_str_t text; bool good; int64_t value; } rows[] = {
        { TEXT("0"), true, 0 },
        { TEXT("007"), true, 7 },
        { TEXT("999999999999999999"), true, 999999999999999999 },
        { TEXT("1000000000000000000"), false, 0 },
        { TEXT("9223372036854775808"), false, 0 },
        { TEXT(""), false, 0 },
        { TEXT("-1"), false, 0 },
        { TEXT("+1"), false, 0 },
        { TEXT(" 1"), false, 0 },
        { TEXT("1 "), false, 0 },
        { TEXT("1.0"), false, 0 },
        { TEXT("0x1"), false, 0 },
        { TEXT("1\0"), false, 0 },
        { TEXT("１"), false, 0 },
    };
    int64_t value;
    size_t  i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        value = -1;
        assert_int_equal(cp_str_number(rows[i].text, &value), rows[i].good);
        assert_int_equal(value, rows[i].good ? rows[i].value : -1);
    }
}


/* RFC 3629 section 4, row by row, and what is text but not wanted. */
static void
text(void **state)
{
    static const struct { cp_str_t bytes; bool good; size_t chars; } rows[] = {
        { TEXT(""), true, 0 },
        { TEXT("plain"), true, 5 },
        { TEXT("内蒙古"), true, 3 },
        { TEXT("\xf0\xa0\x80\x80"), true, 1 },    /* U+20000, in names */
        { TEXT("\xc2\xa0"), true, 1 },
        { TEXT("\xed\x9f\xbf"), true, 1 },
        { TEXT("\xee\x80\x80"), true, 1 },
        { TEXT("\xf4\x8f\xbf\xbf"), true, 1 },
        { TEXT("a\nb"), false, 0 },
        { TEXT("a\0b"), false, 0 },
        { TEXT("\x1f"), false, 0 },
        { TEXT("\x7f"), false, 0 },
        { TEXT("\xc2\x85"), false, 0 },           /* NEL, a C1 control */
        { TEXT("\x80"), false, 0 },
        { TEXT("\xbf"), false, 0 },
        { TEXT("\xc0\xaf"), false, 0 },           /* "/" in two bytes */
        { TEXT("\xc1\xbf"), false, 0 },
        { TEXT("\xe0\x80\xaf"), false, 0 },
        { TEXT("\xe0\x9f\xbf"), false, 0 },
        { TEXT("\xf0\x8f\xbf\xbf"), false, 0 },
        { TEXT("\xed\xa0\x80"), false, 0 },       /* a surrogate */
        { TEXT("\xed\xbf\xbf"), false, 0 },
        { TEXT("\xf4\x90\x80\x80"), false, 0 },   /* above U+10FFFF */
        { TEXT("\xf5\x80\x80\x80"), false, 0 },
        { TEXT("\xff"), false, 0 },
        { TEXT("\xc3"), false, 0 },
        { TEXT("\xe5\x86"), false, 0 },
        { TEXT("\xf0\xa0\x80"), false, 0 },
        { TEXT("\xe5\x86\x41"), false, 0 },
        { TEXT("\xf0\xa0\x41\x80"), false, 0 },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_str_is_text(rows[i].bytes) != rows[i].good) {
            fail_msg("row %zu", i);
        }
        if (rows[i].good) {
            assert_int_equal(cp_str_chars(rows[i].bytes), rows[i].chars);
        }
    }
}


static void
memory(void **state)
{
    static const size_t sizes[] = { 1, 3, 16, 17, 255, 256, 257, 100000, 0 };

    unsigned char *blocks[COUNT(sizes)];
    size_t         i, j, sum = 0;

    (void) state;

    for (i = 0; i < COUNT(sizes); i++) {
        blocks[i] = cp_alloc(arena, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t) blocks[i] % _Alignof(max_align_t), 0);
        memset(blocks[i], (int) i + 1, sizes[i]);
        sum += sizes[i];
    }

    for (i = 0; i < COUNT(sizes); i++) {
        for (j = 0; j < sizes[i]; j++) {
            assert_int_equal(blocks[i][j], i + 1);
        }
    }

    assert_in_range(cp_arena_used(arena), sum, sum + COUNT(sizes) * _Alignof(max_align_t));

    blocks[0] = cp_calloc(arena, 100, 3);
    assert_non_null(blocks[0]);
    for (j = 0; j < 300; j++) {
        assert_int_equal(blocks[0][j], 0);
    }

    assert_null(cp_calloc(arena, SIZE_MAX / 2, 3));
    assert_null(cp_alloc(arena, SIZE_MAX));
    assert_null(cp_alloc(arena, SIZE_MAX - 15));
    cp_arena_free(NULL);
}


static void
memory_is_out(void **state)
{
    cp_str_t bytes;

    (void) state;

    cp_arena_fail_after(arena, 2);
    assert_non_null(cp_alloc(arena, 1));
    assert_non_null(cp_alloc(arena, 1));
    assert_null(cp_alloc(arena, 1));
    assert_null(cp_str_dup(arena, CP_STR("x")).data);
    assert_null(cp_str_printf(arena, "x").data);
    assert_null(cp_str_hex(arena, CP_STR("x")).data);
    assert_null(cp_str_base64(arena, CP_STR("x")).data);
    assert_false(cp_str_unhex(arena, CP_STR("00"), &bytes));
    assert_null(cp_time_text(arena, 0).data);
    assert_null(cp_random_id(arena, 32).data);

    cp_arena_fail_after(arena, -1);
    assert_non_null(cp_alloc(arena, 1));
}


static void
times(void **state)
{
    static const struct { int64_t at_ms; const char *text; } rows[] = {
        { 0, "1970-01-01T08:00:00+08:00" },
        { 999, "1970-01-01T08:00:00+08:00" },
        { 1767323045000, "2026-01-02T11:04:05+08:00" },
        { 1772294399999, "2026-02-28T23:59:59+08:00" },
        { 1772294400000, "2026-03-01T00:00:00+08:00" },
        { 1835366400000, "2028-02-29T00:00:00+08:00" },
        { 4102415999000, "2099-12-31T23:59:59+08:00" },
    };
    int    year, month, day;
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(cp_time_text(arena, rows[i].at_ms).data, rows[i].text);
    }

    cp_date_of(1772294399999, &year, &month, &day);
    assert_int_equal(year * 10000 + month * 100 + day, 20260228);
    cp_date_of(1772294400000, &year, &month, &day);
    assert_int_equal(year * 10000 + month * 100 + day, 20260301);
}


static void
dates(void **state)
{
    static const struct { cp_str_t text; int64_t at_ms; } rows[] = {
        { TEXT("1970-01-01"), -8 * 3600000 },
        { TEXT("2026-01-02"), 1767283200000 },
        { TEXT("2028-02-29"), 1835366400000 },
        { TEXT("2000-02-29"), 951753600000 },
        { TEXT("2026-02-29"), -1 },
        { TEXT("2100-02-29"), -1 },
        { TEXT("2026-04-31"), -1 },
        { TEXT("2026-13-01"), -1 },
        { TEXT("2026-00-10"), -1 },
        { TEXT("2026-10-00"), -1 },
        { TEXT("0000-01-01"), -1 },
        { TEXT("2026-1-02"), -1 },
        { TEXT("2026-01-2"), -1 },
        { TEXT("2026/01/02"), -1 },
        { TEXT("2026-01-02T"), -1 },
        { TEXT("-026-01-02"), -1 },
        { TEXT(""), -1 },
    };
    int64_t at_ms;
    size_t  i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        at_ms = -1;
        assert_int_equal(cp_date_parse(rows[i].text, &at_ms), rows[i].at_ms != -1);
        assert_int_equal(at_ms, rows[i].at_ms);
    }

    assert_true(cp_date_exists(2024, 2, 29));
    assert_false(cp_date_exists(1900, 2, 29));
    assert_false(cp_date_exists(10000, 1, 1));
    assert_false(cp_date_exists(2024, 1, 32));
}


static void
identifiers(void **state)
{
    int      seen[10] = { 0 };
    cp_str_t digits;
    size_t   i, j;

    (void) state;

    assert_int_equal(cp_random_id(arena, 32).len, 43);
    assert_int_equal(cp_random_id(arena, 64).len, 86);
    assert_null(cp_random_id(arena, 65).data);
    assert_false(cp_str_eq(cp_random_id(arena, 16), cp_random_id(arena, 16)));

    for (i = 0; i < 1000; i++) {
        digits = cp_random_digits(arena, 6);
        assert_int_equal(digits.len, 6);
        for (j = 0; j < 6; j++) {
            assert_in_range(digits.data[j], '0', '9');
            seen[digits.data[j] - '0']++;
        }
    }

    /* 600 of each are expected; five standard deviations are 116 */
    for (i = 0; i < 10; i++) {
        assert_in_range(seen[i], 484, 716);
    }

    assert_int_equal(cp_random_digits(arena, 1).len, 1);
    assert_int_equal(cp_random_digits(arena, 9).len, 9);
}


#define CASE(test)  cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(comparing), CASE(copying), CASE(encoding), CASE(numbers), CASE(text),        CASE(memory),
        CASE(times),     CASE(dates),   CASE(memory_is_out),           CASE(identifiers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
