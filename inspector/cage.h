/*
 * The cage: what a process gives up for good before it touches a hostile byte. A parent builds it once and confines
 * itself; each child it forks then enters.
 */
#ifndef CP_CAGE_H
#define CP_CAGE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    uint64_t           memory;         /* bytes of address space */
    uint64_t           cpu_s;          /* seconds of CPU time */
    uint64_t           output;         /* bytes of the largest file */
    struct sock_fprog  filter;
} cp_cage_t;

/* What stays open in a child: the connection, and the resources' run of descriptors (last < first: none). */
typedef struct {
    int  connection;
    int  null;                         /* /dev/null: what the standard descriptors become */
    int  first;
    int  last;
} cp_cage_keep_t;

#define CP_CAGE_CONNECTION  3          /* the connection's descriptor in the cage */

/* Compiles the list of system calls (seccomp(2)) into cage->filter. NULL, or what failed, with errno. */
const char *cp_cage_build(cp_cage_t *cage);
void        cp_cage_free(cp_cage_t *cage);

/*
 * For the parent, once all it needs is open: no network, no other processes' objects (namespaces(7)), a root folder
 * that is empty and cannot be written to, the user (NULL: only when not root) and no capability. NULL, or what failed,
 * with errno. *bare says that this system denies an ordinary user, or a container its root, some of the namespaces and
 * the empty root, so that the filter alone may have to keep a child from files and network.
 */
const char *cp_cage_confine(const char *user, bool *bare);

/*
 * For the child: closes everything else, sets the limits, and loads the filter that kills the process at any other
 * system call. It dies with `parent`, which forked it. NULL, or what failed, with errno; then the child must exit.
 */
const char *cp_cage_enter(const cp_cage_t *cage, const cp_cage_keep_t *keep, pid_t parent);

#endif
