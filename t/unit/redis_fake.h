/*
 * A server that speaks Redis' protocol (RESP2) and says what the test wants to be said, on a port of its own on
 * 127.0.0.1. Each connection has a thread. Include it after seams.h.
 */
#ifndef T_REDIS_FAKE_H
#define T_REDIS_FAKE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redis/redis.h"

#define FAKE_RULES  16

/* What it does with a command. */
typedef enum {
    FAKE_ANSWERS,
    FAKE_HANGS,         /* reads, and says nothing until it is told otherwise */
    FAKE_HANGS_UP       /* reads, and closes */
} fake_mood_t;

typedef struct {
    pthread_mutex_t  lock;
    pthread_cond_t   changed;
    int              listener;
    int              port;
    fake_mood_t      mood;
    struct {
        const char *command;    /* how it begins, its words with one blank between */
        char        reply[128];    /* empty: it says nothing */
    }                rules[FAKE_RULES];
    size_t           rule_count;
    unsigned         connections;
    unsigned         commands;
    char             said[4096];    /* each command's first word, with a blank behind */
    int              fds[256];
} fake_t;

typedef struct {
    fake_t *fake;
    int     fd;
} fake_connection_t;


/* The words of one command into `line`; false at the end of the stream. */
static inline bool
fake_read(FILE *file, char *line, size_t size)
{
    size_t count, length, have = 0;
    char   word[2048];

    if (fscanf(file, "*%zu\r\n", &count) != 1) {
        return false;
    }

    for (line[0] = '\0'; count > 0; count--) {
        if (fscanf(file, "$%zu\r\n", &length) != 1 || length >= sizeof(word)
            || fread(word, 1, length, file) != length || fgetc(file) != '\r' || fgetc(file) != '\n')
        {
            return false;
        }
        word[length] = '\0';
        have += (size_t) snprintf(line + have, have < size ? size - have : 0, have == 0 ? "%s" : " %s", word);
    }

    return true;
}


/* The reply to a command, "+OK" where there is no rule; false where the connection is to be closed. */
static inline bool
fake_reply(fake_t *fake, const char *line, char *reply, size_t size)
{
    bool   answers;
    size_t i;

    pthread_mutex_lock(&fake->lock);

    fake->commands++;
    snprintf(fake->said + strlen(fake->said), sizeof(fake->said) - strlen(fake->said), "%.*s ",
             (int) strcspn(line, " "), line);

    while (fake->mood == FAKE_HANGS) {
        pthread_cond_wait(&fake->changed, &fake->lock);
    }

    snprintf(reply, size, "+OK\r\n");
    for (i = 0; i < fake->rule_count; i++) {
        if (strncmp(line, fake->rules[i].command, strlen(fake->rules[i].command)) == 0) {
            snprintf(reply, size, "%s%s", fake->rules[i].reply, fake->rules[i].reply[0] == '\0' ? "" : "\r\n");
        }
    }
    answers = fake->mood == FAKE_ANSWERS;

    pthread_mutex_unlock(&fake->lock);

    return answers;
}


static inline void *
fake_serve(void *data)
{
    fake_connection_t connection = *(fake_connection_t *) data;
    FILE             *file = fdopen(connection.fd, "r");
    char              line[4096], reply[160];

    free(data);

    while (file != NULL && fake_read(file, line, sizeof(line))
           && fake_reply(connection.fake, line, reply, sizeof(reply))
           && send(connection.fd, reply, strlen(reply), MSG_NOSIGNAL) >= 0)
    {
        /* the next one */
    }

    shutdown(connection.fd, SHUT_RDWR);    /* not closed: its number must not come again */
    return NULL;
}


static inline void *
fake_accept(void *data)
{
    fake_t            *fake = data;
    fake_connection_t *connection;
    pthread_t          thread;
    int                fd;

    while ((fd = accept(fake->listener, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&fake->lock);
        fake->fds[fake->connections++ % 256] = fd;
        pthread_mutex_unlock(&fake->lock);

        connection = malloc(sizeof(fake_connection_t));
        if (connection == NULL) {
            abort();
        }
        *connection = (fake_connection_t) { fake, fd };
        pthread_create(&thread, NULL, fake_serve, connection);
        pthread_detach(thread);
    }

    return NULL;
}


static inline void
fake_start(fake_t *fake)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          size = sizeof(address);
    pthread_t          thread;

    memset(fake, 0, sizeof(*fake));
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->changed, NULL);

    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fake->listener, (struct sockaddr *) &address, sizeof(address)) != 0 || listen(fake->listener, 64) != 0
        || getsockname(fake->listener, (struct sockaddr *) &address, &size) != 0
        || pthread_create(&thread, NULL, fake_accept, fake) != 0)
    {
        abort();
    }
    pthread_detach(thread);
    fake->port = ntohs(address.sin_port);
}


static inline void
fake_feels(fake_t *fake, fake_mood_t mood)
{
    pthread_mutex_lock(&fake->lock);
    fake->mood = mood;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}


/* From now on a command that begins so is answered so; the last rule that fits counts. */
static inline void
fake_says(fake_t *fake, const char *command, const char *reply)
{
    size_t i;

    pthread_mutex_lock(&fake->lock);
    for (i = 0; i < fake->rule_count && strcmp(fake->rules[i].command, command) != 0; i++) {
        /* look on */
    }
    if (i == FAKE_RULES) {
        abort();
    }
    fake->rule_count = i == fake->rule_count ? i + 1 : fake->rule_count;
    fake->rules[i].command = command;
    snprintf(fake->rules[i].reply, sizeof(fake->rules[i].reply), "%s", reply);
    pthread_mutex_unlock(&fake->lock);
}


/* Closes all connections, as a server does that is restarted. */
static inline void
fake_closes_all(fake_t *fake)
{
    unsigned i;

    pthread_mutex_lock(&fake->lock);
    for (i = 0; i < fake->connections && i < 256; i++) {
        shutdown(fake->fds[i], SHUT_RDWR);
    }
    pthread_mutex_unlock(&fake->lock);
}


static inline unsigned
fake_connections(fake_t *fake)
{
    unsigned n;

    pthread_mutex_lock(&fake->lock);
    n = fake->connections;
    pthread_mutex_unlock(&fake->lock);

    return n;
}


static inline unsigned
fake_commands(fake_t *fake)
{
    unsigned n;

    pthread_mutex_lock(&fake->lock);
    n = fake->commands;
    pthread_mutex_unlock(&fake->lock);

    return n;
}


/* The first words of all commands since it was asked last. */
static inline const char *
fake_heard(fake_t *fake)
{
    static char said[sizeof(fake->said)];

    pthread_mutex_lock(&fake->lock);
    memcpy(said, fake->said, sizeof(said));
    fake->said[0] = '\0';
    pthread_mutex_unlock(&fake->lock);

    return said;
}

#endif
