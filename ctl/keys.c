/* Adding a key to the key ring. The file is written beside and renamed, so a ring is never half there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "ctl.h"

#define RING_MAX     65536u
#define VERSION_MAX  255u


/* The last version of a ring that cp_keyring_read() accepted. */
static unsigned
last_version(cp_str_t ring)
{
    const char   *line = ring.data;
    char         *end;
    unsigned      version = 0;
    unsigned long found;

    while (line != NULL && *line != '\0') {
        found = strtoul(line, &end, 10);
        if (end != line && *line != '#') {
            version = (unsigned) found;
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }

    return version;
}


static bool
write_all(int fd, cp_str_t bytes)
{
    ssize_t n;

    while (bytes.len > 0) {
        n = write(fd, bytes.data, bytes.len);
        if (n <= 0) {
            return false;
        }
        bytes = cp_str_n(bytes.data + n, bytes.len - (size_t) n);
    }

    return true;
}


/* Writes the ring beside its place with the owner of the old one, then puts it there. */
static int
replace(ctl_t *ctl, const char *path, const struct stat *old, cp_str_t bytes)
{
    cp_str_t temporary = cp_str_printf(ctl->arena, "%s.new", path);
    int      fd;
    bool     good;

    if (temporary.data == NULL) {
        return ctl_fault("out of memory");
    }

    fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        return ctl_fault("%s: %s", temporary.data, strerror(errno));
    }

    good = write_all(fd, bytes) && fchmod(fd, old == NULL ? 0640 : old->st_mode & 0640) == 0
           && (old == NULL || fchown(fd, old->st_uid, old->st_gid) == 0) && fsync(fd) == 0;
    close(fd);

    if (!good || rename(temporary.data, path) != 0) {
        ctl_fault("%s: %s", path, strerror(errno));
        unlink(temporary.data);
        return CTL_FAULT;
    }

    return CTL_OK;
}


int
ctl_keys_new(ctl_t *ctl)
{
    const char    *path = ctl->options.key_ring, *separator = "";
    unsigned       version = 0;
    unsigned char  secret[CP_KEY_SIZE];
    cp_str_t       ring = CP_STR(""), bytes;
    struct stat    old;
    bool           exists;
    int            status;

    if (path == NULL) {
        return ctl_fault("--key-ring is needed");
    }

    exists = stat(path, &old) == 0;
    if (exists) {
        if (!ctl_open_keys(ctl) || !ctl_read_file(ctl->arena, path, RING_MAX, &ring)) {
            return CTL_FAULT;
        }
        version = last_version(ring);
        separator = ring.len > 0 && ring.data[ring.len - 1] != '\n' ? "\n" : "";
    }
    if (version == VERSION_MAX) {
        return ctl_fault("%s: it holds version %u already", path, VERSION_MAX);
    }

    cp_random(secret, sizeof(secret));
    bytes = cp_str_printf(ctl->arena, "%s%s%u %s\n", ring.data, separator, version + 1,
                          cp_str_hex(ctl->arena, cp_str_n(secret, sizeof(secret))).data);
    explicit_bzero(secret, sizeof(secret));

    status = bytes.data == NULL ? ctl_fault("out of memory") : replace(ctl, path, exists ? &old : NULL, bytes);
    if (status == CTL_OK) {
        printf("%s: version %u added\n", path, version + 1);
    }

    return status;
}
