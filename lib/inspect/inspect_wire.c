#include "inspect/inspect_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "catalog/catalog.h"

#define HINTS  (CP_HINT_DARK | CP_HINT_BLURRED | CP_HINT_SMALL | CP_HINT_STAMP | CP_HINT_LANDSCAPE)

typedef union {
    struct cmsghdr  head;
    char            space[CMSG_SPACE(CP_WIRE_FDS * sizeof(int))];
} control_t;


bool
cp_wire_request_is_sound(const cp_wire_request_t *request)
{
    uint32_t types = CP_TYPE_JPEG | CP_TYPE_PNG | CP_TYPE_BMP | CP_TYPE_GIF | CP_TYPE_PDF;

    return request->version == CP_WIRE_VERSION && (request->type & ~types) == 0
           && __builtin_popcount(request->type) == 1
           && request->max_pixels >= 1 && request->max_pages >= 1 && request->max_pages <= CP_INSPECT_PAGES
           && request->thumbnail >= 16 && request->thumbnail <= 1024
           && request->quality >= 50 && request->quality <= 100
           && memchr(request->mark, '\0', sizeof(request->mark)) != NULL
           && (request->mark[0] == '\0' || (request->type & (CP_TYPE_JPEG | CP_TYPE_PNG)) != 0);
}


/* The parts lie behind each other: the copy or the first page, the thumbnail, further pages. */
static bool
part_is_sound(const cp_wire_part_t *part, uint32_t *at)
{
    if (part->size == 0) {
        return false;
    }
    if (part->offset != *at || part->size > CP_INSPECT_OUTPUT_MAX - *at || part->width == 0 || part->height == 0) {
        return false;
    }

    *at += part->size;

    return true;
}


bool
cp_wire_reply_is_sound(const cp_wire_request_t *request, const cp_wire_reply_t *reply)
{
    uint32_t at = 0, i;

    if (reply->version != CP_WIRE_VERSION) {
        return false;
    }
    if (reply->reason != CP_INSPECT_OK) {
        return reply->reason < CP_INSPECT_END || reply->reason == CP_WIRE_BUSY;
    }

    if (reply->width == 0 || reply->height == 0 || reply->orientation < 1 || reply->orientation > 8
        || (reply->hints & ~HINTS) != 0 || (uint64_t) reply->width * reply->height > request->max_pixels)
    {
        return false;
    }

    if (request->mark[0] != '\0') {
        return reply->page_count == 0 && part_is_sound(&reply->copy, &at) && reply->thumbnail.size == 0
               && at == reply->size;
    }
    if (request->type != CP_TYPE_PDF) {
        return reply->page_count == 0 && part_is_sound(&reply->copy, &at) && part_is_sound(&reply->thumbnail, &at)
               && at == reply->size;
    }

    if (reply->page_count == 0 || reply->page_count > request->max_pages || reply->copy.size != 0) {
        return false;
    }
    for (i = 0; i < reply->page_count; i++) {
        if (!part_is_sound(&reply->pages[i], &at) || (i == 0 && !part_is_sound(&reply->thumbnail, &at))) {
            return false;
        }
    }

    return at == reply->size;
}


bool
cp_wire_send(int fd, const void *message, size_t size, const int *fds, size_t count)
{
    struct iovec  part = { (void *) (uintptr_t) message, size };
    control_t     control;
    struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1 };
    ssize_t       sent;

    if (count != 0) {
        memset(&control, 0, sizeof(control));
        head.msg_control = &control;
        head.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
    }

    do {
        sent = sendmsg(fd, &head, MSG_NOSIGNAL);
    } while (sent == -1 && errno == EINTR);

    return sent == (ssize_t) size;
}


/* Takes the descriptors out of a message; closes those that are too many. */
static size_t
take_descriptors(struct msghdr *head, int *fds, size_t most)
{
    struct cmsghdr *at;
    size_t          count = 0, i, n;
    int             fd;

    for (at = CMSG_FIRSTHDR(head); at != NULL; at = CMSG_NXTHDR(head, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        n = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (i = 0; i < n; i++) {
            memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(int));
            if (count < most) {
                fds[count] = fd;
            } else {
                close(fd);
            }
            count++;
        }
    }

    return count;
}


bool
cp_wire_receive(int fd, void *message, size_t size, int *fds, size_t count)
{
    struct iovec  part = { message, size };
    control_t     control;
    struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                           .msg_controllen = sizeof(control) };
    int           taken[CP_WIRE_FDS];
    size_t        got, i;
    ssize_t       received;

    do {
        received = recvmsg(fd, &head, MSG_CMSG_CLOEXEC);
    } while (received == -1 && errno == EINTR);

    if (received == -1) {
        return false;
    }

    got = take_descriptors(&head, taken, CP_WIRE_FDS);
    if (received == (ssize_t) size && got == count && (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
        for (i = 0; i < count; i++) {
            fds[i] = taken[i];
        }
        return true;
    }

    for (i = 0; i < got && i < CP_WIRE_FDS; i++) {
        close(taken[i]);
    }
    errno = received == 0 ? ECONNRESET : EPROTO;

    return false;
}


int64_t
cp_wire_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
