/* The library's side of the inspector: reasons, messages, and an inspector that lies. */
#include "seams.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "inspect/inspect_wire.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static const unsigned char jpeg[] = { 0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4 };

static char folder[] = "/tmp/caportal-inspect-XXXXXX";
static char path[64];


static void
reasons(void **state)
{
    int i, j;

    (void) state;

    for (i = CP_INSPECT_OK + 1; i < CP_INSPECT_END; i++) {
        const cp_inspect_text_t *text = cp_inspect_text((cp_inspect_reason_t) i);

        assert_true(strspn(text->word, "abcdefghijklmnopqrstuvwxyz_") == strlen(text->word) && *text->word != '\0');
        assert_true((text->zh[0] & 0x80) != 0 || strncmp(text->zh, "PDF", 3) == 0);
        assert_true(strspn(text->en, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ':,.") == strlen(text->en));
        for (j = CP_INSPECT_OK + 1; j < i; j++) {
            assert_string_not_equal(text->word, cp_inspect_text((cp_inspect_reason_t) j)->word);
        }
    }

    assert_string_equal(cp_inspect_text(CP_INSPECT_OK)->word, "crashed");
    assert_string_equal(cp_inspect_text((cp_inspect_reason_t) 9999)->word, "crashed");
}


static const cp_wire_request_t good_request = {
    .version = CP_WIRE_VERSION, .type = CP_TYPE_JPEG, .max_pixels = 1000, .max_pages = 3, .thumbnail = 256,
    .quality = 90,
};


static void
requests(void **state)
{
    cp_wire_request_t request = good_request;

    (void) state;

    assert_true(cp_wire_request_is_sound(&request));

#define BAD(member, value)                                                                                             \
    request = good_request;                                                                                            \
    request.member = (value);                                                                                          \
    assert_false(cp_wire_request_is_sound(&request))

    BAD(version, CP_WIRE_VERSION + 1);
    BAD(type, 0);
    BAD(type, CP_TYPE_JPEG | CP_TYPE_PNG);
    BAD(type, 0x20);
    BAD(max_pixels, 0);
    BAD(max_pages, 0);
    BAD(max_pages, CP_INSPECT_PAGES + 1);
    BAD(thumbnail, 15);
    BAD(thumbnail, 1025);
    BAD(quality, 49);
    BAD(quality, 101);
#undef BAD

    request = good_request;
    memset(request.mark, 'x', sizeof(request.mark));
    assert_false(cp_wire_request_is_sound(&request));
    request.mark[sizeof(request.mark) - 1] = '\0';
    assert_true(cp_wire_request_is_sound(&request));
    request.type = CP_TYPE_PNG;
    assert_true(cp_wire_request_is_sound(&request));
    request.type = CP_TYPE_PDF;
    assert_false(cp_wire_request_is_sound(&request));
}


static cp_wire_reply_t
picture_reply(void)
{
    cp_wire_reply_t reply;

    memset(&reply, 0, sizeof(reply));
    reply.version = CP_WIRE_VERSION;
    reply.width = 20;
    reply.height = 10;
    reply.orientation = 1;
    reply.size = 2 * sizeof(jpeg);
    reply.copy = (cp_wire_part_t) { 0, sizeof(jpeg), 20, 10 };
    reply.thumbnail = (cp_wire_part_t) { sizeof(jpeg), sizeof(jpeg), 20, 10 };

    return reply;
}


static void
replies(void **state)
{
    cp_wire_reply_t   reply = picture_reply();
    cp_wire_request_t document = good_request;

    (void) state;

    assert_true(cp_wire_reply_is_sound(&good_request, &reply));

#define BAD(member, value)                                                                                             \
    reply = picture_reply();                                                                                           \
    reply.member = (value);                                                                                            \
    assert_false(cp_wire_reply_is_sound(&good_request, &reply))

    BAD(version, 0);
    BAD(reason, CP_INSPECT_END);
    BAD(reason, 0xfffffffe);
    BAD(width, 0);
    BAD(height, 0);
    BAD(width, 101);
    BAD(width, 0xffffffff);
    BAD(orientation, 0);
    BAD(orientation, 9);
    BAD(hints, 0x20);
    BAD(page_count, 1);
    BAD(size, sizeof(jpeg));
    BAD(copy.offset, 1);
    BAD(copy.size, 0);
    BAD(copy.size, 0xffffffff);
    BAD(copy.size, CP_INSPECT_OUTPUT_MAX + 1);
    BAD(copy.width, 0);
    BAD(thumbnail.offset, 0);
    BAD(thumbnail.size, 0);
    BAD(thumbnail.size, 0xfffffffe);
#undef BAD

    /* A marked picture comes alone. */
    document.mark[0] = 'x';
    reply = picture_reply();
    assert_false(cp_wire_reply_is_sound(&document, &reply));
    memset(&reply.thumbnail, 0, sizeof(reply.thumbnail));
    reply.size = reply.copy.size;
    assert_true(cp_wire_reply_is_sound(&document, &reply));
    assert_false(cp_wire_reply_is_sound(&good_request, &reply));
    document = good_request;

    /* A document has pages and no copy; the thumbnail lies behind the first page. */
    document.type = CP_TYPE_PDF;
    reply = picture_reply();
    assert_false(cp_wire_reply_is_sound(&document, &reply));
    reply.pages[0] = reply.copy;
    memset(&reply.copy, 0, sizeof(reply.copy));
    assert_false(cp_wire_reply_is_sound(&document, &reply));
    reply.page_count = 1;
    assert_true(cp_wire_reply_is_sound(&document, &reply));
    reply.page_count = 2;
    assert_false(cp_wire_reply_is_sound(&document, &reply));
    reply.pages[1] = (cp_wire_part_t) { 2 * sizeof(jpeg), 5, 1, 1 };
    assert_false(cp_wire_reply_is_sound(&document, &reply));
    reply.size += 5;
    assert_true(cp_wire_reply_is_sound(&document, &reply));
    reply.page_count = 4;
    assert_false(cp_wire_reply_is_sound(&document, &reply));

    memset(&reply, 0, sizeof(reply));
    reply.version = CP_WIRE_VERSION;
    reply.reason = CP_INSPECT_DAMAGED;
    assert_true(cp_wire_reply_is_sound(&good_request, &reply));
    reply.reason = CP_WIRE_BUSY;
    assert_true(cp_wire_reply_is_sound(&good_request, &reply));
}


/* What an inspector does with the one file that it is asked about. */
typedef struct {
    cp_wire_reply_t       reply;
    const unsigned char  *output;
    size_t                output_size;
    size_t                send;        /* bytes of the reply */
    bool                  maps;        /* keeps a way to change the output afterwards */
    bool                  silent;
    cp_inspect_reason_t   reason;      /* what comes of it */
    cp_code_t             code;
} play_t;

static int              listener = -1;
static pthread_mutex_t  looking = PTHREAD_MUTEX_INITIALIZER;    /* the client at what it got */


static int
stop_listening(void **state)
{
    (void) state;

    if (listener != -1) {
        close(listener);
        listener = -1;
    }
    unlink(path);

    return rmdir(folder);
}


static int
start_listening(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    (void) state;

    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    return bind(listener, (struct sockaddr *) &address, sizeof(address)) == 0 ? listen(listener, 4) : -1;
}


static void *
play(void *data)
{
    const play_t     *as = data;
    cp_wire_request_t request;
    int               fd = accept(listener, NULL, NULL), files[CP_WIRE_FDS];
    void             *map = NULL;
    char              byte;

    if (!cp_wire_receive(fd, &request, sizeof(request), files, CP_WIRE_FDS)) {
        close(fd);
        return NULL;
    }

    if (as->output_size != 0 && write(files[1], as->output, as->output_size) != (ssize_t) as->output_size) {
        abort();
    }
    if (as->maps) {
        map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, files[1], 0);
    }
    if (as->silent) {
        (void) !read(fd, &byte, 1);
    } else {
        (void) cp_wire_send(fd, &as->reply, as->send, NULL, 0);
    }

    pthread_mutex_lock(&looking);
    pthread_mutex_unlock(&looking);
    if (map != NULL) {
        munmap(map, 1);
    }
    close(files[0]);
    close(files[1]);
    close(fd);

    return NULL;
}


static void
see(const play_t *as)
{
    cp_inspect_conf_t    conf = { .socket = path, .timeout_ms = as->silent ? 300 : 30000 };
    cp_inspect_request_t request = cp_inspect_defaults;
    cp_inspection_t      result;
    pthread_t            thread;

    request.type = CP_TYPE_JPEG;
    pthread_mutex_lock(&looking);
    assert_int_equal(pthread_create(&thread, NULL, play, (void *) (uintptr_t) as), 0);
    assert_int_equal(cp_inspect(&conf, &request, CP_STR("a file"), &result), as->code);
    assert_int_equal(result.reason, as->reason);
    if (as->code != CP_OK || as->reason != CP_INSPECT_OK) {
        assert_null(result.map);
        assert_null(result.copy.bytes.data);
    } else {
        assert_int_equal(result.copy.bytes.len, sizeof(jpeg));
        assert_memory_equal(result.thumbnail.bytes.data, jpeg, sizeof(jpeg));
        assert_string_equal(result.copy.type, "image/jpeg");
    }
    cp_inspection_free(&result);
    cp_inspection_free(&result);
    pthread_mutex_unlock(&looking);
    pthread_join(thread, NULL);
}


static void
inspectors(void **state)
{
    static const unsigned char script[] = "<script>alert(1)</script>";

    unsigned char two[2 * sizeof(jpeg)];
    play_t        honest = { .reply = picture_reply(), .output = two, .output_size = sizeof(two),
                             .send = sizeof(cp_wire_reply_t), .reason = CP_INSPECT_OK, .code = CP_OK };
    play_t        as;

    (void) state;

    memcpy(two, jpeg, sizeof(jpeg));
    memcpy(two + sizeof(jpeg), jpeg, sizeof(jpeg));
    see(&honest);

    /* Copies that are no pictures, or fewer or more bytes than said, or that can still be changed. */
    as = honest;
    as.reason = CP_INSPECT_CRASHED;
    as.output = script;
    see(&as);
    as = honest;
    as.reason = CP_INSPECT_CRASHED;
    as.output_size--;
    see(&as);
    as = honest;
    as.reason = CP_INSPECT_CRASHED;
    as.maps = true;
    see(&as);

    /* Replies that are none. */
    as = honest;
    as.code = CP_E_BUSY;
    as.send--;
    see(&as);
    as.send = 0;
    see(&as);
    as = honest;
    as.code = CP_E_BUSY;
    as.reply.hints = 0x80;
    see(&as);
    as = honest;
    as.code = CP_E_BUSY;
    as.silent = true;
    see(&as);

    /* Refusals, and a queue that is full. */
    as = honest;
    as.reply.reason = as.reason = CP_INSPECT_PDF_LAUNCH;
    see(&as);
    as.reply.reason = CP_WIRE_BUSY;
    as.reason = CP_INSPECT_OK;
    as.code = CP_E_BUSY;
    see(&as);
}


static void
callers(void **state)
{
    cp_inspect_conf_t    conf = { .socket = "/nonexistent/socket", .timeout_ms = 100 };
    cp_inspect_request_t request = cp_inspect_defaults;
    cp_inspection_t      result;
    int                  fd;

    (void) state;

    assert_int_equal(cp_inspect(&conf, &request, CP_STR("x"), &result), CP_E_INTERNAL);
    request.type = CP_TYPE_PNG;
    assert_int_equal(cp_inspect(&conf, &request, CP_STR(""), &result), CP_E_INTERNAL);
    assert_int_equal(cp_inspect(&conf, &request, CP_STR("x"), &result), CP_E_BUSY);

    fd = cp_inspect_open();
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(cp_inspect_fd(&conf, &request, fd, &result), CP_E_BUSY);
    assert_int_equal(write(fd, "x", 1), -1);
    close(fd);

    fd = memfd_create("not to be sealed", MFD_CLOEXEC);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(cp_inspect_fd(&conf, &request, fd, &result), CP_E_INTERNAL);
    close(fd);
}


int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons),  cmocka_unit_test(requests), cmocka_unit_test(replies),
        cmocka_unit_test(inspectors), cmocka_unit_test(callers),
    };

    return cmocka_run_group_tests(tests, start_listening, stop_listening);
}
