/* The key ring of a test, with one key, as a file holds it. Include it after seams.h. */
#ifndef T_KEYRING_H
#define T_KEYRING_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/keyring.h"


/* NULL: it cannot be made. The caller frees it. */
static inline cp_keyring_t *
keyring_start(void)
{
    char          path[] = "/tmp/caportal-keys-XXXXXX";
    int           fd = mkstemp(path);
    const char   *why;
    unsigned      line;
    cp_keyring_t *keys = NULL;

    if (fd == -1) {
        return NULL;
    }

    if (dprintf(fd, "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n") > 0) {
        keys = cp_keyring_read(path, &why, &line);
    }
    close(fd);
    unlink(path);

    return keys;
}

#endif
