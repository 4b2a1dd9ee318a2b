/* Captchas without a store: answers in the form that is compared, sums in words, pictures. */
#include "seams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "call/address.h"
#include "captcha/captcha_draw.h"
#include "captcha/captcha_glyphs.h"
#include "captcha/captcha_question.h"
#include "captcha/captcha_rules.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static cp_arena_t *arena;


static int
start(void **state)
{
    (void) state;

    arena = cp_arena_new(0);
    return arena == NULL ? -1 : 0;
}


static int
finish(void **state)
{
    (void) state;

    cp_arena_free(arena);
    return 0;
}


static void
answers(void **state)
{
    static const struct {
        const char *given;
        const char *compared;
    } rows[] = {
        { "R7KFD", "r7kfd" },          { "r7kfd", "r7kfd" },      { " r7 kfd ", "r7kfd" },    { "Ｒ７ｋｆｄ", "r7kfd" },
        { "r7\u3000kfd", "r7kfd" },    { "", "" },                { " ", "" },                { "19", "19" },
        { "019", "19" },               { "000", "0" },            { "１９", "19" },           { "十九", "19" },
        { "一十九", "19" },            { "一九", "19" },          { "二十", "20" },           { "九十九", "99" },
        { "两", "2" },                 { "零", "0" },             { "〇", "0" },              { "十", "10" },
        { " 七 十 二 ", "72" },        { "十十", "十十" },        { "二十十", "二十十" },     { "一二三", "一二三" },
        { "十二三", "十二三" },        { "九十九九", "九十九九" }, { "十九个", "十九个" },    { "-5", "-5" },
        { "1.0", "1.0" },              { "～", "~" },             { "七\xef", "七\xef" },
        { "\xef\xbd\x9f", "\xef\xbd\x9f" },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(cp_captcha_canonical(arena, cp_str(rows[i].given)).data, rows[i].compared);
    }
}


/* The words of every number are read back as the number that the answer to them is. */
static void
questions(void **state)
{
    cp_str_t question, answer, other;
    size_t   en = 0, differ = 0, i;
    int64_t  n;

    (void) state;

    assert_int_equal(cp_captcha_question(arena, CP_LANG_ZH, &other, &answer), CP_OK);

    for (i = 0; i < 2000; i++) {
        cp_lang_t lang = i % 2 == 0 ? CP_LANG_ZH : CP_LANG_EN;

        assert_int_equal(cp_captcha_question(arena, lang, &question, &answer), CP_OK);
        assert_true(cp_str_is_text(question));
        assert_true(cp_str_number(answer, &n) && n >= 0 && n <= 99);
        assert_true(cp_str_eq(cp_captcha_canonical(arena, answer), answer));
        assert_null(strpbrk(question.data, "0123456789%"));
        en += question.data[question.len - 1] == '?';
        differ += !cp_str_eq(question, other);
    }

    assert_int_equal(en, 1000);
    assert_true(differ > 1900);
}


/* A big-endian number of a PNG. */
static unsigned
big(cp_str_t png, size_t at)
{
    const unsigned char *p = (const unsigned char *) png.data + at;

    return (unsigned) p[0] << 24 | (unsigned) p[1] << 16 | (unsigned) p[2] << 8 | p[3];
}


static void
is_picture(cp_str_t png)
{
    assert_true(png.len > 500 && png.len < 16384);
    assert_memory_equal(png.data, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(big(png, 16), CP_CAPTCHA_WIDTH);
    assert_int_equal(big(png, 20), CP_CAPTCHA_HEIGHT);
    assert_int_equal(png.data[25], 0);    /* grey */
    assert_memory_equal(png.data + png.len - 8, "IEND", 4);
}


static void
pictures(void **state)
{
    cp_str_t png, again, signs;
    size_t   i, j, of_glyph[256] = { 0 };

    (void) state;

    for (i = 0; i < cp_glyph_count; i++) {
        char text[2] = { cp_glyphs[i].sign, '\0' };

        assert_null(strchr("O0QI1LS5Z2B8GV", text[0]));
        assert_int_equal(cp_captcha_draw(arena, cp_str(text), &png), CP_OK);
        is_picture(png);
    }

    for (i = 0; i < 300; i++) {
        signs = cp_captcha_signs(arena);
        assert_int_equal(signs.len, CP_CAPTCHA_SIGNS);
        for (j = 0; j < signs.len; j++) {
            of_glyph[(unsigned char) signs.data[j]]++;
        }
    }
    for (i = 0; i < cp_glyph_count; i++) {
        assert_true(of_glyph[(unsigned char) cp_glyphs[i].sign] > 20);
    }

    assert_int_equal(cp_captcha_draw(arena, signs, &png), CP_OK);
    assert_int_equal(cp_captcha_draw(arena, signs, &again), CP_OK);
    is_picture(again);
    assert_false(cp_str_eq(png, again));
}


static void
without_memory(void **state)
{
    cp_arena_t *small;
    cp_str_t    png, question, answer;
    cp_code_t   code = CP_E_NO_MEMORY;
    long        n;

    (void) state;

    for (n = 0; n < 20 && code != CP_OK; n++) {
        small = cp_arena_new(0);
        cp_arena_fail_after(small, n);
        code = cp_captcha_draw(small, CP_STR("R7KFD"), &png);
        assert_true(code == CP_OK || code == CP_E_NO_MEMORY);
        cp_arena_free(small);
    }
    assert_true(n > 1 && code == CP_OK);

    for (n = 0, code = CP_E_NO_MEMORY; n < 20 && code != CP_OK; n++) {
        small = cp_arena_new(0);
        cp_arena_fail_after(small, n);
        code = cp_captcha_question(small, CP_LANG_ZH, &question, &answer);
        cp_arena_free(small);
    }
    assert_true(n == 5);
}


static void
addresses(void **state)
{
    static const struct {
        const char *given;
        const char *client;
        const char *network;
    } rows[] = {
        { "203.0.113.7", "203.0.113.7", "203.0.113.0/24" },
        { "::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24" },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64" },
        { "2001:0db8:0001:0002::9", "2001:db8:1:2::/64", "2001:db8:1:2::/64" },
        { "::1", "::/64", "::/64" },
        { "unix:", "unix:", "unix:" },
        { "", "", "" },
        { "1.2.3", "1.2.3", "1.2.3" },
        { "a name that is longer than any text of an address", "a name that is longer than any text of an address",
          "a name that is longer than any text of an addre" },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(cp_address_client(arena, cp_str(rows[i].given)).data, rows[i].client);
        assert_string_equal(cp_address_network(arena, cp_str(rows[i].given)).data, rows[i].network);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(questions),
        cmocka_unit_test(pictures),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(addresses),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, start, finish);
}
