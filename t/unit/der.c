/* DER by rows: what is written, what is read, what is refused. */
#include "seams.h"

#include <string.h>

#include "certificate/der.h"

static cp_arena_t *arena;


static void
equals(cp_der_t *der, const char *hex)
{
    cp_str_t bytes, text;

    assert_int_equal(cp_der_finish(der, &bytes), CP_OK);
    text = cp_str_hex(arena, bytes);
    assert_string_equal(text.data, hex);
}


static void
numbers(void **state)
{
    static const struct { int64_t value; const char *hex; } rows[] = {
        { 0, "020100" }, { 1, "020101" }, { 127, "02017f" }, { 128, "02020080" }, { 255, "020200ff" },
        { 256, "02020100" }, { 32767, "02027fff" }, { 32768, "0203008000" },
        { INT64_MAX, "02087fffffffffffffff" },
    };
    static const struct { cp_str_t bytes; const char *hex; } magnitudes[] = {
        { { 1, "\x00" }, "020100" }, { { 2, "\x00\x01" }, "020101" }, { { 1, "\x80" }, "02020080" },
        { { 3, "\x00\x00\xff" }, "020200ff" }, { { 0, "" }, "020100" }, { { 2, "\x7f\xff" }, "02027fff" },
    };
    cp_der_t der;
    size_t   i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cp_der_init(&der, arena, 0);
        cp_der_number(&der, CP_DER_INTEGER, rows[i].value);
        equals(&der, rows[i].hex);
    }
    for (i = 0; i < sizeof(magnitudes) / sizeof(magnitudes[0]); i++) {
        cp_der_init(&der, arena, 0);
        cp_der_magnitude(&der, magnitudes[i].bytes);
        equals(&der, magnitudes[i].hex);
    }

    cp_der_init(&der, arena, 0);
    cp_der_number(&der, CP_DER_INTEGER, -1);
    assert_int_equal(cp_der_finish(&der, &(cp_str_t) { 0, NULL }), CP_E_INTERNAL);
}


/* Lengths around each form of the length octets, nested, read back. */
static void
lengths(void **state)
{
    static const size_t rows[] = { 0, 1, 127, 128, 129, 255, 256, 65535, 65536 };
    cp_der_value_t      value;
    cp_str_t            bytes, content, outer;
    cp_der_t            der;
    size_t              i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        content = cp_str_n(cp_calloc(arena, rows[i] + 1, 1), rows[i]);

        cp_der_init(&der, arena, 0);
        cp_der_begin(&der, CP_DER_SEQUENCE);
        cp_der_begin(&der, CP_DER_EXPLICIT(3));
        cp_der_put(&der, CP_DER_OCTETS, content);
        cp_der_end(&der);
        cp_der_end(&der);
        assert_int_equal(cp_der_finish(&der, &bytes), CP_OK);
        assert_true(cp_der_check(bytes, true));

        assert_true(cp_der_take(&bytes, CP_DER_SEQUENCE, &outer));
        assert_int_equal(bytes.len, 0);
        assert_true(cp_der_take(&outer, CP_DER_EXPLICIT(3), &outer) || true);
        assert_true(cp_der_next(&outer, &value));
        assert_int_equal(value.content.len, rows[i]);
    }
}


static void
unbalanced(void **state)
{
    cp_str_t bytes;
    cp_der_t der;
    int      i;

    (void) state;

    cp_der_init(&der, arena, 0);
    cp_der_begin(&der, CP_DER_SEQUENCE);
    assert_int_equal(cp_der_finish(&der, &bytes), CP_E_INTERNAL);

    cp_der_init(&der, arena, 0);
    cp_der_end(&der);
    assert_int_equal(cp_der_finish(&der, &bytes), CP_E_INTERNAL);

    cp_der_init(&der, arena, 0);
    for (i = 0; i <= CP_DER_DEPTH; i++) {
        cp_der_begin(&der, CP_DER_SEQUENCE);
    }
    assert_int_equal(cp_der_finish(&der, &bytes), CP_E_INTERNAL);
}


static void
oids(void **state)
{
    static const struct { const char *text; const char *hex; } rows[] = {
        { "1.2.156.10260.4.1.1", "2a811cd014040101" },
        { "1.2.840.113549.1.1.11", "2a864886f70d01010b" },
        { "2.5.29.15", "551d0f" }, { "0.0", "00" }, { "2.999.3", "883703" }, { "1.39", "4f" },
    };
    static const char *const bad[] = { "", "1", "1.", ".1", "1..2", "3.1", "1.40", "1.2.x", "1.02", "1.2.",
                                       "1.2.99999999999" };
    cp_str_t oid;
    size_t   i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(cp_der_oid_of(arena, cp_str(rows[i].text), &oid));
        assert_string_equal(cp_str_hex(arena, oid).data, rows[i].hex);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (cp_der_oid_of(arena, cp_str(bad[i]), &oid)) {
            fail_msg("accepted \"%s\"", bad[i]);
        }
    }
}


static void
times(void **state)
{
    static const struct { int64_t at_s; const char *hex; } rows[] = {
        { 0, "170d3730303130313030303030305a" },
        { 1767323045, "170d3236303130323033303430355a" },
        { 2524607999, "170d3439313233313233353935395a" },
        { 2524608000, "180f32303530303130313030303030305a" },
    };
    static const char *const bad[] = {
        "\x17\x0b" "2601020304Z", "\x17\x0d" "260102030405+", "\x17\x0d" "260230030405Z", "\x17\x0d" "261302030405Z",
        "\x17\x0d" "260102240405Z", "\x17\x0d" "26010203040 Z", "\x18\x0f" "20260102030405Z", "\x04\x01" "Z",
    };
    cp_der_t der;
    cp_str_t bytes;
    int64_t  at_ms;
    size_t   i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cp_der_init(&der, arena, 0);
        cp_der_time(&der, rows[i].at_s * 1000 + 999);
        equals(&der, rows[i].hex);
        assert_int_equal(cp_der_finish(&der, &bytes), CP_OK);
        assert_true(cp_der_take_time(&bytes, &at_ms));
        assert_int_equal(at_ms, rows[i].at_s * 1000);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bytes = cp_str(bad[i]);
        if (cp_der_take_time(&bytes, &at_ms)) {
            fail_msg("accepted %s", bad[i]);
        }
    }
}


static void
canonical(void **state)
{
    static const struct { const char *hex; bool good; const char *what; } rows[] = {
        { "0500", true, "NULL" }, { "050100", false, "NULL with content" },
        { "0101ff", true, "TRUE" }, { "010101", false, "TRUE as 01" }, { "0102ffff", false, "long BOOLEAN" },
        { "020100", true, "0" }, { "02020001", false, "padded INTEGER" }, { "0202ff80", false, "padded negative" },
        { "0200", false, "empty INTEGER" }, { "02020080", true, "128" },
        { "0302000f", true, "bits" }, { "030200", false, "cut" }, { "03020801", false, "8 unused bits" },
        { "03020101", false, "unused bit set" }, { "030100", true, "no bits" }, { "030101", false, "unused of none" },
        { "06032a0304", true, "OID" }, { "0603808001", false, "padded OID" }, { "06022a80", false, "cut OID" },
        { "0c02c3a4", true, "UTF-8" }, { "0c02c0af", false, "overlong UTF-8" }, { "0c0100", false, "control" },
        { "30818002", false, "cut" }, { "3003048100", false, "long length inside" }, { "308100", false, "81 00" },
        { "30820001aa", false, "leading zero in length" }, { "3080050000", false, "indefinite" },
        { "1f810105", false, "long tag" }, { "100105", false, "primitive SEQUENCE" },
        { "3106020101020102", true, "SET in order" }, { "3106020102020101", false, "SET out of order" },
        { "2403040100", false, "constructed OCTET STRING" }, { "", false, "nothing" }, { "30", false, "one byte" },
    };
    cp_str_t bytes;
    size_t   i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(cp_str_unhex(arena, cp_str(rows[i].hex), &bytes));
        if (cp_der_check(bytes, true) != rows[i].good) {
            fail_msg("%s (%s)", rows[i].what, rows[i].hex);
        }
    }

    assert_true(cp_str_unhex(arena, cp_str("3106020102020101"), &bytes));
    assert_true(cp_der_check(bytes, false));
}


static void
deep(void **state)
{
    unsigned char bytes[2 * (CP_DER_DEPTH + 2)];
    size_t        i, n = CP_DER_DEPTH + 2;

    (void) state;

    for (i = 0; i < n; i++) {
        bytes[2 * i] = 0x30;
        bytes[2 * i + 1] = (unsigned char) (2 * (n - 1 - i));
    }
    assert_false(cp_der_check(cp_str_n(bytes, sizeof(bytes)), true));
}


/* When memory runs out at any allocation, the end says so. */
static void
memory(void **state)
{
    cp_arena_t *small;
    cp_str_t    bytes;
    cp_der_t    der;
    long        n;
    int         i;

    (void) state;

    for (n = 0; n < 4; n++) {
        small = cp_arena_new(0);
        cp_arena_fail_after(small, n);
        cp_der_init(&der, small, 0);
        cp_der_begin(&der, CP_DER_SEQUENCE);
        for (i = 0; i < 600; i++) {
            cp_der_number(&der, CP_DER_INTEGER, INT64_MAX);
        }
        cp_der_end(&der);
        assert_int_not_equal(cp_der_finish(&der, &bytes), CP_OK);
        cp_arena_free(small);
    }
}


static int
set_up(void **state)
{
    (void) state;

    arena = cp_arena_new(65536);
    return arena == NULL;
}


static int
tear_down(void **state)
{
    (void) state;

    cp_arena_free(arena);
    return 0;
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(lengths),
        cmocka_unit_test(unbalanced),
        cmocka_unit_test(oids),
        cmocka_unit_test(times),
        cmocka_unit_test(canonical),
        cmocka_unit_test(deep),
        cmocka_unit_test(memory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
