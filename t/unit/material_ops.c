/* The operations on materials against a real database: what each does, refuses and leaves behind. */
#include "material_case.h"

static const cp_operation_t list = { .id = "listMaterials", .callers = CP_BY_ACCOUNT, .run = cp_op_material_list };
static const cp_operation_t del = { .id = "removeMaterial", .callers = CP_BY_ACCOUNT, .run = cp_op_material_remove };
static const cp_operation_t template = { .id = "getTemplate", .callers = CP_BY_PUBLIC, .run = cp_op_template_get };


static const char *
text_of(const char *name)
{
    return json_string_value(json_object_get(call.answer, name));
}


/* "a b": what the order misses. */
static const char *
missing(void)
{
    static char text[200];

    json_t  *names = json_array(), *name;
    cp_str_t sale;
    size_t   i;

    text[0] = '\0';
    assert_int_equal(cp_call_db(&call), CP_OK);
    assert_int_equal(cp_db_row(call.db, "SELECT sale FROM certificate_order WHERE id = 1", ">s", &sale), CP_OK);
    assert_int_equal(cp_material_missing(&call, 1, sale, CP_STR("enterprise"), CP_STR("new"), names), CP_OK);

    json_array_foreach(names, i, name) {
        strcat(text, i == 0 ? "" : " ");
        strcat(text, json_string_value(name));
    }
    json_decref(names);

    return text;
}


static void
upload_and_read_back(void **state)
{
    json_t *item;

    (void) state;

    assert_string_equal(missing(), "materials.licence materials.seal");

    assert_int_equal(send_body("seal", "image/png", png), 201);
    assert_string_equal(text_of("kind"), "seal");
    assert_string_equal(text_of("type"), "image/png");
    assert_string_equal(text_of("state"), "uploaded");
    assert_string_equal(text_of("sha256"), cp_sha256_hex(call.arena, png).data);
    assert_int_equal(json_integer_value(json_object_get(call.answer, "size")), png.len);

    assert_string_equal(missing(), "materials.licence");
    assert_int_equal(number("SELECT version FROM certificate_order"), 2);
    assert_int_equal(number("SELECT COUNT(*) FROM order_event WHERE event = 'edit'"), 1);
    assert_int_equal(number("SELECT COUNT(*) FROM audit WHERE action = 'material.upload'"), 1);

    assert_int_equal(json_integer_value(json_object_get(call.answer, "pages")), 1);

    /* what is shown is the copy */
    assert_int_equal(run(&get, "seal"), 200);
    assert_true(cp_str_is(call.raw, FAKE_COPY));
    assert_string_equal(call.raw_type, "image/jpeg");
    assert_string_equal(header("Content-Disposition"), "inline; filename=\"seal.jpg\"");
    assert_string_equal(header("X-Content-Type-Options"), "nosniff");
    assert_string_equal(header("Content-Security-Policy"), "sandbox; default-src 'none'");
    assert_string_equal(header("Cache-Control"), "private, no-store");

    assert_int_equal(run(&list, NULL), 200);
    item = json_array_get(json_object_get(call.answer, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(item, "title")), "印章");
    assert_string_equal(json_string_value(json_object_get(item, "uploaded_at")), "2026-01-02T11:04:05+08:00");
    assert_int_equal(json_array_size(json_object_get(call.answer, "items")), 1);
}


/* Everything that is refused leaves neither row nor file. */
static void
refused(void **state)
{
    static picture_t picture;
    static cp_str_t  large = { 1001, (char *) picture.bytes };

    static const struct {
        const char *kind, *type, *state; int64_t account; const cp_str_t *body; int status;
    } rows[] = {
        { "nothing", "image/jpeg", "draft", 1, &jpeg, 404 },
        { "letter", "image/jpeg", "draft", 1, &jpeg, 404 },
        { "Licence", "image/jpeg", "draft", 1, &jpeg, 404 },
        { "licence", "image/jpeg", "draft", 2, &jpeg, 404 },
        { "licence", "image/jpeg", "draft", 0, &jpeg, 401 },
        { "licence", "image/png", "draft", 1, &png, 415 },
        { "licence", "image/jpeg", "draft", 1, &large, 413 },
        { "licence", "image/jpeg", "submitted", 1, &jpeg, 409 },
        { "nothing", "image/jpeg", "submitted", 1, &jpeg, 409 },
        { "licence", "image/jpeg", "approved", 1, &jpeg, 409 },
        { "licence", "image/jpeg", "completed", 1, &jpeg, 409 },
        { "licence", "image/jpeg", "cancelled", 1, &jpeg, 409 },
    };
    char   sql[80];
    size_t i;

    (void) state;

    picture = small_jpeg;

    for (i = 0; i < COUNT(rows); i++) {
        int before = files();

        snprintf(sql, sizeof(sql), "UPDATE certificate_order SET state = '%s'", rows[i].state);
        script(sql);
        call.came_as.account = call.who.account = rows[i].account;

        assert_int_equal(send_body(rows[i].kind, rows[i].type, *rows[i].body), rows[i].status);
        assert_int_equal(files(), before);
        assert_int_equal(number("SELECT COUNT(*) FROM material"), 0);
        assert_int_equal(number("SELECT version FROM certificate_order"), 1);
    }

    script("UPDATE certificate_order SET state = 'draft'");
    call.came_as.account = call.who.account = 1;
    assert_int_equal(run(&put, "licence"), 422);
    assert_int_equal(send_body("licence", "image/jpeg", cp_str_n(picture.bytes, 1000)), 201);
}


static void
others_materials(void **state)
{
    static const cp_operation_t *const operations[] = { &get, &del, &list };

    size_t i;

    (void) state;

    assert_int_equal(upload_jpeg("licence"), 201);
    for (i = 0; i < COUNT(operations); i++) {
        call.came_as.account = call.who.account = 2;
        assert_int_equal(run(operations[i], "licence"), 404);
        call.came_as.account = call.who.account = 0;
        assert_int_equal(run(operations[i], "licence"), 401);
    }

    call.came_as.account = call.who.account = 1;
    assert_int_equal(run(&get, "seal"), 404);
    assert_int_equal(run(&get, "\xff\xfe"), 404);
    assert_int_equal(run(&del, "seal"), 404);
}


static void
replace_and_remove(void **state)
{
    (void) state;

    /* never submitted: nobody has seen the first one */
    assert_int_equal(upload_jpeg("licence"), 201);
    assert_int_equal(upload_another("licence"), 201);
    assert_int_equal(number("SELECT COUNT(*) FROM material WHERE state = 'discarded' AND is_current IS NULL"), 1);
    assert_int_equal(number("SELECT COUNT(*) FROM material WHERE is_current = 1 AND state = 'uploaded'"), 1);

    /* submitted and rejected: what the review saw stays as evidence */
    test_now_ms += 1000;
    script("UPDATE certificate_order SET state = 'rejected', submitted_at = 1767323045500");
    assert_int_equal(upload_another("licence"), 409);       /* but the reviewer found nothing wrong with this one */
    assert_int_equal(call.code, CP_E_FROZEN);
    assert_int_equal(run(&del, "licence"), 409);
    script("UPDATE material SET state = 'rejected' WHERE is_current = 1");
    assert_int_equal(upload_another("licence"), 201);
    assert_int_equal(number("SELECT COUNT(*) FROM material WHERE state = 'replaced'"), 1);

    assert_int_equal(run(&del, "licence"), 204);
    assert_int_equal(number("SELECT COUNT(*) FROM material WHERE state = 'discarded'"), 2);
    assert_int_equal(number("SELECT COUNT(*) FROM material WHERE is_current = 1"), 0);
    assert_int_equal(number("SELECT COUNT(*) FROM audit WHERE action = 'material.remove'"), 1);
    assert_int_equal(number("SELECT version FROM certificate_order"), 5);

    assert_int_equal(run(&del, "licence"), 404);
    assert_int_equal(run(&get, "licence"), 404);
    test_now_ms -= 1000;
}


/* The same bytes take one file and its room once, whatever they are called. */
static void
same_bytes(void **state)
{
    int      before = files();
    unsigned asked = fake_inspector.asked;

    (void) state;

    script("DELETE FROM material_usage");

    assert_int_equal(upload_jpeg("licence"), 201);
    assert_int_equal(upload_jpeg("licence"), 201);
    assert_int_equal(files(), before + 1 + COPIES);
    assert_int_equal(fake_inspector.asked, asked + 1);
    assert_int_equal(number("SELECT COUNT(DISTINCT file) FROM material"), 1);
    assert_int_equal(number("SELECT SUM(bytes) FROM material_usage WHERE scope = 'account'"),
                     jpeg.len + COPIES_SIZE);
    assert_int_equal(number("SELECT SUM(bytes) FROM material_usage WHERE scope = 'hall'"),
                     jpeg.len + COPIES_SIZE);
    assert_int_equal(run(&get, "licence"), 200);
    assert_true(cp_str_is(call.raw, FAKE_COPY));

    assert_int_equal(run(&del, "licence"), 204);
    assert_int_equal(number("SELECT SUM(bytes) FROM material_usage"), 0);
}


static void
quotas(void **state)
{
    static const cp_quota_t limits[] = { { 300, 0, 0 }, { 0, 300, 0 }, { 0, 0, 300 } };
    int    before = files();
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(limits); i++) {
        app.quota = (cp_quota_t) { 0 };
        script("DELETE FROM material");
        script("DELETE FROM material_usage");
        before = files();
        app.quota = limits[i];

        assert_int_equal(upload_another("licence"), 201);
        assert_int_equal(upload_another("licence"), 201);      /* takes the room of the one that it replaces */
        assert_int_equal(files(), before + 2 * (1 + COPIES));
        script("UPDATE certificate_order SET submitted_at = 1767323046000");
        script("UPDATE material SET state = 'rejected' WHERE is_current = 1");
        assert_int_equal(upload_another("licence"), 413);      /* what a review saw stays, and its room is taken */
        assert_int_equal(call.code, CP_E_QUOTA);
        assert_int_equal(files(), before + 2 * (1 + COPIES));
        assert_int_equal(number("SELECT COUNT(*) FROM material"), 2);
        script("UPDATE certificate_order SET submitted_at = NULL");
    }

    app.quota = (cp_quota_t) { 0 };
}


static void
rejected_by_review(void **state)
{
    (void) state;

    assert_int_equal(upload_jpeg("licence"), 201);
    assert_int_equal(upload_jpeg("seal"), 201);
    assert_int_equal(upload_jpeg("photo"), 201);
    assert_string_equal(missing(), "");

    assert_int_equal(cp_material_reject(&call, 1, CP_STR("licence")), CP_OK);
    assert_int_equal(cp_material_reject(&call, 1, CP_STR("licence")), CP_OK);
    assert_int_equal(cp_material_reject(&call, 1, CP_STR("photo")), CP_OK);
    assert_int_equal(cp_material_reject(&call, 1, CP_STR("letter")), CP_E_NOT_FOUND);
    script("UPDATE certificate_order SET state = 'rejected'");
    assert_string_equal(missing(), "materials.licence materials.photo");

    assert_int_equal(upload_jpeg("licence"), 201);
    assert_string_equal(missing(), "materials.photo");
    assert_int_equal(run(&del, "photo"), 204);
    assert_string_equal(missing(), "");
}


/* A damaged file is our fault, and says nothing about itself. */
static void
damaged_file(void **state)
{
    (void) state;

    assert_int_equal(upload_jpeg("licence"), 201);
    script("UPDATE material_copy SET sha256 = REPEAT('x', 32)");
    assert_int_equal(run(&get, "licence"), 500);
    assert_null(call.raw.data);
    assert_int_equal(call.header_count, 0);
}


/* What an upload changes, as one number. */
static int64_t
changes(void)
{
    return number("SELECT (SELECT COUNT(*) FROM material) + 100 * (SELECT COUNT(*) FROM inspection) + 10000 * "
                  "(SELECT COUNT(*) FROM material_copy) + 1000000 * (SELECT version FROM certificate_order) "
                  "+ 100000000 * (SELECT COUNT(*) FROM audit WHERE action = 'material.upload')");
}


/* Whichever statement fails: the order is as before or wholly changed, and no row lacks its file. */
static void
nothing_half_done(void **state)
{
    int     status = 0, left = 0, failed = 0, before, n;
    int64_t rows;

    (void) state;

    assert_int_equal(upload_jpeg("licence"), 201);

    /* those before the transaction are tried again */
    for (n = 2; n < 60 && (status != 201 || failed == 0); n++) {
        before = files();
        rows = changes();
        cp_db_fail_after(call.db, n);
        status = upload_another("licence");
        cp_db_fail_after(call.db, -1);
        if (status == 201) {
            continue;
        }

        assert_int_equal(status, 503);
        assert_int_equal(changes(), rows);
        left += files() - before;
        failed++;
    }

    /* a failed commit may have happened: its files, and no other, are left to the sweep */
    assert_int_equal(left, 1 + COPIES);
    assert_int_equal(status, 201);
    assert_in_range(failed, 10, 40);
    assert_int_equal(number("SELECT COUNT(*) FROM material WHERE is_current = 1"), 1);
    assert_int_equal(run(&get, "licence"), 200);
}


/* The same with memory: nothing is answered but 503, and nothing stays. */
static void
out_of_memory(void **state)
{
    const cp_gate_head_t head = { .content_type = CP_STR("image/jpeg"), .length = -1 };

    cp_code_t    code;
    cp_upload_t *upload;
    long         n;
    int          before, status = 0;

    (void) state;

    for (n = 0; n < 500; n++) {
        before = files();
        upload = cp_upload_open(&app, &widest, CP_GATE_RAW, &head, &code);
        assert_non_null(upload);
        assert_int_equal(cp_upload_write(upload, jpeg.data, jpeg.len), CP_OK);
        assert_int_equal(cp_upload_finish(upload), CP_OK);

        call.upload = upload;
        status = run_failing(&put, "licence", n);
        call.upload = NULL;
        cp_upload_close(upload);
        if (status == 201) {
            break;
        }

        assert_int_equal(status, 503);
        assert_int_equal(files(), before);
        assert_int_equal(number("SELECT COUNT(*) FROM material"), 0);
    }

    assert_int_equal(status, 201);
    assert_in_range(n, 20, 499);
}


static void
set_age(const char *path, int64_t seconds)
{
    struct timespec times[2] = { 0 };

    times[0].tv_sec = times[1].tv_sec = (time_t) (test_now_ms / 1000 - seconds);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}


static int
age_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) ftw;
    if (flag == FTW_F) {
        set_age(path, 3601);
    }

    return 0;
}


static void
put_file(const char *relative, int64_t age_s)
{
    char  path[200];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", app.store.folder.data, relative);
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    set_age(path, age_s);
}


static bool
is_there(const char *relative)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", app.store.folder.data, relative);

    return access(path, F_OK) == 0;
}


static void
sweep(void **state)
{
    char    path[120];
    int64_t removed;

    (void) state;

    nftw(app.store.folder.data, age_file, 8, FTW_PHYS);
    assert_int_equal(cp_material_sweep(&app, test_now_ms, &removed), CP_OK);
    assert_int_equal(files(), 0);

    /* one in use, one that no review saw */
    assert_int_equal(upload_jpeg("licence"), 201);
    assert_int_equal(upload_another("licence"), 201);
    nftw(app.store.folder.data, age_file, 8, FTW_PHYS);

    snprintf(path, sizeof(path), "%s/ab", app.store.folder.data);
    mkdir(path, 0700);

    put_file("tmp/0123456789abcdef0123456789abcdef", 601);
    put_file("tmp/1123456789abcdef0123456789abcdef", 599);
    put_file("tmp/README", 9999999);
    put_file("ab/abcd456789abcdef0123456789abcdef", 3601);
    put_file("ab/abcd456789abcdef0123456789abcde0", 3599);
    put_file("ab/abcd456789abcdef0123456789abcde1", 9999999);
    put_file("ab/notes", 9999999);
    script("INSERT INTO payment (public_id, order_id, method, amount_fen, state, remark_code, created_at, "
           "voucher_file) VALUES ('p', 1, 'transfer', 1, 'pending', 'r', 1, 'abcd456789abcdef0123456789abcde1')");

    assert_int_equal(cp_material_sweep(&app, test_now_ms, &removed), CP_OK);
    assert_int_equal(removed, 3 + COPIES);
    assert_false(is_there("tmp/0123456789abcdef0123456789abcdef"));
    assert_true(is_there("tmp/1123456789abcdef0123456789abcdef"));
    assert_true(is_there("tmp/README"));
    assert_false(is_there("ab/abcd456789abcdef0123456789abcdef"));
    assert_true(is_there("ab/abcd456789abcdef0123456789abcde0"));
    assert_true(is_there("ab/abcd456789abcdef0123456789abcde1"));
    assert_true(is_there("ab/notes"));
    assert_int_equal(run(&get, "licence"), 200);

    assert_int_equal(cp_material_sweep(&app, test_now_ms, &removed), CP_OK);
    assert_int_equal(removed, 0);
}


static int
fetch_template(const char *hall_name, const char *kind)
{
    cp_call_reset(&call);
    call.operation = &template;
    call.params[0] = cp_str(hall_name);
    call.params[1] = cp_str(kind);
    cp_api_run(&call);

    return call.status;
}


static void
templates(void **state)
{
    static char path[80];

    FILE *file;

    (void) state;

    snprintf(path, sizeof(path), "%s/form.pdf", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("%PDF-1.7 a form", file);
    fclose(file);
    hall.materials[LETTER].template_file = cp_str(path);
    hall.materials[PHOTO].template_file = cp_str(folder);

    call.came_as.account = call.who.account = 0;
    assert_int_equal(fetch_template("hall", "letter"), 200);
    assert_true(cp_str_is(call.raw, "%PDF-1.7 a form"));
    assert_string_equal(call.raw_type, "application/pdf");
    assert_string_equal(header("Content-Disposition"), "attachment; filename=\"letter.pdf\"");

    assert_int_equal(fetch_template("hall", "seal"), 404);
    assert_int_equal(fetch_template("hall", "../../etc/passwd"), 404);
    assert_int_equal(fetch_template("elsewhere", "letter"), 404);
    assert_int_equal(fetch_template("hall", "photo"), 503);

    unlink(path);
    assert_int_equal(fetch_template("hall", "letter"), 503);
}


int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(upload_and_read_back), CASE(refused),           CASE(others_materials), CASE(replace_and_remove),
        CASE(same_bytes),           CASE(quotas),            CASE(rejected_by_review), CASE(damaged_file),
        CASE(nothing_half_done),    CASE(out_of_memory),     CASE(sweep),            CASE(templates),
    };

    return database_is_there() ? cmocka_run_group_tests(tests, start, stop) : 0;
}
