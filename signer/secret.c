#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "signer.h"

#define SECRET_MAX  512


const char *
signer_secret(cp_arena_t *arena, const char *path, cp_str_t *secret)
{
    char        text[SECRET_MAX];
    FILE       *file;
    struct stat st;
    const char *fault = NULL;
    size_t      n;

    file = fopen(path, "re");
    if (file == NULL) {
        return strerrordesc_np(errno);
    }

    if (fstat(fileno(file), &st) != 0 || (st.st_mode & 0027) != 0) {
        fault = "it must not be writable by its group nor open to others";
    } else if (fgets(text, sizeof(text), file) == NULL) {
        fault = "it is empty";
    }
    fclose(file);

    if (fault != NULL) {
        return fault;
    }

    n = strcspn(text, "\r\n");
    if (n == 0 || n == sizeof(text) - 1) {
        fault = "its first line is empty or too long";
    } else {
        *secret = cp_str_dup(arena, cp_str_n(text, n));
        fault = secret->data == NULL ? "out of memory" : NULL;
    }
    explicit_bzero(text, sizeof(text));

    return fault;
}
