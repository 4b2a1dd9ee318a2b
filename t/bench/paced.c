/*
 * Requests at a fixed rate, whatever becomes of those before: each counts from the moment that it was due, so that a
 * server which stops for a while is not asked less for it.
 *
 *   paced PORT RATE SECONDS CONNECTIONS FILE
 *
 * FILE holds whole requests of HTTP/1.1, each ended by a NUL, which are sent in turn to 127.0.0.1 over connections that
 * stay. A line for each status: "STATUS COUNT P50 P99 MAX", in milliseconds; 0 is a connection that was lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS  256
#define STATUSES     8
#define ANSWER_SIZE  16384
#define DRAIN_S      10.0    /* for what is on its way at the end */

typedef struct {
    int    fd;
    bool   busy;
    double due;
    size_t have;
    char   answer[ANSWER_SIZE];
} connection_t;

typedef struct {
    int     status;
    size_t  count;
    size_t  room;
    double *ms;
} times_t;

static connection_t connections[CONNECTIONS];
static times_t      times[STATUSES];
static size_t       connection_count;
static int          port;


static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);

    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}


static void
fail(const char *what)
{
    perror(what);
    exit(1);
}


static void
note(int status, double ms)
{
    size_t i;

    for (i = 0; i < STATUSES - 1 && times[i].count != 0 && times[i].status != status; i++) {
        /* look on */
    }

    if (times[i].count == times[i].room) {
        times[i].room = times[i].room * 2 + 1024;
        times[i].ms = realloc(times[i].ms, times[i].room * sizeof(double));
        if (times[i].ms == NULL) {
            fail("memory");
        }
    }

    times[i].status = status;
    times[i].ms[times[i].count++] = ms;
}


static void
dial(connection_t *c)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons((uint16_t) port) };
    int                one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *) &address, sizeof(address)) != 0
        || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
    {
        fail("connect");
    }
}


/* The whole answer's length once its head is there; 0 before. */
static size_t
length_of(const connection_t *c)
{
    const char *end = strstr(c->answer, "\r\n\r\n"), *length;

    if (end == NULL) {
        return 0;
    }
    length = strcasestr(c->answer, "\r\nContent-Length:");

    return (size_t) (end + 4 - c->answer) + (length == NULL || length > end ? 0 : strtoul(length + 17, NULL, 10));
}


static void
done(connection_t *c, int status)
{
    note(status, (now() - c->due) * 1000);
    c->busy = false;

    if (status == 0 || strcasestr(c->answer, "\r\nConnection: close") != NULL) {
        close(c->fd);
        dial(c);
    }
}


static void
take(connection_t *c)
{
    ssize_t n = recv(c->fd, c->answer + c->have, ANSWER_SIZE - 1 - c->have, 0);
    size_t  whole;

    if (n <= 0) {
        if (c->busy) {
            done(c, 0);
        } else {
            close(c->fd);
            dial(c);
        }
        return;
    }

    c->have += (size_t) n;
    c->answer[c->have] = '\0';
    whole = length_of(c);
    if (whole != 0 && c->have >= whole) {
        done(c, atoi(c->answer + sizeof("HTTP/1.1 ") - 1));
    }
}


/* Waits until something comes or `until`; true while something is on its way. */
static bool
wait_until(double until)
{
    struct pollfd fds[CONNECTIONS];
    double        left = until - now();
    bool          busy = false;
    size_t        i;

    for (i = 0; i < connection_count; i++) {
        fds[i] = (struct pollfd) { .fd = connections[i].fd, .events = POLLIN };
        busy = busy || connections[i].busy;
    }

    if (ppoll(fds, connection_count, &(struct timespec) { .tv_sec = left > 1 ? 1 : 0,
                                                          .tv_nsec = left > 1 || left < 0 ? 0 : (long) (left * 1e9) },
              NULL) < 0 && errno != EINTR)
    {
        fail("poll");
    }

    for (i = 0; i < connection_count; i++) {
        if (fds[i].revents != 0) {
            take(&connections[i]);
        }
    }

    return busy;
}


static connection_t *
idle(void)
{
    size_t i;

    for (i = 0; i < connection_count; i++) {
        if (!connections[i].busy) {
            return &connections[i];
        }
    }

    return NULL;
}


static void
run(double rate, double seconds, const char *requests, size_t size)
{
    const char   *next = requests;
    double        begin = now(), due = begin;
    connection_t *c;

    while (due < begin + seconds) {
        c = now() >= due ? idle() : NULL;
        if (c == NULL) {
            (void) wait_until(now() >= due ? now() + 0.001 : due);
            continue;
        }

        *c = (connection_t) { .fd = c->fd, .busy = true, .due = due };
        if (send(c->fd, next, strlen(next), MSG_NOSIGNAL) != (ssize_t) strlen(next)) {
            done(c, 0);
        }
        due += 1 / rate;
        next += strlen(next) + 1;
        next = next < requests + size ? next : requests;
    }

    while (now() < begin + seconds + DRAIN_S && wait_until(now() + 0.1)) {
        /* the rest */
    }
}


static int
compare(const void *a, const void *b)
{
    return (*(const double *) a > *(const double *) b) - (*(const double *) a < *(const double *) b);
}


static void
report(void)
{
    size_t i;

    for (i = 0; i < STATUSES && times[i].count != 0; i++) {
        times_t *t = &times[i];

        qsort(t->ms, t->count, sizeof(double), compare);
        printf("%d %zu %.3f %.3f %.3f\n", t->status, t->count, t->ms[t->count / 2], t->ms[t->count * 99 / 100],
               t->ms[t->count - 1]);
    }
}


int
main(int argc, char **argv)
{
    static char requests[1024 * 1024];

    FILE  *file = argc == 6 ? fopen(argv[5], "r") : NULL;
    size_t size = file == NULL ? 0 : fread(requests, 1, sizeof(requests) - 1, file), i;

    if (size == 0 || requests[size - 1] != '\0') {
        fprintf(stderr, "Usage: paced PORT RATE SECONDS CONNECTIONS FILE\n");
        return 2;
    }
    fclose(file);

    port = atoi(argv[1]);
    connection_count = strtoul(argv[4], NULL, 10);
    connection_count = connection_count > CONNECTIONS ? CONNECTIONS : connection_count;
    for (i = 0; i < connection_count; i++) {
        dial(&connections[i]);
    }

    run(strtod(argv[2], NULL), strtod(argv[3], NULL), requests, size);
    report();

    return 0;
}
