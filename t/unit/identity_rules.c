/* Numbers of people and organisations: GB 11643, GB 32100, mobile numbers, names, e-mail, masks. */
#include <string.h>

#include "account/account.h"
#include "identity/identity.h"
#include "seams.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))


static void
id_numbers(void **state)
{
    static const struct { const char *text; cp_field_code_t expected; } rows[] = {
        { "11010519491231002X", CP_F_END },
        { "440524188001010014", CP_F_END },
        { "110101199003070003", CP_F_END },
        { "810000199408230021", CP_F_END },            /* residence permits */
        { "830000199201300022", CP_F_END },
        { "911124198108030024", CP_F_END },            /* permanent-residence card of 2023 */
        { "110101199003070000", CP_F_CHECK_DIGIT },
        { "110105194912310020", CP_F_CHECK_DIGIT },
        { "11010519491231002x", CP_F_FORMAT },
        { "1101051949123100X2", CP_F_FORMAT },
        { "11010519491231002", CP_F_FORMAT },
        { "11010519491231002X1", CP_F_FORMAT },
        { "010105194912310020", CP_F_FORMAT },
        { "110105491231002", CP_F_FORMAT },            /* fifteen digits */
        { "160105194912310020", CP_F_FORMAT },         /* no such province */
        { "１10105194912310", CP_F_FORMAT },           /* full-width digit, eighteen bytes */
        { "", CP_F_FORMAT },
        { "110105194902290020", CP_F_RANGE },          /* not a leap year */
        { "110105194913010020", CP_F_RANGE },
        { "110105194900010020", CP_F_RANGE },
        { "110105202601030020", CP_F_RANGE },          /* tomorrow */
        { "110105209912310020", CP_F_RANGE },
        { "911124198102300024", CP_F_RANGE },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_id_number_check(cp_str(rows[i].text), test_now_ms) != rows[i].expected) {
            fail_msg("%s: %d", rows[i].text, (int) cp_id_number_check(cp_str(rows[i].text), test_now_ms));
        }
    }
}


/* Every wrong last character is found. */
static void
id_number_check_character(void **state)
{
    static const char good[] = "11010519491231002X", all[] = "0123456789X";

    char   text[sizeof(good)];
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(all) - 1; i++) {
        memcpy(text, good, sizeof(good));
        text[17] = all[i];
        assert_int_equal(cp_id_number_check(cp_str(text), test_now_ms), all[i] == 'X' ? CP_F_END : CP_F_CHECK_DIGIT);
    }
}


static void
born_today(void **state)
{
    (void) state;

    /* Midnight of 2026-01-02 in China, which is still the day before in UTC. */
    assert_int_not_equal(cp_id_number_check(CP_STR("110105202601020021"), 1767283200000 + 3600 * 1000), CP_F_RANGE);
    assert_int_equal(cp_id_number_check(CP_STR("110105202601020021"), 1767283200000 - 3600 * 1000), CP_F_RANGE);
}


static void
usccs(void **state)
{
    static const struct { const char *text; cp_field_code_t expected; } rows[] = {
        { "91110000802100433B", CP_F_END },
        { "9144030071526726XG", CP_F_END },
        { "123502001549897397", CP_F_END },
        { "91350200MA2YJ1XR9G", CP_F_END },
        { "91350100M0001TGQXM", CP_F_CHECK_DIGIT },    /* issued all the same */
        { "91350211M0000XUF46", CP_F_CHECK_DIGIT },
        { "91350203M0001FUE2P", CP_F_CHECK_DIGIT },
        { "91350203M0001QAY9B", CP_F_CHECK_DIGIT },
        { "91110000802100433A", CP_F_CHECK_DIGIT },
        { "91110000802100433I", CP_F_FORMAT },
        { "91110000802100433O", CP_F_FORMAT },
        { "91110000802100433S", CP_F_FORMAT },
        { "91110000802100433V", CP_F_FORMAT },
        { "91110000802100433Z", CP_F_FORMAT },
        { "91110000802100433b", CP_F_FORMAT },
        { "9111000A802100433B", CP_F_FORMAT },
        { "91110000802100433", CP_F_FORMAT },
        { "91110000802100433BB", CP_F_FORMAT },
        { "", CP_F_FORMAT },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_uscc_check(cp_str(rows[i].text)) != rows[i].expected) {
            fail_msg("%s: %d", rows[i].text, (int) cp_uscc_check(cp_str(rows[i].text)));
        }
    }
}


static void
mobiles(void **state)
{
    static const struct { const char *pattern, *number; bool expected; } rows[] = {
        { NULL, "13800138000", true },     { NULL, "19212345678", true },  { NULL, "16212345678", true },
        { NULL, "14812345678", true },     { NULL, "14412345678", false }, { NULL, "15412345678", false },
        { NULL, "12345678901", false },    { NULL, "1380013800", false },  { NULL, "138001380001", false },
        { NULL, "+8613800138000", false }, { NULL, "13800138000\n", false }, { NULL, "", false },
        { "^1\\d{10}$", "12345678901", true }, { "^1\\d{10}$", "12345678901\n", false }, { "(", "13800138000", false },
        { NULL, "13800138000", true },
    };
    char   why[120];
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_mobile_matches(cp_str(rows[i].pattern), cp_str(rows[i].number)) != rows[i].expected) {
            fail_msg("row %zu: %s", i, rows[i].number);
        }
    }

    assert_false(cp_mobile_pattern_fault(CP_STR("^1\\d{10}$"), why, sizeof(why)));
    assert_true(cp_mobile_pattern_fault(CP_STR("^1(\\d{10}$"), why, sizeof(why)));
    assert_true(strlen(why) > 0);
}


static void
names(void **state)
{
    static const struct { const char *text; cp_field_code_t expected; } rows[] = {
        { "张三", CP_F_END },           { "欧阳娜娜", CP_F_END },   { "阿不都热依木·买买提", CP_F_END },
        { "𠮷田", CP_F_END },           { "John Smith", CP_F_END }, { "José Núñez", CP_F_END }, { "〇二", CP_F_END },
        { "张三1", CP_F_FORMAT },       { "·张三", CP_F_FORMAT },   { "张三·", CP_F_FORMAT },   { "张··三", CP_F_FORMAT },
        { "张三\"", CP_F_FORMAT },      { "<b>", CP_F_FORMAT },     { "张,三", CP_F_FORMAT },   { "", CP_F_FORMAT },
        { "张（三）", CP_F_FORMAT },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_person_name_check(cp_str(rows[i].text)) != rows[i].expected) {
            fail_msg("%s", rows[i].text);
        }
    }
}


static void
emails(void **state)
{
    static const struct { const char *text; cp_field_code_t expected; } rows[] = {
        { "a@b.cn", CP_F_END },         { "a_b-c@x-y.com.cn", CP_F_END },
        { "first.last+tag@mail.example.com", CP_F_END },
        { "a@b", CP_F_FORMAT },         { "@b.cn", CP_F_FORMAT },     { "a@", CP_F_FORMAT },
        { "a.b.cn", CP_F_FORMAT },      { ".a@b.cn", CP_F_FORMAT },   { "a.@b.cn", CP_F_FORMAT },
        { "a..b@b.cn", CP_F_FORMAT },   { "a@b..cn", CP_F_FORMAT },
        { "a b@c.cn", CP_F_FORMAT },    { "a@b@c.cn", CP_F_FORMAT },  { "a@b.cn\r\nBcc: x@y.cn", CP_F_FORMAT },
        { "张@b.cn", CP_F_FORMAT },     { "", CP_F_FORMAT },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        if (cp_email_check(cp_str(rows[i].text)) != rows[i].expected) {
            fail_msg("%s", rows[i].text);
        }
    }
}


static void
masks(void **state)
{
    static const struct { cp_str_t (*mask)(cp_arena_t *, cp_str_t); const char *text, *expected; } rows[] = {
        { cp_mask_phone, "13800138000", "138****8000" },
        { cp_mask_phone, "1380013", "*******" },
        { cp_mask_phone, "", "" },
        { cp_mask_id_number, "11010519491231002X", "110***********002X" },
        { cp_mask_name, "张三", "张*" },
        { cp_mask_name, "张三丰", "张**" },
        { cp_mask_name, "阿不都热依木·买买提", "阿***" },
        { cp_mask_name, "张", "张" },
        { cp_mask_name, "", "" },
    };
    cp_arena_t *arena = cp_arena_new(0);
    size_t      i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_string_equal(rows[i].mask(arena, cp_str(rows[i].text)).data, rows[i].expected);
    }
    assert_string_equal(cp_upper(arena, CP_STR("11010519491231002x")).data, "11010519491231002X");

    cp_arena_free(arena);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_numbers), cmocka_unit_test(id_number_check_character), cmocka_unit_test(born_today),
        cmocka_unit_test(usccs),      cmocka_unit_test(mobiles),                   cmocka_unit_test(names),
        cmocka_unit_test(emails),     cmocka_unit_test(masks),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
