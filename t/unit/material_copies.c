/* What the inspector makes of a scan and who sees it, against a real database. */
#include "material_case.h"

static const cp_operation_t thumbnail = {
    .id = "getThumbnail", .callers = CP_BY_ACCOUNT, .run = cp_op_material_thumbnail,
};
static const cp_operation_t original = {
    .id = "getDeskOriginal", .callers = CP_BY_ACCOUNT, .run = cp_op_material_original,
};

/* Whom it is open to is a matter of lib/api.c; the reviewer is set by the test. */
static const cp_operation_t view = { .id = "getDeskMaterial", .callers = CP_BY_PUBLIC, .run = cp_op_material_view };


static void
viewed_by_staff(void **state)
{
    static const char sql_staff[] =
        "INSERT INTO staff (id, public_id, name_sealed, roles, certificate_sha256, state, created_at, updated_at) "
        "VALUES (7, 's7', ?, 1, REPEAT('c', 32), 'active', 1, 1)";

    cp_str_t name;

    (void) state;

    assert_int_equal(upload_jpeg("licence"), 201);

    assert_int_equal(cp_column_seal(app.keys, call.arena, "staff.name", CP_STR("王审核"), &name), CP_OK);
    assert_int_equal(cp_call_db(&call), CP_OK);
    assert_int_equal(cp_db_exec(call.db, sql_staff, "s", name), CP_OK);
    call.came_as.account = call.who.account = 0;
    call.came_as.staff = 7;
    call.came_as.staff_id = CP_STR("s7");
    call.came_as.roles = CP_ROLE_REVIEWER;

    assert_int_equal(run(&view, "licence"), 200);
    assert_true(cp_str_is(call.raw, FAKE_MARKED));
    assert_string_equal(fake_inspector.mark, "王审核 s7 2026-01-02 11:04");
    assert_string_equal(header("Content-Disposition"), "inline; filename=\"licence.jpg\"");
    assert_int_equal(number("SELECT COUNT(*) FROM audit WHERE action = 'material.view' AND actor_kind = 'staff' "
                            "AND actor_id = 7"), 1);
    assert_int_equal(run(&view, "seal"), 404);

    /* without a mark nothing is shown, and nothing was seen */
    fake_inspector.reason = CP_WIRE_BUSY;
    assert_int_equal(run(&view, "licence"), 503);
    fake_inspector.reason = CP_INSPECT_CRASHED;
    assert_int_equal(run(&view, "licence"), 503);
    fake_inspector.reason = CP_INSPECT_OK;
    assert_int_equal(number("SELECT COUNT(*) FROM audit WHERE action = 'material.view'"), 1);
    script("DELETE FROM staff");
}


/* What the inspector refuses is not kept, nor what it had no time for. */
static void
inspected(void **state)
{
    static const struct { uint32_t reason; int status; const char *code, *word; } rows[] = {
        { CP_INSPECT_DAMAGED, 422, "bad_file", "damaged" },
        { CP_INSPECT_TOO_SLOW, 422, "bad_file", "too_slow" },
        { CP_INSPECT_CRASHED, 422, "bad_file", "crashed" },
        { CP_WIRE_BUSY, 503, "busy", NULL },
    };

    json_t *problem;
    size_t  i;
    int     before = files();

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        const char *type;

        fake_inspector.reason = rows[i].reason;
        assert_int_equal(upload_another("licence"), rows[i].status);
        problem = json_loads(cp_call_render(&call, &type).data, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(problem, "code")), rows[i].code);
        if (rows[i].word == NULL) {
            assert_null(json_object_get(problem, "reason"));
            assert_int_equal(call.retry_after_s, 2);
        } else {
            assert_string_equal(json_string_value(json_object_get(problem, "reason")), rows[i].word);
            assert_string_equal(json_string_value(json_object_get(problem, "detail")),
                                cp_inspect_text((cp_inspect_reason_t) rows[i].reason)->zh);
        }
        json_decref(problem);
        assert_int_equal(files(), before);
        assert_int_equal(number("SELECT COUNT(*) FROM material"), 0);
        assert_int_equal(number("SELECT COUNT(*) FROM inspection"), 0);
    }

    fake_inspector.reason = CP_INSPECT_OK;
    app.inspector.socket = "/nonexistent/inspector";
    assert_int_equal(upload_another("licence"), 503);
    app.inspector.socket = fake_inspector.path;
    assert_int_equal(files(), before);
    assert_int_equal(upload_another("licence"), 201);
}


/* Who may not, or in no such state, does not keep the inspector busy. */
static void
refused_before(void **state)
{
    unsigned asked = fake_inspector.asked;

    (void) state;

    call.came_as.account = call.who.account = 2;
    assert_int_equal(upload_another("licence"), 404);
    call.came_as.account = call.who.account = 1;
    assert_int_equal(upload_another("letter"), 404);
    script("UPDATE certificate_order SET state = 'submitted'");
    assert_int_equal(upload_another("licence"), 409);
    assert_int_equal(fake_inspector.asked, asked);
}


/* A file from before there were copies gets them when its bytes come again. */
static void
copies_later(void **state)
{
    int before;

    (void) state;

    assert_int_equal(upload_jpeg("licence"), 201);
    before = files();
    script("DELETE FROM material_copy");
    script("DELETE FROM inspection");
    assert_int_equal(run(&get, "licence"), 404);

    assert_int_equal(upload_jpeg("licence"), 201);
    assert_int_equal(files(), before + COPIES);
    assert_int_equal(number("SELECT COUNT(DISTINCT file) FROM material"), 1);
    assert_int_equal(run(&get, "licence"), 200);
    assert_true(cp_str_is(call.raw, FAKE_COPY));
}


static const char *
hints(void)
{
    static char text[200];

    json_t *word;
    size_t  i;

    text[0] = '\0';
    json_array_foreach(json_object_get(call.answer, "hints"), i, word) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, json_string_value(word));
    }

    return text;
}


static void
told_of_the_scan(void **state)
{
    (void) state;

    fake_inspector.hints = CP_HINT_STAMP;
    assert_int_equal(upload_another("licence"), 201);
    assert_string_equal(hints(), "");

    fake_inspector.hints = CP_HINT_DARK | CP_HINT_BLURRED | CP_HINT_SMALL | CP_HINT_LANDSCAPE;
    assert_int_equal(upload_another("licence"), 201);
    assert_string_equal(hints(), "too_dark blurred too_small no_stamp landscape");
    fake_inspector.hints = 0;
}


static int
look(const char *query)
{
    int status;

    call.query = cp_str(query);
    status = run(&get, "licence");
    call.query = CP_STR_NULL;

    return status;
}


#define DOCUMENT  "%PDF-1.7\n1 0 obj\nnull\nendobj\nxref\n0 0\ntrailer\n<<>>\nstartxref\n31\n%%EOF\n"


static void
pages(void **state)
{
    static const char *const wrong[] = { "page=0", "page=51", "page=-1", "page=x", "page=", "page=1&page=1", "side=2" };

    cp_str_t document = CP_STR(DOCUMENT);
    size_t   i;

    (void) state;

    rules[LICENCE].types |= CP_TYPE_PDF;
    close_case(state);
    set_up_hall();
    open_case(state);

    fake_inspector.pages = 3;
    assert_int_equal(send_body("licence", "application/pdf", document), 201);
    assert_int_equal(json_integer_value(json_object_get(call.answer, "pages")), 3);
    assert_int_equal(look(""), 200);
    assert_true(cp_str_is(call.raw, FAKE_PAGE "1"));
    assert_int_equal(look("page=3"), 200);
    assert_true(cp_str_is(call.raw, FAKE_PAGE "3"));
    assert_string_equal(header("Content-Disposition"), "inline; filename=\"licence-3.jpg\"");
    assert_int_equal(look("page=4"), 404);
    for (i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(look(wrong[i]), 400);
    }

    assert_int_equal(run(&thumbnail, "licence"), 200);
    assert_true(cp_str_is(call.raw, FAKE_THUMBNAIL));
    assert_string_equal(header("Content-Disposition"), "inline; filename=\"licence-thumbnail.jpg\"");
    assert_int_equal(number("SELECT COUNT(*) FROM audit WHERE action = 'material.view' AND actor_kind = 'applicant'"), 3);

    assert_int_equal(run(&original, "licence"), 200);
    assert_true(cp_str_eq(call.raw, document));
    assert_string_equal(call.raw_type, "application/octet-stream");
    assert_string_equal(header("Content-Disposition"), "attachment; filename=\"licence.pdf\"");
    assert_int_equal(number("SELECT COUNT(*) FROM audit WHERE action = 'material.download'"), 1);

    rules[LICENCE].types &= ~CP_TYPE_PDF;
    set_up_hall();
}


/* Bytes that one kind may have are not for that another's, which may have fewer pages. */
static void
fewer_pages(void **state)
{
    const char *type;

    (void) state;

    rules[LICENCE].types |= CP_TYPE_PDF;
    rules[SEAL].types |= CP_TYPE_PDF;
    rules[SEAL].max_pages = 2;
    close_case(state);
    set_up_hall();
    open_case(state);

    fake_inspector.pages = 3;
    assert_int_equal(send_body("licence", "application/pdf", CP_STR(DOCUMENT)), 201);
    assert_int_equal(send_body("seal", "application/pdf", CP_STR(DOCUMENT)), 422);
    assert_non_null(strstr(cp_call_render(&call, &type).data, "\"too_many_pages\""));
    assert_int_equal(number("SELECT COUNT(*) FROM material"), 1);
    assert_int_equal(send_body("licence", "application/pdf", CP_STR(DOCUMENT)), 201);

    rules[LICENCE].types &= ~CP_TYPE_PDF;
    rules[SEAL].types &= ~CP_TYPE_PDF;
    rules[SEAL].max_pages = 0;
    set_up_hall();
}


int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(viewed_by_staff), CASE(inspected),        CASE(refused_before),
        CASE(copies_later),    CASE(told_of_the_scan), CASE(pages),
        CASE(fewer_pages),
    };

    return database_is_there() ? cmocka_run_group_tests(tests, start, stop) : 0;
}
