#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl.h"

#define NEEDS_DB     0x1u
#define NEEDS_KEYS   0x2u
#define NEEDS_ONE    0x4u    /* an argument after the words */
#define NEEDS_REDIS  0x8u

typedef struct {
    const char     *first;
    const char     *second;      /* NULL: the command is one word */
    unsigned        needs;
    ctl_command_fn  run;
    const char     *usage;
} command_t;

static const command_t commands[] = {
    { "migrate", NULL, NEEDS_DB, ctl_migrate,
      "[--dir FOLDER]   apply the migrations that the database lacks" },
    { "status", NULL, NEEDS_DB, ctl_status,
      "   what the database holds, as JSON" },
    { "keys", "new", 0, ctl_keys_new,
      "   add a key to the ring, or begin a ring" },
    { "staff", "add", NEEDS_DB | NEEDS_KEYS, ctl_staff_add,
      "--name NAME --roles a,b --certificate FILE [--id-number N]" },
    { "staff", "list", NEEDS_DB | NEEDS_KEYS, ctl_staff_list,
      "   as JSON" },
    { "staff", "disable", NEEDS_DB | NEEDS_ONE, ctl_staff_disable,
      "ID" },
    { "staff", "roles", NEEDS_DB | NEEDS_ONE, ctl_staff_roles,
      "ID --roles a,b" },
    { "account", "disable", NEEDS_DB | NEEDS_KEYS | NEEDS_REDIS | NEEDS_ONE, ctl_account_disable,
      "ID --reason TEXT   let an account in no more; its sessions end" },
    { "account", "enable", NEEDS_DB | NEEDS_KEYS | NEEDS_ONE, ctl_account_enable,
      "ID --reason TEXT   let it in again" },
    { "audit", "verify", NEEDS_DB, ctl_audit_verify,
      "--key FILE   walk the sealed audit trail; status 1 when a row was changed, removed or moved" },
    { "sweep-materials", NULL, NEEDS_DB, ctl_sweep_materials,
      "--store FOLDER [--s3-endpoint URL --s3-bucket NAME --s3-key-id ID --s3-secret-file FILE\n"
      "      --s3-region NAME --s3-prefix PREFIX --s3-ca FILE]   remove files that nothing names" },
    { "check-materials", NULL, NEEDS_DB | NEEDS_KEYS, ctl_check_materials,
      "--store FOLDER [--s3-…]   read every file that is named; status 1 when one is missing or was changed" },
    { "reconcile", NULL, NEEDS_DB, ctl_reconcile,
      "   every paid order against the ledger and the certificates; status 1 on a difference" },
    { "operations", NULL, 0, ctl_operations,
      "   the API's operations and codes, as JSON" },
};

#define COMMANDS  (sizeof(commands) / sizeof(commands[0]))


void
cp_log(cp_log_level_t level, const char *format, ...)
{
    va_list args;

    if (level <= CP_LOG_CLIENT) {
        return;
    }

    fputs("caportalctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}


int
ctl_fault(const char *format, ...)
{
    va_list args;

    fputs("caportalctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);

    return CTL_FAULT;
}


static int
usage(void)
{
    size_t i;

    fputs("usage: caportalctl [options] command\n\n", stderr);
    for (i = 0; i < COMMANDS; i++) {
        fprintf(stderr, "  %s %s%s%s\n", commands[i].first, commands[i].second == NULL ? "" : commands[i].second,
                commands[i].second == NULL ? "" : " ", commands[i].usage);
    }
    fputs("\n  --mysql-socket PATH | --mysql-host HOST[:PORT] [--mysql-ca FILE]\n"
          "  --user NAME  --password-file FILE  --database NAME  --key-ring FILE\n"
          "  --redis-socket PATH | --redis-host HOST[:PORT]  --redis-user NAME  --redis-password-file FILE\n"
          "  --redis-database N  --redis-prefix PREFIX\n"
          "  --config FILE   lines \"name value\" of the same options\n", stderr);

    return CTL_USAGE;
}


/* Sorts the arguments into options and words; false when an option is unknown or has no value. */
static bool
read_arguments(ctl_t *ctl, int argc, char **argv, const char *words[3])
{
    int i, count = 0;

    for (i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            if (i + 1 == argc || !ctl_set_option(&ctl->options, argv[i] + 2, argv[i + 1])) {
                ctl_fault("option \"%s\" is unknown or has no value", argv[i]);
                return false;
            }
            i++;
        } else if (count == 3) {
            return false;
        } else {
            words[count++] = argv[i];
        }
    }

    return count > 0;
}


static const command_t *
find_command(const char *words[3], const char **argument)
{
    const command_t *command;
    size_t           i, n;

    for (i = 0; i < COMMANDS; i++) {
        command = &commands[i];
        n = command->second == NULL ? 1 : 2;

        if (strcmp(command->first, words[0]) != 0
            || (n == 2 && (words[1] == NULL || strcmp(command->second, words[1]) != 0))
            || ((command->needs & NEEDS_ONE) != 0) != (words[n] != NULL) || (n == 1 && words[2] != NULL))
        {
            continue;
        }

        *argument = words[n];
        return command;
    }

    return NULL;
}


static int
run(ctl_t *ctl, int argc, char **argv)
{
    const char      *words[4] = { NULL, NULL, NULL, NULL };
    const command_t *command;

    if (!read_arguments(ctl, argc, argv, words)) {
        return usage();
    }

    command = find_command(words, &ctl->argument);
    if (command == NULL) {
        return usage();
    }

    if (ctl->options.config != NULL && !ctl_read_options(&ctl->options, ctl->arena, ctl->options.config)) {
        return CTL_USAGE;
    }

    if (((command->needs & NEEDS_KEYS) != 0 && !ctl_open_keys(ctl))
        || ((command->needs & NEEDS_REDIS) != 0 && !ctl_find_redis(ctl))
        || ((command->needs & NEEDS_DB) != 0 && !ctl_connect(ctl)))
    {
        return CTL_FAULT;
    }

    return command->run(ctl);
}


int
main(int argc, char **argv)
{
    ctl_t ctl = { .arena = cp_arena_new(64 * 1024) };
    int   status;

    if (ctl.arena == NULL || cp_db_library_init() != CP_OK) {
        return ctl_fault("out of memory");
    }

    status = run(&ctl, argc, argv);

    cp_db_close_thread();
    cp_redis_close_thread();
    cp_keyring_free(ctl.app.keys);
    cp_arena_free(ctl.arena);

    return status;
}
