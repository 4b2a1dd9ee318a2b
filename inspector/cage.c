#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define NEW_FILES       16u            /* descriptors of a child, beside the resources */
#define NAMESPACES      (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

/*
 * What decoding takes, by experience: memory, its two descriptors, the connection. Nothing that opens, executes,
 * connects, forks, signals or looks at another process.
 */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
    SCMP_SYS(memfd_create), SCMP_SYS(sendfile),      /* a font as a file of its own, see resources.c */
    SCMP_SYS(clock_gettime), SCMP_SYS(getrandom),
    SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit_group),
#ifdef __SANITIZE_ADDRESS__
    SCMP_SYS(sigaltstack), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(openat), SCMP_SYS(readlink),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(prctl), SCMP_SYS(sched_yield), SCMP_SYS(prlimit64),
    SCMP_SYS(pipe2),
#endif
};


/*
 * Memory, but never memory that can be executed; fstat() by its newer name, but of a descriptor; what fdopen() and
 * FreeType do with one.
 */
static const struct {
    int                  call;
    struct scmp_arg_cmp  when;
} conditions[] = {
    { SCMP_SYS(mmap), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
    { SCMP_SYS(mprotect), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
    { SCMP_SYS(newfstatat), { 3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0 } },
    { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFL, 0 } },
    { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_SETFD, 0 } },
};


static int
add_rules(scmp_filter_ctx filter)
{
    size_t i;
    int    failed = 0;

    for (i = 0; i < COUNT(allowed) && failed == 0; i++) {
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    }

    for (i = 0; i < COUNT(conditions) && failed == 0; i++) {
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditions[i].call, 1, &conditions[i].when);
    }

    return failed;
}


/* libseccomp writes the program to a descriptor; children need it as memory. */
static bool
take_program(scmp_filter_ctx filter, struct sock_fprog *program)
{
    struct stat st;
    void       *bytes = NULL;
    int         fd = memfd_create("filter", MFD_CLOEXEC);
    bool        good = fd != -1 && seccomp_export_bpf(filter, fd) == 0 && fstat(fd, &st) == 0 && st.st_size > 0;

    if (good) {
        bytes = malloc((size_t) st.st_size);
        good = bytes != NULL && pread(fd, bytes, (size_t) st.st_size, 0) == st.st_size;
    }
    if (fd != -1) {
        close(fd);
    }
    if (!good) {
        free(bytes);
        return false;
    }

    program->filter = bytes;
    program->len = (unsigned short) ((size_t) st.st_size / sizeof(struct sock_filter));

    return true;
}


const char *
cp_cage_build(cp_cage_t *cage)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int             failed;
    bool            good;

    if (filter == NULL) {
        errno = ENOMEM;
        return "seccomp_init()";
    }

    failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (failed == 0) {
        failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    }
    if (failed == 0) {
        failed = add_rules(filter);
    }
    good = failed == 0 && take_program(filter, &cage->filter);
    seccomp_release(filter);

    if (failed != 0) {
        errno = -failed;
    }

    return good ? NULL : "the list of system calls";
}


void
cp_cage_free(cp_cage_t *cage)
{
    free(cage->filter.filter);
    cage->filter.filter = NULL;
}


static bool
write_line(const char *path, const char *text)
{
    int     fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n;

    if (fd == -1) {
        return false;
    }
    n = write(fd, text, strlen(text));
    close(fd);

    return n == (ssize_t) strlen(text);
}


/* user_namespaces(7): who we are outside stays who we are inside, with all capabilities there until drop_rights(). */
static bool
own_user_namespace(void)
{
    char  line[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (unshare(CLONE_NEWUSER | NAMESPACES) != 0) {
        return false;
    }

    snprintf(line, sizeof(line), "%u %u 1\n", uid, uid);
    if (!write_line("/proc/self/setgroups", "deny") || !write_line("/proc/self/uid_map", line)) {
        return false;
    }
    snprintf(line, sizeof(line), "%u %u 1\n", gid, gid);

    return write_line("/proc/self/gid_map", line);
}


/* A folder that exists no more: it is empty, and the kernel makes nothing in it, whoever asks. */
static bool
empty_root(void)
{
    char path[] = "/tmp/caportal-inspector-XXXXXX";
    int  fd;
    bool good;

    if (mkdtemp(path) == NULL) {
        return false;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = rmdir(path) == 0 && fd != -1 && fchdir(fd) == 0 && chroot(".") == 0;
    if (fd != -1) {
        close(fd);
    }

    return good;
}


/* Nor can it be gained again, by whatever way: capabilities(7), the bounding set. */
static bool
drop_bounds(void)
{
    unsigned long i;

    for (i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) {
            return false;
        }
    }

    return true;
}


/* A container's root may not do what root may. */
static bool
done_or_denied(bool done, bool *bare)
{
    if (!done && errno == EPERM) {
        *bare = true;
        return true;
    }

    return done;
}


static const char *
become(const char *user, bool *bare)
{
    const struct passwd *account;

    if (user == NULL) {
        errno = EINVAL;
        return "a user is needed, for root may not go on";
    }

    errno = 0;
    account = getpwnam(user);
    if (account == NULL) {
        errno = errno == 0 ? ENOENT : errno;
        return "the user";
    }

    /* The namespaces and the root need rights that go with the user. */
    if (account->pw_uid == 0 || !done_or_denied(unshare(NAMESPACES) == 0, bare)
        || !done_or_denied(empty_root(), bare) || !drop_bounds())
    {
        return "the namespaces and the empty root";
    }

    return setgroups(0, NULL) != 0 || setresgid(account->pw_gid, account->pw_gid, account->pw_gid) != 0
           || setresuid(account->pw_uid, account->pw_uid, account->pw_uid) != 0 ? "becoming the user" : NULL;
}


static bool
drop_rights(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct   none[_LINUX_CAPABILITY_U32S_3];

    memset(none, 0, sizeof(none));

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_capset, &head, none) == 0
           && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}


const char *
cp_cage_confine(const char *user, bool *bare)
{
    const char *failed = NULL;

    *bare = false;

    if (geteuid() == 0) {
        failed = become(user, bare);
    } else {
        *bare = !own_user_namespace() || !empty_root() || !drop_bounds();
    }

    if (failed == NULL && !drop_rights()) {
        failed = "giving up all rights";
    }

    return failed;
}


static bool
limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit both = { soft, hard };

    return setrlimit((__rlimit_resource_t) resource, &both) == 0;
}


static const char *
set_limits(const cp_cage_t *cage)
{
    /* The signal of the soft limit tells the parent why; the hard one comes for whoever would ignore it. */
    if (!limit(RLIMIT_CPU, cage->cpu_s, cage->cpu_s + 1) || !limit(RLIMIT_FSIZE, cage->output, cage->output)
        || !limit(RLIMIT_CORE, 0, 0) || !limit(RLIMIT_NOFILE, NEW_FILES, NEW_FILES) || !limit(RLIMIT_NPROC, 0, 0)
        || !limit(RLIMIT_MEMLOCK, 0, 0))
    {
        return "setrlimit()";
    }

#ifndef __SANITIZE_ADDRESS__      /* AddressSanitizer's shadow alone is terabytes of addresses */
    if (!limit(RLIMIT_AS, cage->memory, cage->memory)) {
        return "setrlimit(RLIMIT_AS)";
    }
#endif

    return NULL;
}


static bool
close_others(const cp_cage_keep_t *keep)
{
    unsigned first = CP_CAGE_CONNECTION + 1, last = ~0u;
    int      i;

    for (i = 0; i < 3; i++) {
        if (dup2(keep->null, i) == -1) {
            return false;
        }
    }
    if (keep->connection != CP_CAGE_CONNECTION && dup2(keep->connection, CP_CAGE_CONNECTION) == -1) {
        return false;
    }

    if (keep->last >= keep->first) {
        if (close_range(first, (unsigned) keep->first - 1, 0) != 0) {
            return false;
        }
        first = (unsigned) keep->last + 1;
    }

    return close_range(first, last, 0) == 0;
}


const char *
cp_cage_enter(const cp_cage_t *cage, const cp_cage_keep_t *keep, pid_t parent)
{
    sigset_t    none;
    const char *failed;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent) {
        return "the parent's end";
    }
    if (!close_others(keep)) {
        return "the descriptors";
    }

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    failed = set_limits(cage);
    if (failed == NULL && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)) {
        failed = "prctl()";
    }
    if (failed == NULL && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &cage->filter, 0, 0) != 0) {
        failed = "the filter of system calls";
    }

    return failed;
}
