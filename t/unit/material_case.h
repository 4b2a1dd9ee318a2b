/*
 * What the operations on materials are tried with: a hall, an order, a store of their own, the real database, a fake
 * inspector; each case begins and ends with nothing of another.
 */
#ifndef T_MATERIAL_CASE_H
#define T_MATERIAL_CASE_H

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
#include "folder.h"
#include "inspector_fake.h"
#include "keyring.h"
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
start(void **state)
{
    static char store[80];

    (void) state;

    picture_jpeg(&small_jpeg, PICTURE_JPEG);
    picture_png(&small_png, PICTURE_PNG);
    jpeg.len = small_jpeg.len;
    png.len = small_png.len;

    app.keys = keyring_start();
    if (app.keys == NULL || mkdtemp(folder) == NULL || database_start(true) != 0 || fake_inspector_start(folder) != 0) {
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

    return database_stop() != 0 ? -1 : folder_remove(folder);
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


#define CASE(test)  cmocka_unit_test_setup_teardown(test, open_case, close_case)

#endif
