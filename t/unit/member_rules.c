/* Who may end which membership, and how many a unit may have: every combination. */
#include "member/member.h"
#include "member/member_rules.h"
#include "seams.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))


static void
removal(void **state)
{
    static const struct { bool administrator, own; cp_code_t code; } rows[] = {
        { false, true, CP_OK }, { false, false, CP_E_FORBIDDEN }, { true, false, CP_OK }, { true, true, CP_E_CONFLICT },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(cp_member_removal(rows[i].administrator, rows[i].own), rows[i].code);
    }
}


static void
room(void **state)
{
    (void) state;

    assert_int_equal(cp_member_room(0), CP_OK);
    assert_int_equal(cp_member_room(CP_MEMBERS_MOST - 1), CP_OK);
    assert_int_equal(cp_member_room(CP_MEMBERS_MOST), CP_E_CONFLICT);
    assert_int_equal(cp_member_room(INT64_MAX), CP_E_CONFLICT);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removal),
        cmocka_unit_test(room),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
