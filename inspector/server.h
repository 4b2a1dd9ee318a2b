/* The parent's two tables: who wants a file inspected, and the children that do it. One thread, one poll(). */
#ifndef CP_INSPECTOR_SERVER_H
#define CP_INSPECTOR_SERVER_H

#include <sys/types.h>

#include "inspect/inspect_wire.h"
#include "inspector.h"

#define CLIENTS   256
#define CHILDREN  (2 * 64)      /* at work, and as many in reserve */

typedef enum {
    CLIENT_NONE,
    CLIENT_NEW,                 /* connected, has not asked yet */
    CLIENT_WAITS,               /* has asked: for a child */
    CLIENT_SERVED               /* a child has its file */
} client_state_t;

typedef struct {
    client_state_t     state;
    int                fd;
    cp_wire_request_t  request;
    int                files[CP_WIRE_FDS];
    uint64_t           turn;            /* who came first is served first */
    int64_t            deadline_ms;     /* while NEW */
} client_t;

typedef enum {
    CHILD_NONE,
    CHILD_STARTS,               /* has not said that the cage is closed */
    CHILD_READY,
    CHILD_WORKS,
    CHILD_ENDS                  /* has answered, or is to be killed: only its end is awaited */
} child_state_t;

typedef struct {
    child_state_t  state;
    pid_t          pid;
    int            fd;
    client_t      *client;              /* while it WORKS */
    int64_t        deadline_ms;
    bool           late;                /* killed for the deadline */
} child_t;

/* What a child says first: nothing failed, or what. */
typedef struct {
    uint32_t  version;
    char      failed[60];
} hello_t;

typedef struct {
    const inspector_conf_t *conf;
    const cp_cage_t        *cage;
    int                     listener;   /* -1: no more files */
    int                     signals;
    int                     null;
    bool                    stopping;
    uint64_t                turns;
    unsigned                failures;   /* children in a row that did not get into their cage */
    int64_t                 fork_ms;    /* not before */
    client_t                clients[CLIENTS];
    child_t                 children[CHILDREN];
} server_t;

/* ---- client.c */

void client_accept(server_t *server);
void client_read(server_t *server, client_t *client);
void client_answer(client_t *client, const cp_wire_reply_t *reply);
void client_refuse(client_t *client, uint32_t reason);
void client_drop(client_t *client);

/* The one that has waited longest; NULL when nobody waits. */
client_t *client_next(server_t *server);

/* ---- child.c */

/* Forks so many that each one at work has a successor ready. False when no child gets into its cage. */
bool child_fill(server_t *server);

/* Hands files to children that are ready. */
void child_dispatch(server_t *server);

/* Reads what a child says; a wrong word kills it. */
void child_read(server_t *server, child_t *child);

/* Kills those that are over their time, and takes away the work of a client that has gone. */
void child_expire(server_t *server, int64_t now_ms);
void child_leave(server_t *server, const client_t *client);

/* Buries those that ended and answers for them. */
void child_reap(server_t *server);

/* Ends all that have nothing to do. */
void child_dismiss(server_t *server);

#endif
