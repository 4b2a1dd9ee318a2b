/* The operations on materials against a real database: what each does, refuses and leaves behind. */
#include "seams.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "database.h"
#include "inspector_fake.h"
#include "material/material.h"
#include "material/material_ops.h"
#include "pictures.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define COPIES        2                                              /* of a picture: its page and its thumbnail */
#define COPIES_SIZE   (sizeof(FAKE_COPY) + sizeof(FAKE_THUMBNAIL) - 2)
#define TEXT(literal)  { sizeof(literal) - 1, (char *) (uintptr_t) (literal) }

static char       folder[] = "/tmp/caportal-ops-XXXXXX";
static cp_app_t   app;
static cp_call_t  call;
static picture_t  small_jpeg, small_png;
static cp_str_t   jpeg = { 0, (char *) small_jpeg.bytes }, png = { 0, (char *) small_png.bytes };
static cp_hall_t  hall;
static cp_project_t project;

static const cp_operation_t put = {
    .id = "putMaterial", .method = "PUT", .callers = CP_BY_ACCOUNT, .run = cp_op_material_put,
};
static const cp_operation_t get = { .id = "getMaterial", .callers = CP_BY_ACCOUNT, .run = cp_op_material_view };
static const cp_operation_t thumbnail = {
    .id = "getThumbnail", .callers = CP_BY_ACCOUNT, .run = cp_op_material_thumbnail,
};
static const cp_operation_t original = {
    .id = "getDeskOriginal", .callers = CP_BY_ACCOUNT, .run = cp_op_material_original,
};
static const cp_operation_t list = { .id = "listMaterials", .callers = CP_BY_ACCOUNT, .run = cp_op_material_list };
static const cp_operation_t del = { .id = "removeMaterial", .callers = CP_BY_ACCOUNT, .run = cp_op_material_remove };
static const cp_operation_t template = { .id = "getTemplate", .callers = CP_BY_PUBLIC, .run = cp_op_template_get };

/* Whom it is open to is a matter of lib/api.c; the reviewer is set by the test. */
static const cp_operation_t view = { .id = "getDeskMaterial", .callers = CP_BY_PUBLIC, .run = cp_op_material_view };

/* What the edge lets in: more than the order below was sold with. */
static const cp_gate_limits_t widest = { .types = CP_TYPE_JPEG | CP_TYPE_PNG | CP_TYPE_PDF, .max_size = 100000 };

enum { LICENCE, SEAL, LETTER, PHOTO };

static cp_material_rule_t rules[] = {
    [LICENCE] = { .kind = TEXT("licence"), .title = TEXT("营业执照"), .types = CP_TYPE_JPEG, .max_size = 1000 },
    [SEAL] = { .kind = TEXT("seal"), .title = TEXT("印章"), .types = CP_TYPE_JPEG | CP_TYPE_PNG, .max_size = 1000 },
    [LETTER] = { .kind = TEXT("letter"), .title = TEXT("授权书"), .types = CP_TYPE_JPEG, .max_size = 1000 },
    [PHOTO] = { .kind = TEXT("photo"), .title = TEXT("照片"), .types = CP_TYPE_JPEG, .max_size = 1000 },
};


static void
set_up_hall(void)
{
    static const cp_material_need_t needs[] = {
        { &rules[LICENCE], true, CP_APPLICANT_ENTERPRISE | CP_APPLICANT_INSTITUTION, CP_SERVICE_NEW },
        { &rules[SEAL], true, CP_APPLICANT_ENTERPRISE, CP_SERVICE_NEW | CP_SERVICE_CHANGE },
        { &rules[LETTER], true, CP_APPLICANT_INSTITUTION, CP_SERVICE_NEW },
        { &rules[PHOTO], false, CP_APPLICANT_ENTERPRISE, CP_SERVICE_NEW },
    };

    hall.name = CP_STR("hall");
    hall.title = CP_STR("营业厅");
    hall.material_count = COUNT(rules);
    memcpy(hall.materials, rules, sizeof(rules));
    project.name = CP_STR("project");
    project.title = CP_STR("项目");
    project.need_count = COUNT(needs);
    memcpy(project.needs, needs, sizeof(needs));

    app.catalog.halls[0] = &hall;
    app.catalog.hall_count = 1;
}


static int
remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;

    return remove(path);
}


static int
read_keys(void)
{
    char        path[64];
    const char *why;
    unsigned    line;
    FILE       *file;

    snprintf(path, sizeof(path), "%s/keys", folder);
    file = fopen(path, "w");
    if (file == NULL) {
        return -1;
    }
    fputs("1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", file);
    fclose(file);
    chmod(path, 0600);

    app.keys = cp_keyring_read(path, &why, &line);

    return app.keys == NULL ? -1 : 0;
}


static int
start(void **state)
{
    static char store[80];

    (void) state;

    picture_jpeg(&small_jpeg, PICTURE_JPEG);
    picture_png(&small_png, PICTURE_PNG);
    jpeg.len = small_jpeg.len;
    png.len = small_png.len;

    if (mkdtemp(folder) == NULL || read_keys() != 0 || database_start(true) != 0
        || fake_inspector_start(folder) != 0)
    {
        return -1;
    }

    snprintf(store, sizeof(store), "%s/store", folder);
    if (mkdir(store, 0700) != 0) {
        return -1;
    }

    app.store.folder = cp_str(store);
    app.db = database;
    app.inspector.socket = fake_inspector.path;
    app.inspector.timeout_ms = 10000;
    app.inspection = cp_inspect_defaults;
    set_up_hall();

    return 0;
}


static int
stop(void **state)
{
    (void) state;

    fake_inspector_stop();
    cp_keyring_free(app.keys);

    return database_stop() != 0 ? -1 : nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}


/* This thread's connection again for the call, whose results go into its arena. */
static void
give_back(cp_arena_t *arena)
{
    cp_code_t code;

    cp_arena_free(arena);
    if (call.arena != NULL) {
        call.db = cp_db_use(&app.db, call.arena, &code);
    }
}


static int64_t
number(const char *sql)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_code_t   code;
    cp_db_t    *db = cp_db_use(&app.db, arena, &code);
    int64_t     value = -1;

    assert_non_null(db);
    assert_int_equal(cp_db_row(db, sql, ">i", &value), CP_OK);
    give_back(arena);

    return value;
}


static void
script(const char *sql)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_code_t   code;
    cp_db_t    *db = cp_db_use(&app.db, arena, &code);

    assert_non_null(db);
    code = cp_db_script(db, cp_str(sql));
    if (code != CP_OK) {
        fail_msg("%s", cp_db_message(db));
    }
    give_back(arena);
}


static const char *const rows_before[] = {
    "INSERT INTO person (id, id_number_index, id_number_sealed, name_sealed, mobile_sealed, created_at) "
    "VALUES (1, REPEAT('p', 32), '', '', '', 1)",
    "INSERT INTO account (id, public_id, phone_index, phone_sealed, state, created_at, updated_at) "
    "VALUES (1, 'a1', REPEAT('a', 32), '', 'active', 1, 1), (2, 'a2', REPEAT('b', 32), '', 'active', 1, 1)",
};

static const char sql_unit[] =
    "INSERT INTO unit (id, public_id, kind, name, uscc, legal_name_sealed, legal_id_sealed, verified, created_at, "
    "updated_at) VALUES (1, 'u1', 'enterprise', 'unit', '91150100000000000X', ?, ?, 1, 1, 1)";

static const char sql_member[] =
    "INSERT INTO unit_member (unit_id, account_id, role, created_at) VALUES (1, 1, 'agent', 1)";

static const char sql_order[] =
    "INSERT INTO certificate_order (id, no, hall, project, product, service, account_id, unit_id, person_id, "
    "agent_index, state, version, flow, amount_fen, profile, years, sale, created_at, updated_at) VALUES "
    "(1, ?, 'hall', 'project', 'product', 'new', 1, 1, 1, REPEAT('p', 32), 'draft', 1, 'review_first', 100, 'p', 1, "
    "?, 1, 1)";

#define ORDER_NO  "2026010211040512345678"


/* One unit of account 1 with one draft, bought from the hall above. */
static int
open_case(void **state)
{
    cp_product_t product = { .name = CP_STR("product"), .title = CP_STR("product"), .profile = CP_STR("p") };
    cp_str_t     name, id;
    json_t      *sale;
    char        *text;
    size_t       i;

    (void) state;

    for (i = 0; i < COUNT(rows_before); i++) {
        script(rows_before[i]);
    }

    memset(&call, 0, sizeof(call));
    call.app = &app;
    call.arena = cp_arena_new(0);
    call.came_as.account = call.who.account = 1;
    call.came_as.since_ms = test_now_ms;
    call.request_id = CP_STR("request");
    call.client_ip = CP_STR("192.0.2.1");
    assert_int_equal(cp_call_db(&call), CP_OK);

    assert_int_equal(cp_column_seal(app.keys, call.arena, "unit.legal_name", CP_STR("name"), &name), CP_OK);
    assert_int_equal(cp_column_seal(app.keys, call.arena, "unit.legal_id", CP_STR("id"), &id), CP_OK);
    assert_int_equal(cp_db_exec(call.db, sql_unit, "ss", name, id), CP_OK);
    script(sql_member);

    sale = cp_sale_json(&hall, &project, &product);
    text = json_dumps(sale, JSON_COMPACT);
    assert_int_equal(cp_db_exec(call.db, sql_order, "ss", CP_STR(ORDER_NO), cp_str(text)), CP_OK);
    free(text);
    json_decref(sale);

    return 0;
}


static int
close_case(void **state)
{
    static const char *const tables[] = {
        "material", "material_copy", "inspection", "payment", "order_event", "audit", "certificate_order",
        "unit_member", "unit", "account", "person",
    };
    char   sql[64];
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(tables); i++) {
        snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
        script(sql);
    }

    cp_call_end(&call);
    cp_arena_free(call.arena);
    call.arena = NULL;

    return 0;
}


/*
 * Runs an operation on the order and a kind; the status of the answer. A new call each time, as in the server, whose
 * memory is out after `allocations` (-1: never).
 */
static int
run_failing(const cp_operation_t *operation, const char *kind, long allocations)
{
    cp_call_end(&call);
    cp_arena_free(call.arena);
    call.arena = cp_arena_new(0);
    assert_non_null(call.arena);

    call.db = NULL;
    call.operation = operation;
    call.params[0] = CP_STR(ORDER_NO);
    call.params[1] = cp_str(kind);

    cp_arena_fail_after(call.arena, allocations);
    cp_api_run(&call);
    cp_arena_fail_after(call.arena, -1);

    return call.status;
}


static int
run(const cp_operation_t *operation, const char *kind)
{
    return run_failing(operation, kind, -1);
}


static int
send_body(const char *kind, const char *type, cp_str_t body)
{
    cp_gate_head_t head = { .content_type = cp_str(type), .length = (int64_t) body.len };
    cp_code_t      code;
    cp_upload_t   *upload = cp_upload_open(&app, &widest, CP_GATE_RAW, &head, &code);
    int            status;

    assert_non_null(upload);
    assert_int_equal(cp_upload_write(upload, body.data, body.len), CP_OK);
    assert_int_equal(cp_upload_finish(upload), CP_OK);

    call.upload = upload;
    status = run(&put, kind);
    call.upload = NULL;
    cp_upload_close(upload);

    return status;
}


static int
upload_jpeg(const char *kind)
{
    return send_body(kind, "image/jpeg", jpeg);
}


/* The same with bytes that were never there. */
static int
upload_another(const char *kind)
{
    static uint32_t count;

    picture_t picture = small_jpeg;

    picture_big(&picture, ++count, sizeof(count));

    return send_body(kind, "image/jpeg", cp_str_n(picture.bytes, picture.len));
}


static int files_found;

static int
count_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) path;
    (void) st;
    (void) ftw;
    files_found += flag == FTW_F;

    return 0;
}


static int
files(void)
{
    files_found = 0;
    nftw(app.store.folder.data, count_file, 8, FTW_PHYS);

    return files_found;
}


static const char *
text_of(const char *name)
{
    return json_string_value(json_object_get(call.answer, name));
}


static const char *
header(const char *name)
{
    size_t i;

    for (i = 0; i < call.header_count; i++) {
        if (strcmp(call.headers[i].name, name) == 0) {
            return call.headers[i].value.data;
        }
    }

    return NULL;
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


static void
pages(void **state)
{
    static const char *const wrong[] = { "page=0", "page=51", "page=-1", "page=x", "page=", "page=1&page=1", "side=2" };

    cp_str_t document = CP_STR("%PDF-1.7\n1 0 obj\nnull\nendobj\nxref\n0 0\ntrailer\n<<>>\nstartxref\n31\n%%EOF\n");
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


#define CASE(test)  cmocka_unit_test_setup_teardown(test, open_case, close_case)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(upload_and_read_back), CASE(refused),         CASE(others_materials), CASE(replace_and_remove),
        CASE(same_bytes),           CASE(quotas),          CASE(rejected_by_review), CASE(viewed_by_staff),
        CASE(inspected),            CASE(refused_before),  CASE(copies_later),     CASE(told_of_the_scan),
        CASE(pages),                CASE(damaged_file),    CASE(nothing_half_done),
        CASE(out_of_memory),        CASE(sweep),           CASE(templates),
    };

    return database_is_there() ? cmocka_run_group_tests(tests, start, stop) : 0;
}
