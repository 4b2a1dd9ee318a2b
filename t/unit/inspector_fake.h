/*
 * An inspector for tests of what is done with its word: a thread that gives each file the copies, or the refusal, that
 * the test has set. What the real one says of files is in t/inspector. Include it after seams.h.
 */
#ifndef T_INSPECTOR_FAKE_H
#define T_INSPECTOR_FAKE_H

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "inspect/inspect_wire.h"

#define FAKE_COPY       "\xff\xd8\xff\xe0 the copy"
#define FAKE_THUMBNAIL  "\xff\xd8\xff\xe0 the thumbnail"
#define FAKE_MARKED     "\xff\xd8\xff\xe0 the copy, marked"
#define FAKE_PAGE       "\xff\xd8\xff\xe0 page "    /* and its number, one digit */

static struct {
    char        path[80];
    int         listener;
    pthread_t   thread;
    uint32_t    reason;       /* cp_inspect_reason_t, or CP_WIRE_BUSY */
    uint32_t    hints;
    uint32_t    pages;        /* of a PDF */
    unsigned    asked;
    char        mark[CP_INSPECT_MARK];    /* of the last file that was to be marked */
} fake_inspector;


static inline void
fake_part(int fd, cp_wire_reply_t *reply, cp_wire_part_t *part, const char *text)
{
    *part = (cp_wire_part_t) { reply->size, (uint32_t) strlen(text), 20, 10 };
    reply->size += part->size;
    assert_int_equal(write(fd, text, part->size), part->size);
}


static inline void
fake_answer(const cp_wire_request_t *request, int fd, cp_wire_reply_t *reply)
{
    char     text[20];
    uint32_t i;

    reply->reason = fake_inspector.reason;
    if (reply->reason != CP_INSPECT_OK) {
        return;
    }

    reply->width = 20;
    reply->height = 10;
    reply->orientation = 1;
    reply->hints = fake_inspector.hints;

    if (request->mark[0] != '\0') {
        memcpy(fake_inspector.mark, request->mark, sizeof(request->mark));
        fake_part(fd, reply, &reply->copy, FAKE_MARKED);
        return;
    }
    if (request->type != CP_TYPE_PDF) {
        fake_part(fd, reply, &reply->copy, FAKE_COPY);
        fake_part(fd, reply, &reply->thumbnail, FAKE_THUMBNAIL);
        return;
    }

    reply->page_count = fake_inspector.pages;
    for (i = 0; i < reply->page_count; i++) {
        snprintf(text, sizeof(text), FAKE_PAGE "%u", (i + 1) % 10);
        fake_part(fd, reply, &reply->pages[i], text);
        if (i == 0) {
            fake_part(fd, reply, &reply->thumbnail, FAKE_THUMBNAIL);
        }
    }
}


static inline void *
fake_serve(void *data)
{
    cp_wire_request_t request;
    cp_wire_reply_t   reply;
    int               fd, files[CP_WIRE_FDS];

    (void) data;

    while ((fd = accept(fake_inspector.listener, NULL, NULL)) != -1) {
        memset(&reply, 0, sizeof(reply));
        reply.version = CP_WIRE_VERSION;
        if (cp_wire_receive(fd, &request, sizeof(request), files, CP_WIRE_FDS)) {
            fake_inspector.asked++;
            fake_answer(&request, files[1], &reply);
            (void) cp_wire_send(fd, &reply, sizeof(reply), NULL, 0);
            close(files[0]);
            close(files[1]);
        }
        close(fd);
    }

    return NULL;
}


static inline int
fake_inspector_start(const char *folder)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(fake_inspector.path, sizeof(fake_inspector.path), "%s/inspector", folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", fake_inspector.path);
    fake_inspector.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    return bind(fake_inspector.listener, (struct sockaddr *) &address, sizeof(address)) == 0
           && listen(fake_inspector.listener, 4) == 0
           && pthread_create(&fake_inspector.thread, NULL, fake_serve, NULL) == 0 ? 0 : -1;
}


static inline void
fake_inspector_stop(void)
{
    shutdown(fake_inspector.listener, SHUT_RDWR);
    pthread_join(fake_inspector.thread, NULL);
    close(fake_inspector.listener);
    unlink(fake_inspector.path);
}

#endif
