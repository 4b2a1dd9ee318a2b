#include "inspector.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define BACKLOG  128


static int
give_up(int fd, const char *path, const char *step)
{
    cp_log(CP_LOG_ALERT, "cannot listen on %s: %s: %s", path, step, strerrordesc_np(errno));
    if (fd != -1) {
        close(fd);
    }

    return -1;
}


/* A socket on which nobody listens was left by one that was killed. */
static bool
is_left_over(const struct sockaddr_un *address)
{
    int  fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = fd != -1 && connect(fd, (const struct sockaddr *) address, sizeof(*address)) != 0
                   && errno == ECONNREFUSED;

    if (fd != -1) {
        close(fd);
    }

    return refused;
}


/* Whoever may write to the socket may connect. */
static bool
open_to_group(const char *path, const char *name)
{
    const struct group *group;

    if (name == NULL) {
        return chmod(path, 0600) == 0;
    }

    errno = 0;
    group = getgrnam(name);
    if (group == NULL) {
        errno = errno == 0 ? ENOENT : errno;
        return false;
    }

    return chown(path, (uid_t) -1, group->gr_gid) == 0 && chmod(path, 0660) == 0;
}


int
inspector_listen(const inspector_conf_t *conf)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t             length = strlen(conf->listen);
    int                fd;
    mode_t             mask;
    bool               bound;

    if (length >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return give_up(-1, conf->listen, "its name");
    }
    memcpy(address.sun_path, conf->listen, length + 1);

    if (is_left_over(&address)) {
        unlink(conf->listen);
    }

    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1) {
        return give_up(fd, conf->listen, "socket");
    }

    mask = umask(0177);
    bound = bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
    umask(mask);

    if (!bound) {
        return give_up(fd, conf->listen, "bind");
    }
    if (!open_to_group(conf->listen, conf->group)) {
        return give_up(fd, conf->listen, "its group");
    }

    return listen(fd, BACKLOG) == 0 ? fd : give_up(fd, conf->listen, "listen");
}
