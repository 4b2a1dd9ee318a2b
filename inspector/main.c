#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "inspect/inspect.h"
#include "inspector.h"
#include "mark.h"
#include "pdf.h"
#include "resources.h"

#define PROGRAM  "caportal-inspector"


static int
give_up(const char *what)
{
    cp_log(CP_LOG_ALERT, PROGRAM " cannot start: %s: %s", what, strerrordesc_np(errno));

    return 1;
}


/* From here on nothing can be opened any more. NULL, or what failed. */
static const char *
confine(const inspector_conf_t *conf, cp_cage_t *cage)
{
    const char *failed = cp_cage_build(cage);
    bool        bare = false;

    if (failed == NULL) {
        failed = cp_cage_confine(conf->user, &bare);
    }
    if (failed == NULL && bare) {
        cp_log(CP_LOG_NOTICE, "namespaces or an empty root are denied here: the filter of system calls keeps "
                              "children from files and network");
    }

    return failed;
}


static int
run(const inspector_conf_t *conf)
{
    cp_cage_t   cage = {
        .memory = (uint64_t) conf->memory,
        .cpu_s = ((uint64_t) conf->cpu_ms + 999) / 1000,
        .output = CP_INSPECT_OUTPUT_MAX,
    };
    const char *failed;
    size_t      resources = 0;
    int         null = open("/dev/null", O_RDWR | O_CLOEXEC), listener, status = 1;

    if (null == -1) {
        return give_up("/dev/null");
    }
    if (!cp_pdf_prepare() || !cp_mark_prepare() || !cp_resources_open(&resources)) {
        return give_up("fonts and character maps");
    }
    cp_log(CP_LOG_NOTICE, "%zu fonts and character maps", resources);

    listener = inspector_listen(conf);
    if (listener != -1) {
        failed = confine(conf, &cage);
        status = failed != NULL ? give_up(failed) : inspector_serve(conf, &cage, listener, null);
    }

    cp_cage_free(&cage);
    cp_pdf_forget();
    cp_resources_close();

    return status;
}


/* What a service was started with may be secret, and children keep the whole memory: it is wiped, not just unset. */
static void
forget_environment(void)
{
    char **word;

    for (word = environ; word != NULL && *word != NULL; word++) {
        explicit_bzero(*word, strlen(*word));
    }
    clearenv();
}


static int
usage(void)
{
    fprintf(stderr, "Usage: " PROGRAM " -c FILE [-t]\n"
                    "  -c FILE   configuration\n"
                    "  -t        test the configuration and exit\n");
    return 2;
}


int
main(int argc, char **argv)
{
    const char       *path = NULL;
    cp_arena_t       *arena = cp_arena_new(0);
    cp_conf_fault_t   fault = { .why = "cannot start" };
    inspector_conf_t  conf;
    bool              test = false;
    int               option, status = 0;

    while ((option = getopt(argc, argv, "c:t")) != -1) {
        if (option == 'c') {
            path = optarg;
        } else if (option == 't') {
            test = true;
        } else {
            return usage();
        }
    }
    if (path == NULL || optind != argc || arena == NULL) {
        return usage();
    }

    umask(0077);
    forget_environment();

    if (!inspector_conf_read(arena, path, &conf, &fault)) {
        fprintf(stderr, PROGRAM ": [emerg] %s in %s:%u\n", fault.why, path, fault.line);
        fprintf(stderr, PROGRAM ": configuration file %s test failed\n", path);
        status = 1;
    } else if (test) {
        fprintf(stderr, PROGRAM ": configuration file %s test is successful\n", path);
    } else {
        status = run(&conf);
    }

    cp_arena_free(arena);

    return status;
}
