/*
 * upload_blind SOCKET: stands in for caportal-inspector without looking: every file is fine at once, with a copy and a
 * thumbnail of a few bytes. What is left of an upload is the portal's own part.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "inspect/inspect_wire.h"

#define THREADS  8
#define COPY     "\xff\xd8\xff\xe0 a copy"


static bool
add(int file, cp_wire_reply_t *reply, cp_wire_part_t *part)
{
    *part = (cp_wire_part_t) { reply->size, sizeof(COPY) - 1, 20, 10 };
    reply->size += part->size;

    return write(file, COPY, part->size) == (ssize_t) part->size;
}


static void
serve_one(int fd)
{
    cp_wire_request_t request;
    cp_wire_reply_t   reply = { .version = CP_WIRE_VERSION, .reason = CP_INSPECT_OK, .width = 20, .height = 10,
                                .orientation = 1 };
    int               files[CP_WIRE_FDS];

    if (!cp_wire_receive(fd, &request, sizeof(request), files, CP_WIRE_FDS)) {
        return;
    }
    if (add(files[1], &reply, &reply.copy) && add(files[1], &reply, &reply.thumbnail)) {
        (void) cp_wire_send(fd, &reply, sizeof(reply), NULL, 0);
    }
    close(files[0]);
    close(files[1]);
}


static void *
serve(void *data)
{
    const int *listener = data;
    int        fd;

    while ((fd = accept(*listener, NULL, NULL)) != -1) {
        serve_one(fd);
        close(fd);
    }

    return NULL;
}


int
main(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    pthread_t          thread;
    int                listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), i;

    if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
        fputs("usage: upload_blind SOCKET\n", stderr);
        return 2;
    }
    strcpy(address.sun_path, argv[1]);

    if (listener == -1 || bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0
        || chmod(argv[1], 0666) != 0 || listen(listener, 64) != 0)
    {
        perror(argv[1]);
        return 1;
    }

    for (i = 1; i < THREADS; i++) {
        if (pthread_create(&thread, NULL, serve, &listener) != 0) {
            perror("a thread");
            return 1;
        }
    }
    serve(&listener);

    return 0;
}
