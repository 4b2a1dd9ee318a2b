#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "issuance/issuance.h"
#include "signer.h"

#define PROGRAM        "caportal-signer"
#define SEAL_AT_ONCE   500
#define SEAL_EVERY_MS  1000

static volatile sig_atomic_t stopping;


static void
stop(int number)
{
    (void) number;

    stopping = 1;
}


static bool
drop_rights(const char *user)
{
    const struct passwd *account;

    if (user == NULL || geteuid() != 0) {
        return true;
    }

    errno = 0;
    account = getpwnam(user);
    if (account == NULL) {
        cp_log(CP_LOG_ALERT, "there is no user \"%s\"", user);
        return false;
    }

    if (initgroups(user, account->pw_gid) != 0 || setgid(account->pw_gid) != 0 || setuid(account->pw_uid) != 0) {
        cp_log(CP_LOG_ALERT, "cannot become \"%s\": %s", user, strerrordesc_np(errno));
        return false;
    }

    return true;
}


/* Keys are in memory: no core file, no tracer, nothing readable by others. */
static void
harden(void)
{
    struct rlimit none = { 0, 0 };

    umask(0077);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}


static void
catch_signals(void)
{
    struct sigaction action = { .sa_handler = stop };

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);

    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}


static void
pause_ms(unsigned ms)
{
    struct timespec wait = { ms / 1000, (long) (ms % 1000) * 1000000 };

    nanosleep(&wait, NULL);
}


/* Claims and issues once. False: Redis does not answer. */
static bool
serve(signer_t *signer, signer_claim_kind_t kind, signer_claim_t *claim)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_code_t   code;

    memset(claim, 0, sizeof(*claim));
    if (arena == NULL) {
        return false;
    }

    code = signer_claim(signer, arena, kind, claim);
    if (code == CP_OK && claim->count != 0) {
        signer_run(signer, claim->ids, claim->count);
    }
    if (code == CP_OK && claim->crl) {
        signer_crls(signer, true);
    }
    if (code == CP_OK) {
        signer_acknowledge(signer, arena, claim);
    }
    cp_arena_free(arena);

    return code == CP_OK;
}


/* Rows that are committed and not done, straight from the ledger: what the stream lost, and what failed before. */
static void
sweep(signer_t *signer, int64_t after_ms)
{
    int64_t     ids[SIGNER_BATCH], now_ms = cp_now_ms();
    size_t      count = 0;
    cp_arena_t *arena;
    cp_db_t    *db;
    cp_code_t   code;

    do {
        arena = cp_arena_new(0);
        db = arena == NULL ? NULL : cp_db_use(&signer->app.db, arena, &code);
        if (db == NULL
            || cp_ledger_due(db, now_ms - after_ms, cp_now_ms() + 1, ids, (size_t) signer->batch, &count) != CP_OK)
        {
            count = 0;
        }
        cp_arena_free(arena);

        if (count != 0) {
            cp_log(CP_LOG_NOTICE, "the sweeper found %zu", count);
            signer_run(signer, ids, count);
        }
    } while (count == (size_t) signer->batch && !stopping);
}


static void
seal(signer_t *signer)
{
    int64_t     count = 0;
    cp_arena_t *arena;
    cp_db_t    *db;
    cp_code_t   code;

    do {
        arena = cp_arena_new(64 * 1024);
        db = arena == NULL ? NULL : cp_db_use(&signer->app.db, arena, &code);
        if (db == NULL || cp_audit_seal(db, arena, signer->audit_key, SEAL_AT_ONCE, &count) != CP_OK) {
            count = 0;
        }
        cp_arena_free(arena);
    } while (count == SEAL_AT_ONCE && !stopping);
}


static void
loop(signer_t *signer)
{
    int64_t        sealed_ms = 0, swept_ms = 0, now_ms;
    signer_claim_t claim;
    bool           alive;

    do {
        alive = serve(signer, SIGNER_CLAIM_OWN, &claim);
    } while (alive && claim.entry_count != 0 && !stopping);

    while (!stopping) {
        alive = serve(signer, SIGNER_CLAIM_NEW, &claim);
        if (!alive) {
            pause_ms(1000);
        }

        now_ms = cp_now_ms();
        if (now_ms - sealed_ms >= SEAL_EVERY_MS || now_ms < sealed_ms) {
            sealed_ms = now_ms;
            seal(signer);
        }
        if (claim.lost || now_ms - swept_ms >= signer->sweep_interval_ms || now_ms < swept_ms) {
            swept_ms = now_ms;
            sweep(signer, claim.lost || !alive ? 0 : signer->sweep_after_ms);
            (void) (alive && serve(signer, SIGNER_CLAIM_IDLE, &claim));
            signer_crls(signer, false);
        }
    }

    seal(signer);
}


static int
run(signer_t *signer)
{
    cp_code_t code;

    catch_signals();
    cp_log(CP_LOG_NOTICE, PROGRAM " starts");

    while (!stopping && (code = signer_issuers_store(signer)) != CP_OK) {
        if (code == CP_E_CONFLICT) {
            return 1;
        }
        pause_ms(1000);
    }
    if (!stopping) {
        signer_crls(signer, false);
        loop(signer);
    }

    cp_log(CP_LOG_NOTICE, PROGRAM " stops");

    return 0;
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
    const char     *path = NULL;
    cp_conf_fault_t fault = { .why = "cannot start" };
    signer_t        signer;
    bool            test = false;
    size_t          i;
    int             option, status = 0;

    while ((option = getopt(argc, argv, "c:t")) != -1) {
        if (option == 'c') {
            path = optarg;
        } else if (option == 't') {
            test = true;
        } else {
            return usage();
        }
    }
    if (path == NULL || optind != argc) {
        return usage();
    }

    memset(&signer, 0, sizeof(signer));
    signer.arena = cp_arena_new(0);
    if (signer.arena == NULL) {
        return 1;
    }

    harden();

    if (!signer_config_read(&signer, path, &fault) || !drop_rights(signer.user)
        || cp_db_library_init() != CP_OK || !signer_config_load(&signer, &fault))
    {
        fprintf(stderr, PROGRAM ": [emerg] %s in %s:%u\n", fault.why, path, fault.line);
        fprintf(stderr, PROGRAM ": configuration file %s test failed\n", path);
        status = 1;
    } else if (test) {
        fprintf(stderr, PROGRAM ": configuration file %s test is successful\n", path);
    } else {
        status = run(&signer);
    }

    cp_redis_close_thread();
    cp_db_close_thread();
    for (i = 0; i < signer.issuer_count; i++) {
        signer_issuer_close(&signer.issuers[i]);
    }
    cp_profiles_free(signer.profiles);
    cp_arena_free(signer.arena);

    return status;
}
