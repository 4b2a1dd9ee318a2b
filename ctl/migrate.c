/* Bringing the schema up to date: numbered files, each applied once, in order, under a lock that all nodes share. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl.h"
#include "db/script.h"

#define FILE_MAX  (8u * 1024 * 1024)

typedef struct {
    int64_t   number;
    cp_str_t  name;
    cp_str_t  path;
    cp_str_t  sql;
    cp_str_t  sha256;
} migration_t;

static const char lock_sql[] = "SELECT GET_LOCK('caportal migrate', 30)";

static const char table_sql[] =
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    " number INT NOT NULL,"
    " name VARCHAR(120) NOT NULL,"
    " sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
    " statements INT NOT NULL COMMENT 'done so far',"
    " started_at BIGINT NOT NULL,"
    " finished_at BIGINT NULL,"
    " PRIMARY KEY (number)"
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

static const char find_sql[] =
    "SELECT name, sha256, statements, finished_at IS NOT NULL FROM schema_migration WHERE number = ?";

static const char begin_sql[] =
    "INSERT INTO schema_migration (number, name, sha256, statements, started_at) VALUES (?, ?, ?, 0, ?)";

static const char step_sql[] = "UPDATE schema_migration SET statements = ? WHERE number = ?";

static const char finish_sql[] = "UPDATE schema_migration SET finished_at = ? WHERE number = ?";


/* NNNN_name.sql */
static int
is_migration(const struct dirent *entry)
{
    const char *name = entry->d_name, *dot = strrchr(name, '.');

    return strspn(name, "0123456789") == 4 && name[4] == '_' && dot != NULL && strcmp(dot, ".sql") == 0;
}


static bool
read_migration(ctl_t *ctl, const char *dir, const char *name, migration_t *migration)
{
    migration->number = strtol(name, NULL, 10);
    migration->name = cp_str_dup(ctl->arena, cp_str(name));
    migration->path = cp_str_printf(ctl->arena, "%s/%s", dir, name);

    if (migration->name.data == NULL || migration->path.data == NULL
        || !ctl_read_file(ctl->arena, migration->path.data, FILE_MAX, &migration->sql))
    {
        return false;
    }

    migration->sha256 = cp_sha256_hex(ctl->arena, migration->sql);

    return migration->sha256.data != NULL;
}


/* Each statement's number is recorded: DDL commits by itself, so a file that fails half-way stays half-applied. */
static int
apply(ctl_t *ctl, const migration_t *migration)
{
    cp_str_t    rest = migration->sql, statement;
    cp_script_t found;
    int64_t     done = 0;

    if (cp_db_exec(ctl->db, begin_sql, "issi", migration->number, migration->name, migration->sha256, cp_now_ms())
        != CP_OK)
    {
        return ctl_db_fault(ctl, "recording the migration");
    }

    while ((found = cp_script_next(&rest, &statement)) == CP_SCRIPT_STATEMENT) {
        if (cp_db_script(ctl->db, statement) != CP_OK) {
            return ctl_fault("%s: statement %lld failed: %s", migration->name.data, (long long) done + 1,
                             cp_db_message(ctl->db));
        }
        done++;
        if (cp_db_exec(ctl->db, step_sql, "ii", done, migration->number) != CP_OK) {
            return ctl_db_fault(ctl, "recording the migration");
        }
    }

    if (found == CP_SCRIPT_UNCLOSED) {
        return ctl_fault("%s: after statement %lld a string or comment is not closed", migration->name.data,
                         (long long) done);
    }
    if (cp_db_exec(ctl->db, finish_sql, "ii", cp_now_ms(), migration->number) != CP_OK) {
        return ctl_db_fault(ctl, "recording the migration");
    }

    printf("%s applied, %lld statements\n", migration->name.data, (long long) done);

    return CTL_OK;
}


static int
bring_up(ctl_t *ctl, const migration_t *migration)
{
    cp_str_t  name, sha256;
    int64_t   statements, finished;
    cp_code_t code;

    code = cp_db_row(ctl->db, find_sql, "i>ssii", migration->number, &name, &sha256, &statements, &finished);

    if (code == CP_E_NOT_FOUND) {
        return apply(ctl, migration);
    }
    if (code != CP_OK) {
        return ctl_db_fault(ctl, "reading schema_migration");
    }

    if (!finished) {
        return ctl_fault("%s is half-applied: it stopped after statement %lld. Finish or undo it by hand, then set "
                         "finished_at of, or delete, row %lld of schema_migration", name.data, (long long) statements,
                         (long long) migration->number);
    }
    if (!cp_str_eq(name, migration->name)) {
        return ctl_fault("migration %lld was applied as %s, and is now %s", (long long) migration->number, name.data,
                         migration->name.data);
    }
    if (!cp_str_eq(sha256, migration->sha256)) {
        return ctl_fault("%s was changed after it was applied: put it back, and write a new migration",
                         migration->name.data);
    }

    return CTL_OK;
}


static int
bring_up_all(ctl_t *ctl, const char *dir, struct dirent **entries, int count)
{
    migration_t migration;
    int         i;

    for (i = 0; i < count; i++) {
        if (i > 0 && strncmp(entries[i - 1]->d_name, entries[i]->d_name, 4) == 0) {
            return ctl_fault("%s and %s have the same number", entries[i - 1]->d_name, entries[i]->d_name);
        }
    }

    for (i = 0; i < count; i++) {
        if (!read_migration(ctl, dir, entries[i]->d_name, &migration) || bring_up(ctl, &migration) != CTL_OK) {
            return CTL_FAULT;
        }
    }

    printf("%d migrations: up to date\n", count);

    return CTL_OK;
}


int
ctl_migrate(ctl_t *ctl)
{
    const char     *dir = ctl->options.dir == NULL ? "deploy/schema" : ctl->options.dir;
    struct dirent **entries;
    int64_t         locked;
    int             i, count, status;

    count = scandir(dir, &entries, is_migration, alphasort);
    if (count <= 0) {
        return ctl_fault("%s: no file NNNN_name.sql there", dir);
    }

    if (cp_db_row(ctl->db, lock_sql, ">i", &locked) != CP_OK || locked != 1) {
        status = ctl_fault("another migration is running");
    } else if (cp_db_script(ctl->db, CP_STR(table_sql)) != CP_OK) {
        status = ctl_db_fault(ctl, "creating schema_migration");
    } else {
        status = bring_up_all(ctl, dir, entries, count);
    }

    for (i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);

    return status;
}
