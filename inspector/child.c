#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "job.h"
#include "resources.h"

#define START_MS    15000     /* to get into the cage */
#define LEAVE_MS    2000      /* from the answer to the end */
#define RETRY_MS    1000      /* after a child that did not get into its cage */
#define FAILURES    3


static int64_t
count(const server_t *server, child_state_t from, child_state_t to)
{
    int64_t n = 0;
    int     i;

    for (i = 0; i < CHILDREN; i++) {
        n += server->children[i].state >= from && server->children[i].state <= to;
    }

    return n;
}


/* In the child: into the cage, a word to the parent, the one file. */
static void
live(const server_t *server, int connection, pid_t parent)
{
    cp_cage_keep_t keep = { .connection = connection, .null = server->null };
    hello_t        hello;
    const char    *failed;

    memset(&hello, 0, sizeof(hello));
    hello.version = CP_WIRE_VERSION;

    cp_resources_range(&keep.first, &keep.last);
    cp_resources_seal();
    failed = cp_cage_enter(server->cage, &keep, parent);
    if (failed != NULL) {
        snprintf(hello.failed, sizeof(hello.failed), "%s: %s", failed, strerrordesc_np(errno));
        (void) cp_wire_send(CP_CAGE_CONNECTION, &hello, sizeof(hello), NULL, 0);
        _exit(1);
    }

    if (!cp_wire_send(CP_CAGE_CONNECTION, &hello, sizeof(hello), NULL, 0)) {
        _exit(1);
    }
    cp_job_run();
}


static bool
start(server_t *server)
{
    child_t *child = server->children;
    pid_t    parent = getpid();
    int      ends[2];

    while (child->state != CHILD_NONE) {
        child++;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return false;
    }

    child->pid = fork();
    if (child->pid == 0) {
        live(server, ends[1], parent);
        _exit(1);
    }
    close(ends[1]);
    if (child->pid == -1) {
        close(ends[0]);
        return false;
    }

    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    child->state = CHILD_STARTS;
    child->fd = ends[0];
    child->client = NULL;
    child->late = false;
    child->deadline_ms = cp_wire_now_ms() + START_MS;

    return true;
}


bool
child_fill(server_t *server)
{
    int64_t now_ms = cp_wire_now_ms();

    while (now_ms >= server->fork_ms && (!server->stopping || client_next(server) != NULL)
           && count(server, CHILD_STARTS, CHILD_READY) < server->conf->children
           && count(server, CHILD_STARTS, CHILD_ENDS) < CHILDREN)
    {
        if (!start(server)) {
            cp_log(CP_LOG_ERROR, "cannot fork: %s", strerrordesc_np(errno));
            server->fork_ms = now_ms + RETRY_MS;
        }
    }

    return server->failures < FAILURES;
}


void
child_dispatch(server_t *server)
{
    client_t *client;
    int       i;

    for (i = 0; i < CHILDREN && count(server, CHILD_WORKS, CHILD_WORKS) < server->conf->children; i++) {
        child_t *child = &server->children[i];

        if (child->state != CHILD_READY) {
            continue;
        }
        client = client_next(server);
        if (client == NULL) {
            return;
        }

        /* One that died in reserve is seen here or by its signal; the file goes to the next. */
        if (!cp_wire_send(child->fd, &client->request, sizeof(client->request), client->files, CP_WIRE_FDS)) {
            child->state = CHILD_ENDS;
            kill(child->pid, SIGKILL);
            continue;
        }
        child->state = CHILD_WORKS;
        child->client = client;
        child->deadline_ms = cp_wire_now_ms() + server->conf->wall_ms;
        client->state = CLIENT_SERVED;
    }
}


static void
end(child_t *child)
{
    child->state = CHILD_ENDS;
    child->client = NULL;
    child->deadline_ms = cp_wire_now_ms() + LEAVE_MS;
}


static void
read_hello(server_t *server, child_t *child)
{
    hello_t hello;

    if (!cp_wire_receive(child->fd, &hello, sizeof(hello), NULL, 0)) {
        return;    /* its end is seen by its signal */
    }

    if (hello.failed[0] == '\0') {
        child->state = CHILD_READY;
        server->failures = 0;
        return;
    }

    hello.failed[sizeof(hello.failed) - 1] = '\0';
    cp_log(CP_LOG_ALERT, "a child cannot enter the cage: %s", hello.failed);
}


/* The reply of a child that may have been taken over: each value is looked at, its output too. False: there is none. */
static bool
take_reply(child_t *child)
{
    client_t       *client = child->client;
    cp_wire_reply_t reply;
    struct stat     st;

    if (!cp_wire_receive(child->fd, &reply, sizeof(reply), NULL, 0)) {
        return false;
    }

    if (!cp_wire_reply_is_sound(&client->request, &reply) || reply.reason == CP_WIRE_BUSY
        || (reply.reason == CP_INSPECT_OK
            && (fstat(client->files[1], &st) != 0 || st.st_size != (off_t) reply.size)))
    {
        cp_log(CP_LOG_ALERT, "the reply of a child is none");
        return false;
    }
    client_answer(client, &reply);
    end(child);

    return true;
}


void
child_read(server_t *server, child_t *child)
{
    if (child->state == CHILD_STARTS) {
        read_hello(server, child);
    } else if (child->state == CHILD_WORKS && !take_reply(child)) {
        kill(child->pid, SIGKILL);    /* it ended, or wants to keep its file without an answer */
    }
}


void
child_expire(server_t *server, int64_t now_ms)
{
    int i;

    for (i = 0; i < CHILDREN; i++) {
        child_t *child = &server->children[i];

        if (child->state != CHILD_NONE && child->state != CHILD_READY && now_ms >= child->deadline_ms) {
            child->late = true;
            child->deadline_ms = INT64_MAX;
            kill(child->pid, SIGKILL);
        }
    }
}


void
child_leave(server_t *server, const client_t *client)
{
    int i;

    for (i = 0; i < CHILDREN; i++) {
        if (server->children[i].state == CHILD_WORKS && server->children[i].client == client) {
            kill(server->children[i].pid, SIGKILL);
            end(&server->children[i]);
        }
    }
}


/* What the end of a child at work says of its file. */
static uint32_t
verdict_of(const child_t *child, int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (child->late || number == SIGXCPU) {
        return CP_INSPECT_TOO_SLOW;
    }
    if (number == SIGXFSZ) {
        return CP_INSPECT_TOO_MUCH_MEMORY;
    }

    /* A forbidden system call is an attack, or a need of a library that the list does not know. */
    cp_log(number == SIGSYS ? CP_LOG_ALERT : CP_LOG_ERROR, "a child died over a file of type %u: %s %d",
           child->client->request.type, number != 0 ? "signal" : "status", number != 0 ? number : WEXITSTATUS(status));

    return CP_INSPECT_CRASHED;
}


static void
bury(server_t *server, child_t *child, int status)
{
    if (child->state == CHILD_STARTS) {
        read_hello(server, child);    /* it may have said why */
    }
    if (child->state == CHILD_STARTS) {
        server->failures++;
        server->fork_ms = cp_wire_now_ms() + RETRY_MS;
        cp_log(CP_LOG_ALERT, "a child ended before it was in its cage");
    } else if (child->state == CHILD_WORKS && !take_reply(child)) {
        client_refuse(child->client, verdict_of(child, status));
    }

    close(child->fd);
    child->state = CHILD_NONE;
}


void
child_reap(server_t *server)
{
    pid_t pid;
    int   status, i;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (i = 0; i < CHILDREN; i++) {
            child_t *child = &server->children[i];

            if (child->state != CHILD_NONE && child->pid == pid) {
                bury(server, child, status);
                break;
            }
        }
    }
}


void
child_dismiss(server_t *server)
{
    int i;

    for (i = 0; i < CHILDREN; i++) {
        child_t *child = &server->children[i];

        if (child->state == CHILD_STARTS || child->state == CHILD_READY) {
            kill(child->pid, SIGKILL);
            end(child);
        }
    }
}
