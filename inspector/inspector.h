/*
 * caportal-inspector: decodes, measures and re-encodes files of strangers in processes that have given up everything
 * else. A parent listens, hands each file to a child of its own that was forked and caged ahead, and answers for those
 * that die.
 */
#ifndef CP_INSPECTOR_H
#define CP_INSPECTOR_H

#include "base/conf.h"
#include "cage.h"

typedef struct {
    const char  *listen;          /* path of the socket */
    const char  *group;           /* that may connect; NULL: our user's */
    const char  *user;            /* to become when started as root */
    int64_t      children;        /* files decoded at once */
    int64_t      queue;           /* files that may wait besides */
    int64_t      memory;          /* bytes of address space of a child */
    int64_t      cpu_ms;
    int64_t      wall_ms;
} inspector_conf_t;

/* Reads the file into *conf; texts come from the arena. The fault says what is wrong at which line. */
bool inspector_conf_read(cp_arena_t *arena, const char *path, inspector_conf_t *conf, cp_conf_fault_t *fault);

/* Makes the socket; -1 when that fails, which has been logged. */
int inspector_listen(const inspector_conf_t *conf);

/* Serves until it is told to end (SIGTERM, SIGINT, SIGQUIT) and the files taken are done. The exit status. */
int inspector_serve(const inspector_conf_t *conf, const cp_cage_t *cage, int listener, int null);

#endif
