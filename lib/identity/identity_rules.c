#include "identity/identity.h"

#include <string.h>

#include "base/clock.h"

#define NUMBER_LEN  18    /* of ID numbers and of USCCs */


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}


/* The first two digits of a GB/T 2260 code: a province, or 81 to 83 for the residence permits. Codes of counties come
 * and go, and a number keeps the one of its day: they are not looked at. */
static bool
is_province(int code)
{
    static const struct { int first, last; } ranges[] = {
        { 11, 15 }, { 21, 23 }, { 31, 37 }, { 41, 46 }, { 50, 54 }, { 61, 65 }, { 71, 71 }, { 81, 83 }
    };
    size_t i;

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }

    return false;
}


static bool
is_id_number_form(cp_str_t s)
{
    size_t i;

    if (s.len != NUMBER_LEN || s.data[0] == '0') {
        return false;
    }

    for (i = 0; i < NUMBER_LEN; i++) {
        if (!is_digit(s.data[i]) && !(i == NUMBER_LEN - 1 && s.data[i] == 'X')) {
            return false;
        }
    }

    return true;
}


static bool
is_birth_date(cp_str_t text, int64_t now_ms)
{
    int64_t year, month, day;
    int     this_year, this_month, today;

    if (!cp_str_number(cp_str_n(text.data, 4), &year) || !cp_str_number(cp_str_n(text.data + 4, 2), &month)
        || !cp_str_number(cp_str_n(text.data + 6, 2), &day) || !cp_date_exists((int) year, (int) month, (int) day))
    {
        return false;
    }

    cp_date_of(now_ms, &this_year, &this_month, &today);

    return (year * 100 + month) * 100 + day <= ((int64_t) this_year * 100 + this_month) * 100 + today;
}


cp_field_code_t
cp_id_number_check(cp_str_t id_number, int64_t now_ms)
{
    static const int  weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
    static const char checks[] = "10X98765432";

    const char *s = id_number.data;
    int         sum = 0;
    size_t      i;

    if (!is_id_number_form(id_number)) {
        return CP_F_FORMAT;
    }

    /* Behind a leading 9 stand a province and a country whose codes are not published. */
    if (s[0] != '9' && !is_province((s[0] - '0') * 10 + (s[1] - '0'))) {
        return CP_F_FORMAT;
    }

    if (!is_birth_date(cp_str_n(s + 6, 8), now_ms)) {
        return CP_F_RANGE;
    }

    for (i = 0; i < NUMBER_LEN - 1; i++) {
        sum += (s[i] - '0') * weights[i];
    }

    return s[NUMBER_LEN - 1] == checks[sum % 11] ? CP_F_END : CP_F_CHECK_DIGIT;
}


cp_field_code_t
cp_uscc_check(cp_str_t uscc)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    static const int  weights[] = { 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28 };

    const char *at;
    int         values[NUMBER_LEN], sum = 0;
    size_t      i;

    if (uscc.len != NUMBER_LEN) {
        return CP_F_FORMAT;
    }

    for (i = 0; i < NUMBER_LEN; i++) {
        at = memchr(alphabet, uscc.data[i], sizeof(alphabet) - 1);
        if (at == NULL || (i >= 2 && i < 8 && !is_digit(uscc.data[i]))) {
            return CP_F_FORMAT;
        }
        values[i] = (int) (at - alphabet);
    }

    for (i = 0; i < NUMBER_LEN - 1; i++) {
        sum += values[i] * weights[i];
    }

    return values[NUMBER_LEN - 1] == (31 - sum % 31) % 31 ? CP_F_END : CP_F_CHECK_DIGIT;
}


/* The code point at *i of well-formed UTF-8; moves *i behind it. */
static uint32_t
code_point(cp_str_t s, size_t *i)
{
    unsigned char c = (unsigned char) s.data[(*i)++];
    uint32_t      point = c < 0x80 ? c : c < 0xe0 ? c & 0x1fu : c < 0xf0 ? c & 0x0fu : c & 0x07u;

    while (*i < s.len && ((unsigned char) s.data[*i] & 0xc0) == 0x80) {
        point = point << 6 | ((unsigned char) s.data[(*i)++] & 0x3fu);
    }

    return point;
}


/* The private-use area too: registers hold rare characters there that had no code point when they were entered. */
static bool
is_name_character(uint32_t c)
{
    static const struct { uint32_t first, last; } ranges[] = {
        { 'A', 'Z' },         { 'a', 'z' },          { 0x00c0, 0x00d6 },   { 0x00d8, 0x00f6 }, { 0x00f8, 0x024f },
        { 0x3007, 0x3007 },   { 0x3400, 0x4dbf },    { 0x4e00, 0x9fff },   { 0xe000, 0xf8ff }, { 0xf900, 0xfaff },
        { 0x20000, 0x3ffff },
    };
    size_t i;

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }

    return false;
}


cp_field_code_t
cp_person_name_check(cp_str_t name)
{
    bool     after_letter = false;
    uint32_t c;
    size_t   i = 0;

    while (i < name.len) {
        c = code_point(name, &i);
        if (is_name_character(c)) {
            after_letter = true;
        } else if (after_letter && (c == 0x00b7 || c == ' ')) {
            after_letter = false;
        } else {
            return CP_F_FORMAT;
        }
    }

    return after_letter ? CP_F_END : CP_F_FORMAT;
}


/* Dot-separated runs of letters, digits and the characters in `more`, none of them empty. */
static bool
is_dotted(cp_str_t s, const char *more, size_t part_max)
{
    size_t i, part = 0;

    for (i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (c == '.') {
            if (part == 0) {
                return false;
            }
            part = 0;
            continue;
        }
        if ((!is_letter(c) && !is_digit(c) && (c == '\0' || strchr(more, c) == NULL)) || ++part > part_max) {
            return false;
        }
    }

    return part != 0;
}


cp_field_code_t
cp_email_check(cp_str_t email)
{
    const char *at = email.len == 0 ? NULL : memchr(email.data, '@', email.len);
    cp_str_t    local, domain;

    if (at == NULL || email.len > 254) {
        return CP_F_FORMAT;
    }

    local = cp_str_n(email.data, (size_t) (at - email.data));
    domain = cp_str_n(at + 1, email.len - local.len - 1);

    if (local.len > 64 || !is_dotted(local, "!#$%&'*+-/=?^_`{|}~", 64) || !is_dotted(domain, "-", 63)
        || memchr(domain.data, '.', domain.len) == NULL)
    {
        return CP_F_FORMAT;
    }

    return CP_F_END;
}


cp_str_t
cp_upper(cp_arena_t *arena, cp_str_t text)
{
    cp_str_t out = cp_str_dup(arena, text);
    size_t   i;

    for (i = 0; out.data != NULL && i < out.len; i++) {
        if (out.data[i] >= 'a' && out.data[i] <= 'z') {
            out.data[i] = (char) (out.data[i] - 'a' + 'A');
        }
    }

    return out;
}
