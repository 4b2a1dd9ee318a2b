/* What kind of login a text is, and the one form in which it is compared. */
#include "seams.h"

#include <string.h>

#include "account/login.h"

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
kinds(void **state)
{
    static const struct {
        const char      *typed;
        cp_login_kind_t  kind;
        const char      *text;
    } rows[] = {
        { "13800138000", CP_LOGIN_PHONE, "13800138000" },
        { "138 0013 8000", CP_LOGIN_PHONE, "13800138000" },
        { "１３８００１３８０００", CP_LOGIN_PHONE, "13800138000" },
        { "Agent@Example.COM", CP_LOGIN_EMAIL, "agent@example.com" },
        { "agent＠example.com", CP_LOGIN_EMAIL, "agent@example.com" },
        { "经办@example.com", CP_LOGIN_EMAIL, "经办@example.com" },
        { "1@1", CP_LOGIN_EMAIL, "1@1" },
        { "LanTian.CA", CP_LOGIN_USER_NAME, "lantian.ca" },
        { "ｌａｎｔｉａｎ", CP_LOGIN_USER_NAME, "lantian" },
        { "1380013800O", CP_LOGIN_USER_NAME, "1380013800o" },
        { "-", CP_LOGIN_USER_NAME, "-" },
        { "蓝天（北京）有限公司", CP_LOGIN_COMPANY, "蓝天(北京)有限公司" },
        { "蓝天(北京)有限公司", CP_LOGIN_COMPANY, "蓝天(北京)有限公司" },
        { "蓝天 ( 北京 )　有限公司", CP_LOGIN_COMPANY, "蓝天(北京)有限公司" },
        { "Abc科技", CP_LOGIN_COMPANY, "abc科技" },
        { "é", CP_LOGIN_COMPANY, "é" },
        { "a｟b", CP_LOGIN_COMPANY, "a｟b" },        /* U+FF5F: the first that stands for none */
        { "a～b", CP_LOGIN_USER_NAME, "a~b" },        /* U+FF5E: the last that does */
        { "！ab", CP_LOGIN_USER_NAME, "!ab" },        /* U+FF01: the first */
    };
    cp_login_t login;
    size_t     i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cp_login_read(arena, cp_str(rows[i].typed), &login), CP_OK);
        assert_string_equal(login.text.data, rows[i].text);
        assert_int_equal(login.text.len, strlen(rows[i].text));
        assert_int_equal(login.kind, rows[i].kind);
    }
}


static void
user_names(void **state)
{
    static const struct {
        const char      *text;
        cp_field_code_t  why;
    } rows[] = {
        { "abcd", CP_F_END },
        { "Abcd", CP_F_END },
        { "a.b-c_1", CP_F_END },
        { "abcdefghijklmnopqrstuvwxyz012345", CP_F_END },
        { "abcdefghijklmnopqrstuvwxyz0123456", CP_F_TOO_LONG },
        { "abc", CP_F_TOO_SHORT },
        { "1abc", CP_F_FORMAT },
        { "_abc", CP_F_FORMAT },
        { "13800138000", CP_F_FORMAT },
        { "ab cd", CP_F_FORMAT },
        { "ab@cd", CP_F_FORMAT },
        { "abc\x40", CP_F_FORMAT },
        { "abc[", CP_F_FORMAT },
        { "abc`", CP_F_FORMAT },
        { "蓝天公司", CP_F_FORMAT },
        { "ａｂｃｄ", CP_F_FORMAT },
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cp_field_user_name(NULL, cp_str(rows[i].text)), rows[i].why);
    }
}


static void
companies(void **state)
{
    static const struct {
        const char      *text;
        cp_field_code_t  why;
    } rows[] = {
        { "蓝天公司", CP_F_END },
        { "蓝天 A1", CP_F_END },
        { "蓝天公", CP_F_TOO_SHORT },
        { "蓝  天  公", CP_F_TOO_SHORT },
        { "Blue Sky Limited", CP_F_FORMAT },
        { "Blué Sky Limited", CP_F_FORMAT },
        { "蓝天公司@example.com", CP_F_FORMAT },
        { "１３８００１３８０００", CP_F_FORMAT },
    };
    cp_call_t call = { .arena = arena };
    size_t    i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cp_field_company(&call, cp_str(rows[i].text)), rows[i].why);
    }
}


/* Nothing that can be given out as one kind of login is read as another. */
static void
forms_do_not_meet(void **state)
{
    static const char *const given[] = { "agent@example.com", "abcd", "蓝天公司", "13800138000" };
    static const cp_login_kind_t kinds_of[] = { CP_LOGIN_EMAIL, CP_LOGIN_USER_NAME, CP_LOGIN_COMPANY, CP_LOGIN_PHONE };
    cp_call_t  call = { .arena = arena };
    cp_login_t login;
    size_t     i;

    (void) state;

    for (i = 0; i < 4; i++) {
        cp_str_t text = cp_str(given[i]);

        assert_int_equal(cp_login_read(arena, text, &login), CP_OK);
        assert_int_equal(login.kind, kinds_of[i]);
        assert_int_equal(cp_field_user_name(&call, text) == CP_F_END, kinds_of[i] == CP_LOGIN_USER_NAME);
        assert_int_equal(cp_field_company(&call, text) == CP_F_END, kinds_of[i] == CP_LOGIN_COMPANY);
    }
}


static void
masks(void **state)
{
    (void) state;

    assert_string_equal(cp_mask_email(arena, CP_STR("zhang@example.com")).data, "z***@example.com");
    assert_string_equal(cp_mask_email(arena, CP_STR("a@b.cn")).data, "a***@b.cn");
    assert_string_equal(cp_mask_email(arena, CP_STR("nobody")).data, "***");
    assert_null(cp_mask_phone(arena, CP_STR_NULL).data);
    assert_string_equal(cp_mask_phone(arena, CP_STR("13800138000")).data, "138****8000");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(user_names),
        cmocka_unit_test(companies),
        cmocka_unit_test(forms_do_not_meet),
        cmocka_unit_test(masks),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, start, finish);
}
