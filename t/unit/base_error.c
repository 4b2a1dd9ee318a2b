/* The tables of what can go wrong: every row is whole, no code stands twice. */
#include "seams.h"

#include <string.h>

#include "base/error.h"
#include "base/str.h"


/* Lower-case words joined by "_". */
static bool
is_code(const char *code)
{
    return code != NULL && code[0] != '\0' && strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(code);
}


static bool
is_chinese(const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++) {
        if ((unsigned char) text[i] >= 0xe4 && (unsigned char) text[i] <= 0xe9) {
            return cp_str_is_text(cp_str(text));
        }
    }

    return false;
}


static bool
is_english(const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }

    return i > 0;
}


static void
errors(void **state)
{
    static const int statuses[] = { 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503, 507 };

    const cp_error_t *row;
    int               i, j;
    size_t            s;

    (void) state;

    for (i = CP_OK + 1; i < CP_E_RETRY; i++) {
        row = cp_error((cp_code_t) i);

        if (!is_code(row->code) || row->zh == NULL || !is_chinese(row->zh) || row->en == NULL || !is_english(row->en)) {
            fail_msg("row %d (%s) is not whole", i, row->code == NULL ? "?" : row->code);
        }

        for (s = 0; s < sizeof(statuses) / sizeof(statuses[0]) && statuses[s] != row->status; s++) {
            /* look on */
        }
        assert_true(s < sizeof(statuses) / sizeof(statuses[0]));

        /* whose fault it is */
        assert_int_equal(row->level == CP_LOG_CLIENT, row->status < 500);

        for (j = CP_OK + 1; j < i; j++) {
            assert_string_not_equal(row->code, cp_error((cp_code_t) j)->code);
        }
    }
}


/* What no client may see looks like our own fault, if it ever gets that far. */
static void
inner_codes(void **state)
{
    static const int codes[] = { CP_OK, CP_E_RETRY, CP_E_DUPLICATE, CP_E_REPLAY, CP_E_END, CP_E_END + 1, 10000, -1 };

    size_t i;

    (void) state;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_ptr_equal(cp_error((cp_code_t) codes[i]), cp_error(CP_E_INTERNAL));
    }
}


static void
field_errors(void **state)
{
    const cp_field_error_t *row;
    int                     i, j;

    (void) state;

    for (i = 0; i < CP_F_END; i++) {
        row = cp_field_error((cp_field_code_t) i);

        if (!is_code(row->code) || row->zh == NULL || !is_chinese(row->zh) || row->en == NULL || !is_english(row->en)) {
            fail_msg("row %d (%s) is not whole", i, row->code == NULL ? "?" : row->code);
        }

        for (j = 0; j < i; j++) {
            assert_string_not_equal(row->code, cp_field_error((cp_field_code_t) j)->code);
        }
    }

    assert_string_equal(cp_field_error(CP_F_END)->code, "format");
}


int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(inner_codes),
        cmocka_unit_test(field_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
