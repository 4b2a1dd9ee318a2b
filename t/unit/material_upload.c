/* Uploads into a store of their own: what goes in comes out, and nothing else opens. */
#include "seams.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "folder.h"
#include "keyring.h"
#include "material/material.h"
#include "pictures.h"
#include "store/store.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define MIB           (1024u * 1024u)

static char       folder[] = "/tmp/caportal-material-XXXXXX";
static cp_app_t   app;
static cp_call_t  call;

static const cp_gate_limits_t limits = {
    .types = CP_TYPE_JPEG | CP_TYPE_PNG | CP_TYPE_BMP,
    .max_size = MIB,
    .max_pixels = 40000000,
};


static int
start(void **state)
{
    (void) state;

    app.keys = keyring_start();
    if (app.keys == NULL || mkdtemp(folder) == NULL) {
        return -1;
    }

    app.store.folder = cp_str(folder);
    call.app = &app;

    return 0;
}


static int
stop(void **state)
{
    (void) state;

    cp_keyring_free(app.keys);

    return folder_remove(folder);
}


static int
open_arena(void **state)
{
    (void) state;
    call.arena = cp_arena_new(0);

    return call.arena == NULL ? -1 : 0;
}


static int
close_arena(void **state)
{
    (void) state;
    cp_arena_free(call.arena);

    return 0;
}


/* A small JPEG with noise behind its end. */
static cp_str_t
sample(size_t size)
{
    unsigned char *bytes = cp_alloc(call.arena, size);
    picture_t      picture;

    picture_jpeg(&picture, PICTURE_JPEG);

    assert_non_null(bytes);
    assert_true(size >= picture.len);
    memcpy(bytes, picture.bytes, picture.len);
    if (size > picture.len) {
        cp_random(bytes + picture.len, size - picture.len);
    }

    return cp_str_n(bytes, size);
}


/* Files in the store's folder for temporary ones. */
static int
temporaries(void)
{
    char           path[64];
    DIR           *dir;
    struct dirent *entry;
    int            n = 0;

    snprintf(path, sizeof(path), "%s/tmp", folder);
    dir = opendir(path);
    if (dir == NULL) {
        return 0;
    }

    while ((entry = readdir(dir)) != NULL) {
        n += entry->d_name[0] != '.';
    }
    closedir(dir);

    return n;
}


static cp_upload_t *
open_as(const cp_app_t *given, const char *type, int64_t length, cp_code_t *code)
{
    cp_gate_head_t head = { .content_type = cp_str(type), .length = length };

    return cp_upload_open(given, &limits, CP_GATE_RAW, &head, code);
}


static void
refused_as(const cp_app_t *given, const char *type, int64_t length, cp_code_t expected)
{
    cp_code_t    code;
    cp_upload_t *upload = open_as(given, type, length, &code);

    assert_int_equal(code, expected);
    assert_non_null(upload);
    assert_int_equal(cp_upload_write(upload, "x", 1), expected);
    assert_int_equal(cp_upload_finish(upload), expected);
    cp_upload_close(upload);
}


static cp_upload_t *
opened(void)
{
    cp_code_t    code;
    cp_upload_t *upload = open_as(&app, "image/jpeg", -1, &code);

    assert_non_null(upload);
    assert_int_equal(code, CP_OK);

    return upload;
}


/* Writes in slices of 1 to `most` bytes; what the first refusal was. */
static cp_code_t
write_slices(cp_upload_t *upload, cp_str_t bytes, size_t most)
{
    size_t    at = 0, n;
    cp_code_t code = CP_OK;

    while (code == CP_OK && at < bytes.len) {
        cp_random(&n, sizeof(n));
        n = 1 + n % most;
        if (n > bytes.len - at) {
            n = bytes.len - at;
        }
        code = cp_upload_write(upload, bytes.data + at, n);
        at += n;
    }

    return code;
}


static void
store(cp_str_t bytes, cp_stored_t *stored)
{
    cp_upload_t *upload = opened();

    assert_int_equal(write_slices(upload, bytes, 70000), CP_OK);
    assert_int_equal(cp_upload_finish(upload), CP_OK);
    assert_int_equal(cp_upload_keep(&call, upload, stored), CP_OK);
    cp_upload_close(upload);
}


static const char *
path_of(const cp_stored_t *stored)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%.2s/%s", folder, stored->file.data, stored->file.data);

    return path;
}


static cp_str_t
load(const char *path)
{
    struct stat st;
    FILE       *file = fopen(path, "r");
    char       *bytes;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &st), 0);
    bytes = cp_alloc(call.arena, (size_t) st.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t) st.st_size, file), st.st_size);
    fclose(file);

    return cp_str_n(bytes, (size_t) st.st_size);
}


static void
save(const char *path, cp_str_t bytes)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    fclose(file);
}


static void
round_trip(void **state)
{
    static const struct { size_t size, most; } rows[] = {
        { 200, 1 },     { 200, 11 },      { 200, 12 },        { 200, 13 },   { 201, 200 },   { 65535, 65536 },
        { 65536, 777 }, { 65537, 65537 }, { 131072, 131072 }, { 131073, 1 }, { 200000, 999 }, { MIB, 300000 },
        { MIB, MIB },
    };
    unsigned char digest[CP_SHA256_SIZE];
    size_t        i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        cp_str_t     bytes = sample(rows[i].size), back;
        cp_stored_t  stored, again;
        cp_upload_t *upload = opened();

        assert_int_equal(write_slices(upload, bytes, rows[i].most), CP_OK);
        assert_int_equal(cp_upload_finish(upload), CP_OK);
        assert_int_equal(cp_upload_keep(&call, upload, &stored), CP_OK);
        assert_int_equal(cp_upload_keep(&call, upload, &again), CP_OK);
        assert_true(cp_str_eq(stored.file, again.file));
        cp_upload_close(upload);

        assert_int_equal(stored.type, CP_TYPE_JPEG);
        assert_int_equal(stored.size, rows[i].size);
        assert_int_equal(cp_sha256(bytes, digest), CP_OK);
        assert_memory_equal(stored.sha256, digest, sizeof(digest));

        assert_int_equal(cp_stored_read(&call, &again, &back), CP_OK);
        assert_true(cp_str_eq(bytes, back));
        assert_int_equal(temporaries(), 0);
    }
}


static void
the_disk_holds_no_plain_byte(void **state)
{
    cp_str_t    bytes = sample(70000), on_disk;
    cp_stored_t stored;
    struct stat st;

    (void) state;

    store(bytes, &stored);
    on_disk = load(path_of(&stored));

    assert_int_equal(on_disk.len, 16 + 70000 + 2 * 16);
    assert_null(memmem(on_disk.data, on_disk.len, bytes.data, 16));
    assert_null(memmem(on_disk.data, on_disk.len, bytes.data + 66000, 16));

    assert_int_equal(stat(path_of(&stored), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}


static void
refused_at_the_door(void **state)
{
    static const struct { const char *type; int64_t length; cp_code_t code; } rows[] = {
        { "image/gif", -1, CP_E_MEDIA_TYPE },
        { "application/pdf", 10, CP_E_MEDIA_TYPE },
        { "text/html", 10, CP_E_MEDIA_TYPE },
        { "", 10, CP_E_MEDIA_TYPE },
        { NULL, 10, CP_E_MEDIA_TYPE },
        { "image/jpeg", MIB + 1, CP_E_TOO_LARGE },
        { "image/jpeg", INT64_MAX, CP_E_TOO_LARGE },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        refused_as(&app, rows[i].type, rows[i].length, rows[i].code);
    }
    assert_int_equal(temporaries(), 0);
}


/* What a body's first bytes must be for its declared type; each is also sent byte by byte. */
static void
format(void **state)
{
    static const struct { const char *type, *body; cp_code_t write, finish; } rows[] = {
        { "image/jpeg", "\xff\xd8\xff\xe0 and eight more", CP_OK, CP_E_BAD_FILE },
        { "image/JPG; q=1", "\xff\xd8\xff\xe0 and eight more", CP_OK, CP_E_BAD_FILE },
        { "image/png", "\x89PNG\r\n\x1a\n and more", CP_E_BAD_FILE, CP_E_BAD_FILE },
        { "image/bmp", "BM", CP_OK, CP_E_BAD_FILE },
        { "image/jpeg", "\x89PNG\r\n\x1a\n and more", CP_E_MEDIA_TYPE, CP_E_MEDIA_TYPE },
        { "image/png", "\xff\xd8\xff\xe0 and eight more", CP_E_MEDIA_TYPE, CP_E_MEDIA_TYPE },
        { "image/jpeg", "<html><script>", CP_E_MEDIA_TYPE, CP_E_MEDIA_TYPE },
        { "image/png", "%PDF-1.7 and more", CP_E_MEDIA_TYPE, CP_E_MEDIA_TYPE },
        { "image/png", "\x89PNG", CP_OK, CP_E_MEDIA_TYPE },
        { "image/jpeg", "x", CP_OK, CP_E_MEDIA_TYPE },
        { "image/jpeg", "", CP_OK, CP_E_INVALID },
    };
    cp_upload_t *upload;
    cp_code_t    code;
    cp_stored_t  stored;
    size_t       i, most;

    (void) state;

    for (i = 0; i < 2 * COUNT(rows); i++) {
        most = i % 2 == 0 ? 1 : 100;
        upload = open_as(&app, rows[i / 2].type, -1, &code);
        assert_non_null(upload);
        assert_int_equal(write_slices(upload, cp_str(rows[i / 2].body), most), rows[i / 2].write);
        assert_int_equal(cp_upload_finish(upload), rows[i / 2].finish);
        if (rows[i / 2].finish != CP_OK) {
            assert_int_equal(cp_upload_keep(&call, upload, &stored), CP_E_INTERNAL);
        }
        cp_upload_close(upload);
        assert_int_equal(temporaries(), 0);
    }
}


/* Whole files pass; a broken one is refused at the byte that tells, and the problem document says why. */
static void
structure(void **state)
{
    static const struct { const char *type, *parts; cp_code_t write, finish; const char *reason; } rows[] = {
        { "image/jpeg", PICTURE_JPEG, CP_OK, CP_OK, NULL },
        { "image/png", PICTURE_PNG, CP_OK, CP_OK, NULL },
        { "image/png", "HxE", CP_E_BAD_FILE, CP_E_BAD_FILE, "checksum" },
        { "image/png", "HD", CP_OK, CP_E_BAD_FILE, "truncated" },
        { "image/png", "b", CP_E_BAD_FILE, CP_E_BAD_FILE, "too_many_pixels" },
        { "image/jpeg", "SQFhHs.", CP_OK, CP_E_BAD_FILE, "truncated" },
        { "image/jpeg", "SQb", CP_E_BAD_FILE, CP_E_BAD_FILE, "too_many_pixels" },
        { "image/jpeg", "SCQl", CP_E_BAD_FILE, CP_E_BAD_FILE, "unsupported" },
    };
    cp_call_t    refused = { .app = &app };
    cp_upload_t *upload;
    cp_code_t    code;
    picture_t    picture;
    size_t       i;

    (void) state;

    for (i = 0; i < 2 * COUNT(rows); i++) {
        (rows[i / 2].type[6] == 'p' ? picture_png : picture_jpeg)(&picture, rows[i / 2].parts);
        upload = open_as(&app, rows[i / 2].type, -1, &code);
        assert_non_null(upload);

        code = write_slices(upload, cp_str_n(picture.bytes, picture.len), i % 2 == 0 ? 1 : sizeof(picture.bytes));
        assert_int_equal(code, rows[i / 2].write);
        assert_int_equal(cp_upload_finish(upload), rows[i / 2].finish);

        refused.upload = upload;
        cp_upload_explain(&refused);
        if (rows[i / 2].reason == NULL) {
            assert_null(refused.members);
        } else {
            assert_string_equal(json_string_value(json_object_get(refused.members, "reason")), rows[i / 2].reason);
        }
        json_decref(refused.members);
        refused.members = NULL;

        cp_upload_close(upload);
        assert_int_equal(temporaries(), 0);
    }
}


static void
limit(void **state)
{
    static const size_t slices[] = { 1000, 70000, 2 * MIB };

    size_t i;

    (void) state;

    for (i = 0; i < COUNT(slices); i++) {
        cp_upload_t *upload = opened();

        assert_int_equal(write_slices(upload, sample(MIB), slices[i]), CP_OK);
        assert_int_equal(cp_upload_write(upload, "", 0), CP_OK);
        assert_int_equal(cp_upload_write(upload, "x", 1), CP_E_TOO_LARGE);
        assert_int_equal(cp_upload_write(upload, "", 0), CP_E_TOO_LARGE);
        assert_int_equal(cp_upload_finish(upload), CP_E_TOO_LARGE);
        cp_upload_close(upload);
    }
    assert_int_equal(temporaries(), 0);
}


static void
narrower_limits(void **state)
{
    static const struct { cp_gate_limits_t limits; cp_code_t code; const char *reason; } rows[] = {
        { { .types = CP_TYPE_JPEG | CP_TYPE_PDF, .max_size = 1000 }, CP_OK, NULL },
        { { .types = CP_TYPE_JPEG, .max_size = 1000, .max_pixels = 256, .max_pages = 1 }, CP_OK, NULL },
        { { .types = CP_TYPE_JPEG, .max_size = 999 }, CP_E_TOO_LARGE, NULL },
        { { .types = CP_TYPE_PNG | CP_TYPE_PDF, .max_size = 1000 }, CP_E_MEDIA_TYPE, NULL },
        { { .types = CP_TYPE_JPEG, .max_size = 1000, .max_pixels = 255 }, CP_E_BAD_FILE, "too_many_pixels" },
    };
    cp_call_t narrowed = { .app = &app };
    json_t   *reason;
    size_t    i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        narrowed.upload = opened();
        assert_int_equal(cp_upload_write(narrowed.upload, sample(1000).data, 1000), CP_OK);
        assert_int_equal(cp_upload_finish(narrowed.upload), CP_OK);
        assert_int_equal(cp_upload_narrow(&narrowed, &rows[i].limits), rows[i].code);

        reason = json_object_get(narrowed.members, "reason");
        if (rows[i].reason == NULL) {
            assert_null(reason);
        } else {
            assert_string_equal(json_string_value(reason), rows[i].reason);
        }
        json_decref(narrowed.members);
        narrowed.members = NULL;
        cp_upload_close(narrowed.upload);
    }
}


static void
closed_without_keeping(void **state)
{
    cp_upload_t *upload = opened();

    (void) state;

    assert_int_equal(temporaries(), 1);
    assert_int_equal(cp_upload_write(upload, sample(100000).data, 100000), CP_OK);
    assert_int_equal(cp_upload_finish(upload), CP_OK);
    cp_upload_close(upload);
    assert_int_equal(temporaries(), 0);

    cp_upload_close(NULL);
}


static void
assert_refused(const cp_stored_t *stored)
{
    cp_str_t back;

    assert_int_equal(cp_stored_read(&call, stored, &back), CP_E_INTERNAL);
    assert_null(back.data);
}


static void
a_changed_byte(void **state)
{
    /* head, first chunk, its tag, second chunk, its tag */
    static const size_t at[] = { 0, 8, 15, 16, 17, 40000, 65551, 65552, 65567, 65568, 65569, 70000, 70047 };

    cp_stored_t stored;
    cp_str_t    file;
    size_t      i;

    (void) state;

    store(sample(70000), &stored);
    file = load(path_of(&stored));
    assert_int_equal(file.len, 70048);

    for (i = 0; i < COUNT(at); i++) {
        file.data[at[i]] = (char) (file.data[at[i]] ^ 1 << i % 8);
        save(path_of(&stored), file);
        assert_refused(&stored);
        file.data[at[i]] = (char) (file.data[at[i]] ^ 1 << i % 8);
    }
}


/* Chunks on disk begin at 16 and are 65552 bytes long. */
static void
rearranged(void **state)
{
    static const size_t whole = 65552;

    cp_stored_t stored, claimed;
    cp_str_t    bytes, file, other;
    char       *first, *second, *swap;

    (void) state;

    store(sample(3 * 65536), &stored);
    file = load(path_of(&stored));

    swap = cp_alloc(call.arena, whole);
    assert_non_null(swap);
    first = file.data + 16;
    second = first + whole;
    memcpy(swap, first, whole);
    memcpy(first, second, whole);
    memcpy(second, swap, whole);
    save(path_of(&stored), file);
    assert_refused(&stored);

    /* the first chunk twice */
    memcpy(first, swap, whole);
    memcpy(second, swap, whole);
    save(path_of(&stored), file);
    assert_refused(&stored);

    /* a chunk of another file at the same place */
    store(sample(3 * 65536), &stored);
    other = load(path_of(&stored));
    memcpy(other.data + 16, swap, whole);
    save(path_of(&stored), other);
    assert_refused(&stored);

    /* cut after the second chunk, the row's size and digest following: only the mark of the last chunk tells */
    bytes = sample(3 * 65536);
    store(bytes, &stored);
    other = load(path_of(&stored));
    claimed = stored;
    claimed.size = 2 * 65536;
    assert_int_equal(cp_sha256(cp_str_n(bytes.data, 2 * 65536), claimed.sha256), CP_OK);
    save(path_of(&stored), cp_str_n(other.data, 16 + 2 * whole));
    assert_refused(&claimed);
    assert_refused(&stored);
}


static void
wrong_length_or_key(void **state)
{
    cp_stored_t stored, claimed, other;
    cp_str_t    file, back;

    (void) state;

    store(sample(1000), &stored);
    store(sample(1000), &other);
    file = load(path_of(&stored));

    save(path_of(&stored), cp_str_n(file.data, file.len - 1));
    assert_refused(&stored);
    save(path_of(&stored), cp_str_n(file.data, 16));
    assert_refused(&stored);
    save(path_of(&stored), CP_STR(""));
    assert_refused(&stored);
    save(path_of(&stored), cp_str_n(file.data, file.len + 1));
    assert_refused(&stored);

    save(path_of(&stored), file);
    assert_int_equal(cp_stored_read(&call, &stored, &back), CP_OK);

    claimed = stored;
    claimed.wrapped_key = other.wrapped_key;
    assert_refused(&claimed);
    claimed = stored;
    claimed.sha256[31] ^= 1;
    assert_refused(&claimed);
    claimed = stored;
    claimed.size = 0;
    assert_refused(&claimed);
    claimed = stored;
    claimed.file = CP_STR("../../../../../../../etc/shadow.");
    assert_refused(&claimed);
}


static void
removed(void **state)
{
    cp_stored_t stored;

    (void) state;

    store(sample(1000), &stored);
    cp_stored_remove(&call, stored.file);
    assert_int_equal(access(path_of(&stored), F_OK), -1);
    cp_stored_remove(&call, stored.file);
    assert_refused(&stored);
}


static void
no_store(void **state)
{
    cp_app_t nowhere = app;

    (void) state;

    nowhere.store.folder = CP_STR("/nonexistent/caportal");
    refused_as(&nowhere, "image/jpeg", -1, CP_E_STORE);

    nowhere.store.folder = CP_STR_NULL;
    refused_as(&nowhere, "image/jpeg", -1, CP_E_STORE);
}


/* What the operator hears and the client gets for a step that failed. */
static void
failed_step(void **state)
{
    static const struct { int number; cp_code_t code; } rows[] = {
        { ENOSPC, CP_E_STORE_FULL }, { EDQUOT, CP_E_STORE_FULL }, { EIO, CP_E_STORE }, { EACCES, CP_E_STORE },
        { EROFS, CP_E_STORE },       { ENOENT, CP_E_STORE },
    };
    size_t i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        errno = rows[i].number;
        assert_int_equal(cp_store_failed("writing"), rows[i].code);
    }
}


#define CASE(test)  cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(round_trip),     CASE(the_disk_holds_no_plain_byte), CASE(refused_at_the_door),
        CASE(format),         CASE(limit),                        CASE(narrower_limits),
        CASE(removed),        CASE(closed_without_keeping),       CASE(a_changed_byte),
        CASE(rearranged),     CASE(wrong_length_or_key),          CASE(no_store),
        CASE(failed_step),    CASE(structure),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
