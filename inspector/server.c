#include "server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"

#define EVENTS  (2 + CLIENTS + CHILDREN)


static bool
clients_left(const server_t *server)
{
    int i;

    for (i = 0; i < CLIENTS; i++) {
        if (server->clients[i].state != CLIENT_NONE) {
            return true;
        }
    }

    return false;
}


static bool
has_room(const server_t *server)
{
    int i;

    for (i = 0; i < CLIENTS; i++) {
        if (server->clients[i].state == CLIENT_NONE) {
            return true;
        }
    }

    return false;
}


/* Those that are stopping take what has been asked, and no more. */
static void
stop(server_t *server)
{
    server->stopping = true;
    close(server->listener);
    server->listener = -1;
}


static void
read_signals(server_t *server)
{
    struct signalfd_siginfo info;

    while (read(server->signals, &info, sizeof(info)) == (ssize_t) sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            child_reap(server);
        } else if (!server->stopping) {
            stop(server);
        }
    }
}


static void
expire(server_t *server)
{
    int64_t now_ms = cp_wire_now_ms();
    int     i;

    for (i = 0; i < CLIENTS; i++) {
        client_t *client = &server->clients[i];

        if (client->state == CLIENT_NEW && now_ms >= client->deadline_ms) {
            client_drop(client);
        }
    }

    child_expire(server, now_ms);
}


static void
sooner(int64_t *wait_ms, int64_t at_ms, int64_t now_ms)
{
    int64_t left = at_ms - now_ms;

    left = left < 0 ? 0 : left;
    if (left < *wait_ms) {
        *wait_ms = left;
    }
}


/* Until the next deadline; a minute when there is none. */
static int
patience(const server_t *server)
{
    int64_t now_ms = cp_wire_now_ms(), wait_ms = 60000;
    int     i;

    for (i = 0; i < CLIENTS; i++) {
        if (server->clients[i].state == CLIENT_NEW) {
            sooner(&wait_ms, server->clients[i].deadline_ms, now_ms);
        }
    }
    for (i = 0; i < CHILDREN; i++) {
        if (server->children[i].state != CHILD_NONE && server->children[i].state != CHILD_READY) {
            sooner(&wait_ms, server->children[i].deadline_ms, now_ms);
        }
    }
    if (server->fork_ms > now_ms) {
        sooner(&wait_ms, server->fork_ms, now_ms);
    }

    return (int) wait_ms;
}


static void
add_event(struct pollfd *events, void **owners, nfds_t *n, int fd, void *owner)
{
    owners[*n] = owner;
    events[(*n)++] = (struct pollfd) { .fd = fd, .events = POLLIN };
}


/* Waits for the next events and lets each one's owner act. */
static void
turn(server_t *server)
{
    struct pollfd events[EVENTS];
    void         *owners[EVENTS];
    nfds_t        n = 0, first_child, i;
    int           k;

    add_event(events, owners, &n, server->signals, NULL);
    add_event(events, owners, &n, has_room(server) ? server->listener : -1, NULL);
    for (k = 0; k < CLIENTS; k++) {
        if (server->clients[k].state != CLIENT_NONE) {
            add_event(events, owners, &n, server->clients[k].fd, &server->clients[k]);
        }
    }
    first_child = n;
    for (k = 0; k < CHILDREN; k++) {
        if (server->children[k].state == CHILD_STARTS || server->children[k].state == CHILD_WORKS) {
            add_event(events, owners, &n, server->children[k].fd, &server->children[k]);
        }
    }

    if (poll(events, n, patience(server)) <= 0) {
        return;
    }

    /* Children first: an answer that is there is given. A client may have its answer, and be gone, by then. */
    for (i = first_child; i < n; i++) {
        if (events[i].revents != 0) {
            child_read(server, owners[i]);
        }
    }
    for (i = 2; i < first_child; i++) {
        client_t *client = owners[i];

        if (events[i].revents != 0 && client->state != CLIENT_NONE) {
            client_read(server, client);
        }
    }
    if (events[0].revents != 0) {
        read_signals(server);
    }
    if (events[1].revents != 0 && server->listener != -1) {
        client_accept(server);
    }
}


static int
catch_signals(void)
{
    sigset_t caught;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);

    sigemptyset(&caught);
    sigaddset(&caught, SIGCHLD);
    sigaddset(&caught, SIGTERM);
    sigaddset(&caught, SIGINT);
    sigaddset(&caught, SIGQUIT);
    if (sigprocmask(SIG_BLOCK, &caught, NULL) != 0) {
        return -1;
    }

    return signalfd(-1, &caught, SFD_NONBLOCK | SFD_CLOEXEC);
}


static bool
is_ready(const server_t *server)
{
    int i;

    for (i = 0; i < CHILDREN; i++) {
        if (server->children[i].state == CHILD_READY) {
            return true;
        }
    }

    return false;
}


int
inspector_serve(const inspector_conf_t *conf, const cp_cage_t *cage, int listener, int null)
{
    server_t *server = calloc(1, sizeof(*server));
    bool      said = false;

    if (server == NULL) {
        return 1;
    }
    server->conf = conf;
    server->cage = cage;
    server->listener = listener;
    server->null = null;
    server->signals = catch_signals();
    if (server->signals == -1) {
        cp_log(CP_LOG_ALERT, "cannot catch signals: %s", strerrordesc_np(errno));
        free(server);
        return 1;
    }

    while (!server->stopping || clients_left(server)) {
        /* The file first, then a successor for the child that has it. */
        child_dispatch(server);
        if (!child_fill(server) && !said) {
            free(server);
            return 1;
        }
        turn(server);
        expire(server);
        if (!said && is_ready(server)) {
            cp_log(CP_LOG_NOTICE, "caportal-inspector starts");
            said = true;
        }
    }

    child_dismiss(server);
    cp_log(CP_LOG_NOTICE, "caportal-inspector stops");
    free(server);

    return 0;
}
