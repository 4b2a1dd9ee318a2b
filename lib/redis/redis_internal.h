/* What the files of this folder share: the thread's connection, and what the process knows of the server. */
#ifndef CP_REDIS_INTERNAL_H
#define CP_REDIS_INTERNAL_H

#include <sys/time.h>

#include "redis/redis.h"

#define CP_REDIS_SCRIPTS  16

/* ---- server.c */

/* One Redis as all threads of the process see it. Each is kept until the process ends. */
typedef struct cp_redis_server_s cp_redis_server_t;

/* The right to try a command: since when, and over which generation of connections. */
typedef struct {
    int64_t  began_ms;
    unsigned generation;
    bool     probe;
} cp_redis_pass_t;

/* The server of these settings, made at first use; NULL when memory is out. */
cp_redis_server_t *cp_redis_server(const cp_redis_conf_t *conf);

/*
 * Whether this thread may try. While the server does not answer one thread at a time may, to find out whether it does
 * again, and after one that waited long nobody for as long (a second at most): whoever else waited would only hold a
 * thread. A true answer is followed by cp_redis_leave().
 */
bool cp_redis_enter(cp_redis_server_t *server, cp_redis_pass_t *pass);

/* How it went: `fault` says why it did not answer; NULL, it did. The first fault, and the end of it, are logged. */
void cp_redis_leave(cp_redis_server_t *server, const cp_redis_pass_t *pass, const char *fault);

/* A command was refused by a server that answers, or was not: the first refusal and the end of them are logged. */
void cp_redis_refused(cp_redis_server_t *server, const char *why);
void cp_redis_accepted(cp_redis_server_t *server);

/* The place, among the sentinels, of the one that answered last. */
size_t cp_redis_sentinel_first(cp_redis_server_t *server);
void   cp_redis_sentinel_is_first(cp_redis_server_t *server, size_t place);

/* ---- connection.c */

typedef struct {
    const char *text;      /* a literal, known by its address */
    char        sha[41];
} cp_redis_known_t;

typedef struct {
    const cp_redis_conf_t *conf;
    cp_redis_server_t     *server;
    redisContext          *context;       /* NULL: not connected */
    unsigned               generation;    /* of the context */
    unsigned long          opened;        /* how often one was opened */
    char                   fault[160];    /* why it could not be opened, or did not answer */
    cp_redis_known_t       scripts[CP_REDIS_SCRIPTS];
    size_t                 script_count;
} cp_redis_connection_t;

/* This thread's connection, not necessarily open; NULL when memory is out. */
cp_redis_connection_t *cp_redis_connection(const cp_redis_conf_t *conf);

/* Whether the context can be used: of this generation, and not closed by the server while it was idle. */
bool cp_redis_is_open(const cp_redis_connection_t *connection, unsigned generation);

/* Connects, signs in and makes sure that it is a master where sentinels watch; false with the fault. */
bool cp_redis_open(cp_redis_connection_t *connection, unsigned generation);

void cp_redis_drop(cp_redis_connection_t *connection);

/* Says in the connection's fault what is wrong; returns false. */
bool cp_redis_fault(cp_redis_connection_t *connection, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same of a context that failed, or of the answer that it got: NULL, of the context itself. */
bool cp_redis_context_fault(cp_redis_connection_t *connection, const redisContext *context, const redisReply *reply);

/* A context to that address, signed in with user and password (NULL: none); NULL with the fault. */
redisContext *cp_redis_dial(cp_redis_connection_t *connection, const cp_redis_address_t *address, unsigned timeout_ms,
                            const char *user, const char *password);

/* ---- sentinel.c */

/* A context to the master that the sentinels name, signed in; NULL with the fault. */
redisContext *cp_redis_dial_master(cp_redis_connection_t *connection);

#endif
