/* Files of SQL, and the statements they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "db/script.h"

#define MOST  4

typedef struct {
    const char  *file;
    const char  *statements[MOST];
    cp_script_t  end;
} row_t;

static const row_t rows[] = {
    { "", { NULL }, CP_SCRIPT_END },
    { " \n\t ", { NULL }, CP_SCRIPT_END },
    { ";;;", { NULL }, CP_SCRIPT_END },
    { "A;B", { "A", "B" }, CP_SCRIPT_END },
    { "A;\n", { "A" }, CP_SCRIPT_END },
    { "A 'x;y';B", { "A 'x;y'", "B" }, CP_SCRIPT_END },
    { "A 'it''s;';B", { "A 'it''s;'", "B" }, CP_SCRIPT_END },
    { "A 'it\\';s';B", { "A 'it\\';s'", "B" }, CP_SCRIPT_END },
    { "A \"x;'y\";B", { "A \"x;'y\"", "B" }, CP_SCRIPT_END },
    { "A `x;\\`;B", { "A `x;\\`", "B" }, CP_SCRIPT_END },
    { "-- first; really\nA;", { "-- first; really\nA" }, CP_SCRIPT_END },
    { "A -- it's\n;B", { "A -- it's\n", "B" }, CP_SCRIPT_END },
    { "A # it's\n;B", { "A # it's\n", "B" }, CP_SCRIPT_END },
    { "A /* it's; */;B", { "A /* it's; */", "B" }, CP_SCRIPT_END },
    { "A 5--1;B", { "A 5--1", "B" }, CP_SCRIPT_END },
    { "-- nothing else", { NULL }, CP_SCRIPT_END },
    { "A;--", { "A" }, CP_SCRIPT_END },
    { "/* nothing */ ;A", { "A" }, CP_SCRIPT_END },
    { "A;B 'open", { "A" }, CP_SCRIPT_UNCLOSED },
    { "A /* open", { NULL }, CP_SCRIPT_UNCLOSED },
    { "A `open", { NULL }, CP_SCRIPT_UNCLOSED },
    { "A 'open\\", { NULL }, CP_SCRIPT_UNCLOSED },
};


static void
test_statements(void **state)
{
    cp_str_t    rest, statement;
    cp_script_t found = CP_SCRIPT_END;
    size_t      i, n;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rest = cp_str(rows[i].file);

        for (n = 0; n < MOST; n++) {
            found = cp_script_next(&rest, &statement);
            if (found != CP_SCRIPT_STATEMENT) {
                break;
            }
            if (rows[i].statements[n] == NULL || !cp_str_is(statement, rows[i].statements[n])) {
                fail_msg("\"%s\": statement %zu is \"%.*s\"", rows[i].file, n, (int) statement.len, statement.data);
            }
        }

        if (found != rows[i].end || rows[i].statements[n] != NULL) {
            fail_msg("\"%s\": %zu statements, then %d", rows[i].file, n, (int) found);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
    };

    return cmocka_run_group_tests_name("script", tests, NULL, NULL);
}
