/* What an order's materials take, and what is freed when one of them is retired. */
#include "material/material_kept.h"
#include "seams.h"

#define COUNT(rows)      (sizeof(rows) / sizeof((rows)[0]))
#define TEXT(literal)    { sizeof(literal) - 1, (char *) (uintptr_t) (literal) }
#define SUBMITTED        1000

enum { LICENCE, SEAL, OLD_PHOTO, PHOTO };

static cp_kept_t rows[] = {
    [LICENCE] = { .material = { .kind = TEXT("licence"), .created_ms = SUBMITTED + 1,
                                .stored = { .file = TEXT("a"), .type = CP_TYPE_JPEG, .size = 100, .sha256 = "one" } },
                  .current = true, .copies = 10 },
    [SEAL] = { .material = { .kind = TEXT("seal"), .created_ms = SUBMITTED,
                             .stored = { .file = TEXT("b"), .type = CP_TYPE_PNG, .size = 200, .sha256 = "two" } },
               .current = true, .copies = 20 },
    [OLD_PHOTO] = { .material = { .kind = TEXT("photo"), .created_ms = 1,
                                  .stored = { .file = TEXT("c"), .type = CP_TYPE_JPEG, .size = 400,
                                              .sha256 = "three" } } },
    [PHOTO] = { .material = { .kind = TEXT("photo"), .created_ms = SUBMITTED + 1,
                              .stored = { .file = TEXT("a"), .type = CP_TYPE_JPEG, .size = 100, .sha256 = "one" } },
                .current = true, .copies = 10 },
};

static const cp_kept_list_t none = { NULL, 0 }, all = { rows, COUNT(rows) }, unshared = { rows, PHOTO };


static void
found(void **state)
{
    cp_stored_t stored = rows[SEAL].material.stored;

    (void) state;

    assert_ptr_equal(cp_kept_current(&all, CP_STR("photo")), &rows[PHOTO]);
    assert_ptr_equal(cp_kept_current(&all, CP_STR("seal")), &rows[SEAL]);
    assert_null(cp_kept_current(&unshared, CP_STR("photo")));
    assert_null(cp_kept_current(&none, CP_STR("seal")));

    assert_ptr_equal(cp_kept_same_bytes(&all, &stored), &rows[SEAL]);
    assert_ptr_equal(cp_kept_same_bytes(&all, &rows[OLD_PHOTO].material.stored), &rows[OLD_PHOTO]);
    assert_null(cp_kept_same_bytes(&none, &stored));

    stored.size++;
    assert_null(cp_kept_same_bytes(&all, &stored));
    stored.size--;
    stored.type = CP_TYPE_JPEG;
    assert_null(cp_kept_same_bytes(&all, &stored));
    stored.type = CP_TYPE_PNG;
    stored.sha256[31] ^= 1;
    assert_null(cp_kept_same_bytes(&all, &stored));
}


static void
taken(void **state)
{
    (void) state;

    assert_int_equal(cp_kept_bytes(&none), 0);
    assert_int_equal(cp_kept_bytes(&unshared), 100 + 10 + 200 + 20 + 400);
    assert_int_equal(cp_kept_bytes(&all), 100 + 10 + 200 + 20 + 400);
}


static void
freed(void **state)
{
    (void) state;

    assert_int_equal(cp_kept_freed(&all, NULL, 0), 0);
    assert_int_equal(cp_kept_freed(&unshared, &rows[LICENCE], SUBMITTED), 110);
    assert_int_equal(cp_kept_freed(&all, &rows[LICENCE], SUBMITTED), 0);     /* the photo is the same file */
    assert_int_equal(cp_kept_freed(&all, &rows[PHOTO], SUBMITTED), 0);
    assert_int_equal(cp_kept_freed(&all, &rows[SEAL], SUBMITTED), 0);        /* it stays as evidence */
    assert_int_equal(cp_kept_freed(&all, &rows[SEAL], SUBMITTED - 1), 220);
    assert_int_equal(cp_kept_freed(&all, &rows[SEAL], 0), 220);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found),
        cmocka_unit_test(taken),
        cmocka_unit_test(freed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
