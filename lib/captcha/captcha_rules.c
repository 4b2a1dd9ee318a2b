#include "captcha/captcha_rules.h"

#include <string.h>

#define TEN  10

static const struct {
    const char *sign;
    int         value;
} chinese_digits[] = {
    { "零", 0 }, { "〇", 0 }, { "一", 1 }, { "二", 2 }, { "两", 2 }, { "三", 3 }, { "四", 4 },
    { "五", 5 }, { "六", 6 }, { "七", 7 }, { "八", 8 }, { "九", 9 }, { "十", TEN },
};


/* The value of the Chinese digit at the front, -1 when there is none. All are three bytes of UTF-8. */
static int
chinese_digit(cp_str_t s)
{
    size_t i;

    for (i = 0; i < sizeof(chinese_digits) / sizeof(chinese_digits[0]); i++) {
        if (cp_str_starts(s, chinese_digits[i].sign)) {
            return chinese_digits[i].value;
        }
    }

    return -1;
}


/* 七, 十, 十七, 七十, 七十七, and digit by digit: 一七. -1 when it is no such number. */
static int
chinese_number(cp_str_t s)
{
    int d[3] = { -1, -1, -1 }, n = 0;

    for (; s.len != 0; s.data += 3, s.len -= 3) {
        if (n == 3 || chinese_digit(s) < 0) {
            return -1;
        }
        d[n++] = chinese_digit(s);
    }

    if (n == 1) {
        return d[0];
    }
    if (n == 2 && d[0] == TEN) {
        return d[1] == TEN ? -1 : TEN + d[1];
    }
    if (n == 2) {
        return d[1] == TEN ? d[0] * TEN : d[0] * TEN + d[1];
    }

    return n == 3 && d[0] != TEN && d[1] == TEN && d[2] != TEN ? d[0] * TEN + d[2] : -1;
}


cp_str_t
cp_captcha_canonical(cp_arena_t *arena, cp_str_t answer)
{
    cp_str_t out = cp_str_fold(arena, answer);
    int      number;

    if (out.data == NULL) {
        return out;
    }

    number = out.len == 0 ? -1 : chinese_number(out);
    if (number >= 0) {
        return cp_str_printf(arena, "%d", number);
    }

    if (out.len != 0 && strspn(out.data, "0123456789") == out.len) {
        while (out.len > 1 && out.data[0] == '0') {
            out.data++;
            out.len--;
        }
    }

    return out;
}
