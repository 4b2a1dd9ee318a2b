/*
 * cage_probe [bare] ACTION      enters the cage that caportal-inspector's children enter, does one thing in it, and
 *                               prints how that ended: "returned", "refused", "signal N", or what kept it out
 *
 * bare: without the parent's confinement, so that nothing but the filter and the limits is in the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../inspector/cage.h"

#define REFUSED  7    /* exit status: the kernel said no, and the process lives */

static volatile unsigned long spun;


static void
do_nothing(void)
{
}


static void
do_socket(void)
{
    syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}


static void
do_unix_socket(void)
{
    syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}


static void
do_connect(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/x" };

    syscall(SYS_connect, CP_CAGE_CONNECTION, &address, sizeof(address));
}


static void
do_openat(void)
{
    syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}


static void
do_open(void)
{
    syscall(SYS_open, "/etc/passwd", O_RDONLY);
}


static void
do_stat(void)
{
    char buffer[256];

    syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", buffer, 0);
}


static void
do_unlink(void)
{
    syscall(SYS_unlinkat, AT_FDCWD, "/tmp/x", 0);
}


static void
do_execve(void)
{
    char *words[] = { NULL };

    syscall(SYS_execve, "/bin/true", words, words);
}


static void
do_fork(void)
{
    syscall(SYS_fork);
}


static void
do_clone(void)
{
    syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
}


static void
do_kill(void)
{
    syscall(SYS_kill, getppid(), SIGTERM);
}


static void
do_ptrace(void)
{
    syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL);
}


static void
do_prctl(void)
{
    syscall(SYS_prctl, 15, "x", 0, 0, 0);
}


static void
do_setrlimit(void)
{
    syscall(SYS_prlimit64, 0, 0, NULL, NULL);
}


static void
do_executable_memory(void)
{
    syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}


static void
do_make_executable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}


static void
do_io_uring(void)
{
    syscall(425, 1, NULL);
}


static void
do_compat_call(void)
{
#ifdef __x86_64__
    /* getpid() by the 32-bit door: another architecture's numbers must not get past the list. */
    long result;

    __asm__ volatile ("int $0x80" : "=a" (result) : "a" (20L) : "memory");
#else
    syscall(SYS_getpid);
#endif
}


/* Limits: these end by a signal or by an error that is waited for. */
static void
do_spin(void)
{
    for (;;) {
        spun++;
    }
}


static void
do_write_much(void)
{
    static char block[1 << 20];
    int         fd = memfd_create("x", 0);

    while (write(fd, block, sizeof(block)) > 0) {
        /* until the limit */
    }
}


static void
do_take_memory(void)
{
    char *memory = malloc((size_t) 300 << 20);

    if (memory == NULL) {
        _exit(REFUSED);
    }
    memset(memory, 1, (size_t) 300 << 20);
}


static void
do_use_descriptors(void)
{
    int i;

    for (i = 0; i < 64; i++) {
        if (memfd_create("x", 0) == -1) {
            _exit(REFUSED);
        }
    }
}


static void
do_see_others(void)
{
    char byte;

    /* The parent's descriptors are gone: 9 was /etc/passwd. */
    if (read(9, &byte, 1) == -1) {
        _exit(REFUSED);
    }
}


#define ACTION(name)  { #name, do_##name }

static const struct {
    const char  *name;
    void       (*act)(void);
} actions[] = {
    ACTION(nothing), ACTION(socket), ACTION(unix_socket), ACTION(connect), ACTION(openat), ACTION(open), ACTION(stat),
    ACTION(unlink), ACTION(execve), ACTION(fork), ACTION(clone), ACTION(kill), ACTION(ptrace), ACTION(prctl),
    ACTION(setrlimit), ACTION(executable_memory), ACTION(make_executable), ACTION(io_uring), ACTION(compat_call),
    ACTION(spin), ACTION(write_much), ACTION(take_memory), ACTION(use_descriptors), ACTION(see_others),
};


static void
live(const cp_cage_t *cage, void (*act)(void), pid_t parent, int connection, int null, int report)
{
    cp_cage_keep_t  keep = { .connection = connection, .null = null, .first = 64, .last = 64 };
    const char     *failed;

    dup2(report, 64);
    failed = cp_cage_enter(cage, &keep, parent);
    if (failed != NULL) {
        dprintf(64, "not entered: %s: %s\n", failed, strerror(errno));
        _exit(1);
    }
    act();
    _exit(0);
}


static int
run(const cp_cage_t *cage, void (*act)(void), int null)
{
    pid_t parent = getpid(), pid;
    int   ends[2], status;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
        return 1;
    }

    pid = fork();
    if (pid == 0) {
        live(cage, act, parent, ends[1], null, 1);
    }
    if (pid == -1 || waitpid(pid, &status, 0) != pid) {
        return 1;
    }

    if (WIFSIGNALED(status)) {
        printf("signal %d\n", WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 1) {
        printf(WEXITSTATUS(status) == REFUSED ? "refused\n" : "returned\n");
    }

    return 0;
}


int
main(int argc, char **argv)
{
    cp_cage_t   cage = { .memory = (uint64_t) 256 << 20, .cpu_s = 1, .output = 64 << 20 };
    const char *failed = cp_cage_build(&cage);
    bool        bare = argc == 3 && strcmp(argv[1], "bare") == 0, weak;
    int         null = open("/dev/null", O_RDWR | O_CLOEXEC), status = 2;
    size_t      i;

    if (argc != (bare ? 3 : 2) || null == -1 || dup2(open("/etc/passwd", O_RDONLY), 9) == -1) {
        return 2;
    }
    if (failed == NULL && !bare) {
        failed = cp_cage_confine("nobody", &weak);
    }
    if (failed != NULL) {
        printf("not built: %s: %s\n", failed, strerror(errno));
    }

    for (i = 0; i < sizeof(actions) / sizeof(actions[0]) && failed == NULL; i++) {
        if (strcmp(actions[i].name, argv[bare ? 2 : 1]) == 0) {
            status = run(&cage, actions[i].act, null);
        }
    }
    cp_cage_free(&cage);

    return status;
}
