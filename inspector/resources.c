#include "resources.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fontconfig/fontconfig.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAPS     "/usr/share/poppler"    /* the package poppler-data */
#define FONTS    256u
#define MOST     1024u
#define FIRST    64                      /* descriptors; those below are for work */

typedef struct {
    char  *path;
    int    fd;
} resource_t;

static resource_t  resources[MOST];
static size_t      resource_count;
static bool        sealed;


/* The kernel's open(), for ours stands in its way. */
static int
open_really(const char *path, int flags, mode_t mode)
{
    return (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}


static bool
add(const char *path)
{
    int   low = open_really(path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
    int   fd;
    char *copy;

    if (low == -1) {
        return true;
    }

    fd = fcntl(low, F_DUPFD_CLOEXEC, FIRST + (int) resource_count);
    close(low);
    copy = strdup(path);
    if (fd == -1 || copy == NULL) {
        free(copy);
        return false;
    }

    resources[resource_count].path = copy;
    resources[resource_count++].fd = fd;

    return true;
}


static bool
add_fonts(void)
{
    FcFontSet *set = FcConfigGetFonts(NULL, FcSetSystem);
    FcChar8   *path;
    char      *last = NULL;
    size_t     most = resource_count + FONTS;
    int        i;

    for (i = 0; set != NULL && i < set->nfont && resource_count < most && resource_count < MOST; i++) {
        if (FcPatternGetString(set->fonts[i], FC_FILE, 0, &path) != FcResultMatch
            || (last != NULL && strcmp(last, (char *) path) == 0))
        {
            continue;    /* one more face of the same file */
        }
        if (!add((char *) path)) {
            return false;
        }
        last = (char *) path;
    }

    return true;
}


static bool
add_folder(const char *folder, int depth)
{
    char           path[PATH_MAX];
    struct stat    st;
    struct dirent *entry;
    DIR           *dir = opendir(folder);
    bool           good = true;

    while (dir != NULL && good && resource_count < MOST && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.'
            || snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int) sizeof(path)
            || lstat(path, &st) != 0)
        {
            continue;
        }
        if (S_ISREG(st.st_mode)) {
            good = add(path);
        } else if (S_ISDIR(st.st_mode) && depth > 0) {
            good = add_folder(path, depth - 1);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }

    return good;
}


static int
by_path(const void *a, const void *b)
{
    return strcmp(((const resource_t *) a)->path, ((const resource_t *) b)->path);
}


bool
cp_resources_open(size_t *count)
{
    struct rlimit files;
    bool          good;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max < 2 * MOST ? files.rlim_max : 2 * MOST;
        setrlimit(RLIMIT_NOFILE, &files);
    }

    good = add_folder(MAPS, 2) && add_fonts();
    qsort(resources, resource_count, sizeof(resources[0]), by_path);
    *count = resource_count;

    return good;
}


void
cp_resources_close(void)
{
    while (resource_count != 0) {
        resource_count--;
        close(resources[resource_count].fd);
        free(resources[resource_count].path);
    }
    FcFini();
}


void
cp_resources_range(int *first, int *last)
{
    *first = FIRST;
    *last = FIRST + (int) resource_count - 1;
}


void
cp_resources_seal(void)
{
    sealed = true;
}


/*
 * A copy that has an offset of its own: the descriptor's belongs to all children. Fonts are read as a whole by whoever
 * opens them, so this costs one more copy of one font.
 */
static int
copy_of(int fd)
{
    struct stat st;
    off_t       at = 0;
    ssize_t     n = 1;
    int         copy;

    if (fstat(fd, &st) != 0) {
        return -1;
    }
    copy = memfd_create("resource", MFD_CLOEXEC);
    while (copy != -1 && at < st.st_size && n > 0) {
        n = sendfile(copy, fd, &at, (size_t) (st.st_size - at));
    }
    if (copy != -1 && (n <= 0 || lseek(copy, 0, SEEK_SET) != 0)) {
        close(copy);
        errno = EIO;
        copy = -1;
    }

    return copy;
}


static const resource_t *
find(const char *path)
{
    resource_t wanted = { (char *) (uintptr_t) path, -1 };

    return bsearch(&wanted, resources, resource_count, sizeof(resources[0]), by_path);
}


const void *
cp_resource_map(const char *path, size_t *size)
{
    const resource_t *found = find(path);
    struct stat       st;
    void             *map;

    if (found == NULL || fstat(found->fd, &st) != 0) {
        return NULL;
    }

    *size = (size_t) st.st_size;
    map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, found->fd, 0);

    return map == MAP_FAILED ? NULL : map;
}


/* What the libraries of a caged process find under a name: a descriptor, or -1. */
static int
open_resource(const char *path)
{
    const resource_t *found = find(path);

    if (found == NULL) {
        errno = ENOENT;
        return -1;
    }

    return copy_of(found->fd);
}


/*
 * open(2) and fopen(3) for this program's libraries: the linker finds these before the C library's. In the cage a
 * system call that opens would kill; a library that asks for a file which is not there merely goes on without.
 */
int
open(const char *path, int flags, ...)
{
    mode_t  mode = 0;
    va_list args;

    if (sealed) {
        return open_resource(path);
    }

    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }

    return open_really(path, flags, mode);
}


FILE *
fopen(const char *path, const char *mode)
{
    static FILE *(*really)(const char *, const char *);

    FILE *file = NULL;
    int   fd;

    if (!sealed) {
        if (really == NULL) {
            *(void **) (void *) &really = dlsym(RTLD_NEXT, "fopen");
        }
        return really(path, mode);
    }

    fd = open_resource(path);
    if (fd != -1) {
        file = fdopen(fd, "rb");
    }
    if (fd != -1 && file == NULL) {
        close(fd);
    }

    return file;
}
