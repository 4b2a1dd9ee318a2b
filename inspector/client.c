#include "server.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define ASK_MS  5000      /* a client that has connected asks at once */
#define SEALS   (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)


static void
close_files(client_t *client)
{
    size_t i;

    for (i = 0; i < CP_WIRE_FDS; i++) {
        if (client->files[i] != -1) {
            close(client->files[i]);
            client->files[i] = -1;
        }
    }
}


void
client_drop(client_t *client)
{
    close_files(client);
    close(client->fd);
    client->state = CLIENT_NONE;
}


void
client_answer(client_t *client, const cp_wire_reply_t *reply)
{
    /* One that does not listen any more has no use for it. */
    (void) cp_wire_send(client->fd, reply, sizeof(*reply), NULL, 0);
    client_drop(client);
}


void
client_refuse(client_t *client, uint32_t reason)
{
    cp_wire_reply_t reply;

    memset(&reply, 0, sizeof(reply));
    reply.version = CP_WIRE_VERSION;
    reply.reason = reason;
    client_answer(client, &reply);
}


void
client_accept(server_t *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int i;

    if (fd == -1) {
        return;
    }

    for (i = 0; i < CLIENTS; i++) {
        client_t *client = &server->clients[i];

        if (client->state == CLIENT_NONE) {
            memset(client, 0, sizeof(*client));
            client->state = CLIENT_NEW;
            client->fd = fd;
            client->files[0] = client->files[1] = -1;
            client->deadline_ms = cp_wire_now_ms() + ASK_MS;
            return;
        }
    }

    close(fd);
}


static int64_t
waiting(const server_t *server)
{
    int64_t n = 0;
    int     i;

    for (i = 0; i < CLIENTS; i++) {
        n += server->clients[i].state == CLIENT_WAITS;
    }

    return n;
}


/* The first word is the request; whatever comes later, also the end, means that nobody waits for the answer. */
void
client_read(server_t *server, client_t *client)
{
    if (client->state != CLIENT_NEW) {
        if (client->state == CLIENT_SERVED) {
            child_leave(server, client);
        }
        client_drop(client);
        return;
    }

    if (!cp_wire_receive(client->fd, &client->request, sizeof(client->request), client->files, CP_WIRE_FDS)) {
        client->files[0] = client->files[1] = -1;
        client_drop(client);
        return;
    }

    /* A file that changed or shrank under the decoder would be a fault of the client, not of the file. */
    if (!cp_wire_request_is_sound(&client->request) || (fcntl(client->files[0], F_GET_SEALS) & SEALS) != SEALS) {
        cp_log(CP_LOG_ERROR, "a request is none, or its file is not sealed");
        client_drop(client);
        return;
    }

    if (waiting(server) >= server->conf->queue + server->conf->children) {
        client_refuse(client, CP_WIRE_BUSY);
        return;
    }

    client->state = CLIENT_WAITS;
    client->turn = server->turns++;
}


client_t *
client_next(server_t *server)
{
    client_t *next = NULL;
    int       i;

    for (i = 0; i < CLIENTS; i++) {
        client_t *client = &server->clients[i];

        if (client->state == CLIENT_WAITS && (next == NULL || client->turn < next->turn)) {
            next = client;
        }
    }

    return next;
}
