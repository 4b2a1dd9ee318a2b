#include "inspect/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "inspect/inspect_wire.h"

#define SEALS  (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

const cp_inspect_request_t cp_inspect_defaults = {
    .max_pixels = 40000000,
    .max_pages = 20,
    .thumbnail = 256,
    .quality = 90,
};

#define TEXT_ROW(name, word, zh, en)  { word, zh, en },
static const cp_inspect_text_t texts[] = { CP_INSPECT_REASONS(TEXT_ROW) };
#undef TEXT_ROW


const cp_inspect_text_t *
cp_inspect_text(cp_inspect_reason_t reason)
{
    if (reason <= CP_INSPECT_OK || reason >= CP_INSPECT_END) {
        reason = CP_INSPECT_CRASHED;
    }

    return &texts[reason - 1];
}


/* It cannot be reached, or broke off: what happened, and what the caller does about it. */
static cp_code_t
away(const char *step)
{
    cp_log(CP_LOG_ERROR, "the inspector does not answer: %s: %s", step, strerrordesc_np(errno));

    return CP_E_BUSY;
}


/* Neither side can change a sealed file any more. */
static bool
is_sealed(int fd)
{
    return fcntl(fd, F_ADD_SEALS, SEALS) == 0 || (fcntl(fd, F_GET_SEALS) & SEALS) == SEALS;
}


static int
connect_by(const cp_inspect_conf_t *conf, int64_t deadline_ms)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int64_t            left = deadline_ms - cp_wire_now_ms();
    struct timeval     wait = { left / 1000, left % 1000 * 1000 };
    size_t             length = strlen(conf->socket);
    int                fd;

    if (length >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, conf->socket, length + 1);

    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }

    /* unix(7): a full backlog makes connect() wait, and it keeps to this time-out. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0
        || connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0)
    {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }

    return fd;
}


/* Waits until the reply can be read; false when it is too late, with errno. */
static bool
wait_reply(int fd, int64_t deadline_ms)
{
    struct pollfd event = { .fd = fd, .events = POLLIN };
    int64_t       left;
    int           n;

    do {
        left = deadline_ms - cp_wire_now_ms();
        n = poll(&event, 1, left > 0 ? (int) left : 0);
    } while (n == -1 && errno == EINTR);

    if (n == 0) {
        errno = ETIMEDOUT;
    }

    return n == 1;
}


static cp_code_t
converse(const cp_inspect_conf_t *conf, const cp_wire_request_t *request, const int fds[CP_WIRE_FDS],
         cp_wire_reply_t *reply)
{
    int64_t     deadline_ms = cp_wire_now_ms() + conf->timeout_ms;
    const char *failed = NULL;
    int         error, fd = connect_by(conf, deadline_ms);

    if (fd == -1) {
        return away("connect");
    }

    if (!cp_wire_send(fd, request, sizeof(*request), fds, CP_WIRE_FDS)) {
        failed = "send";
    } else if (!wait_reply(fd, deadline_ms) || !cp_wire_receive(fd, reply, sizeof(*reply), NULL, 0)) {
        failed = "receive";
    }

    error = errno;
    close(fd);
    errno = error;

    return failed == NULL ? CP_OK : away(failed);
}


static const char *
type_of(cp_str_t bytes)
{
    if (cp_str_starts(bytes, "\xff\xd8\xff")) {
        return "image/jpeg";
    }

    return cp_str_starts(bytes, "\x89PNG\r\n\x1a\n") ? "image/png" : NULL;
}


static bool
take_part(const cp_inspection_t *result, const cp_wire_part_t *part, cp_inspect_copy_t *copy)
{
    if (part->size == 0) {
        return true;
    }

    copy->bytes = cp_str_n((char *) result->map + part->offset, part->size);
    copy->type = type_of(copy->bytes);
    copy->width = part->width;
    copy->height = part->height;

    return copy->type != NULL;
}


/* The reply has been checked against the request; here against what was really written. */
static bool
take_parts(int output, const cp_wire_reply_t *reply, cp_inspection_t *result)
{
    struct stat st;
    uint32_t    i;

    if (!is_sealed(output) || fstat(output, &st) != 0 || st.st_size != (off_t) reply->size) {
        return false;
    }

    result->map_size = reply->size;
    result->map = mmap(NULL, result->map_size, PROT_READ, MAP_SHARED, output, 0);
    if (result->map == MAP_FAILED) {
        result->map = NULL;
        return false;
    }

    for (i = 0; i < reply->page_count; i++) {
        if (!take_part(result, &reply->pages[i], &result->pages[i])) {
            return false;
        }
    }

    return take_part(result, &reply->copy, &result->copy) && take_part(result, &reply->thumbnail, &result->thumbnail);
}


static cp_code_t
take_reply(const cp_wire_request_t *request, const cp_wire_reply_t *reply, int output, cp_inspection_t *result)
{
    if (reply->reason == CP_WIRE_BUSY && cp_wire_reply_is_sound(request, reply)) {
        errno = EAGAIN;
        return away("its queue is full");
    }
    if (!cp_wire_reply_is_sound(request, reply)) {
        errno = EPROTO;
        return away("its reply is none");
    }

    if (reply->reason != CP_INSPECT_OK) {
        result->reason = (cp_inspect_reason_t) reply->reason;
        return CP_OK;
    }

    result->width = reply->width;
    result->height = reply->height;
    result->orientation = reply->orientation;
    result->hints = reply->hints;
    result->page_count = reply->page_count;

    /* Copies that are none came from a process that the file took over. */
    if (!take_parts(output, reply, result)) {
        cp_inspection_free(result);
        result->reason = CP_INSPECT_CRASHED;
    }

    return CP_OK;
}


int
cp_inspect_open(void)
{
    return memfd_create("caportal-inspect", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}


cp_code_t
cp_inspect_fd(const cp_inspect_conf_t *conf, const cp_inspect_request_t *request, int fd, cp_inspection_t *result)
{
    cp_wire_request_t wire = {
        .version = CP_WIRE_VERSION,
        .type = request->type,
        .max_pixels = request->max_pixels,
        .max_pages = request->max_pages,
        .thumbnail = request->thumbnail,
        .quality = request->quality,
        .min_edge = request->min_edge,
    };
    cp_wire_reply_t   reply;
    struct stat       st;
    int               fds[CP_WIRE_FDS] = { fd, -1 };
    cp_code_t         code;

    memset(result, 0, sizeof(*result));
    if (request->mark != NULL) {
        snprintf(wire.mark, sizeof(wire.mark), "%s", request->mark);
    }

    if ((request->mark != NULL && strlen(request->mark) >= sizeof(wire.mark)) || !cp_wire_request_is_sound(&wire)
        || !is_sealed(fd) || fstat(fd, &st) != 0 || st.st_size < 1 || st.st_size > CP_INSPECT_INPUT_MAX)
    {
        return CP_E_INTERNAL;
    }

    fds[1] = cp_inspect_open();
    if (fds[1] == -1) {
        return CP_E_NO_MEMORY;
    }

    code = converse(conf, &wire, fds, &reply);
    if (code == CP_OK) {
        code = take_reply(&wire, &reply, fds[1], result);
    }
    close(fds[1]);

    return code;
}


bool
cp_inspect_write(int fd, cp_str_t bytes)
{
    ssize_t n;
    size_t  at;

    for (at = 0; at < bytes.len; at += (size_t) n) {
        n = write(fd, bytes.data + at, bytes.len - at);
        if (n == -1 && errno == EINTR) {
            n = 0;
        }
        if (n == -1) {
            return false;
        }
    }

    return true;
}


cp_code_t
cp_inspect(const cp_inspect_conf_t *conf, const cp_inspect_request_t *request, cp_str_t bytes,
           cp_inspection_t *result)
{
    int       fd = cp_inspect_open();
    cp_code_t code = CP_E_NO_MEMORY;

    memset(result, 0, sizeof(*result));

    if (fd == -1) {
        return CP_E_NO_MEMORY;
    }
    if (cp_inspect_write(fd, bytes)) {
        code = cp_inspect_fd(conf, request, fd, result);
    }
    close(fd);

    return code;
}


void
cp_inspection_free(cp_inspection_t *result)
{
    if (result->map != NULL) {
        munmap(result->map, result->map_size);
    }

    memset(result, 0, sizeof(*result));
}
