/* caportalctl: what an operator does outside the portal. One command a function, found in the table of main.c. */
#ifndef CP_CTL_H
#define CP_CTL_H

#include <stdbool.h>

#include "call/app.h"

/* How a command ends; the exit status of the program. */
#define CTL_OK     0
#define CTL_FAULT  1    /* it failed, or found what it looks for */
#define CTL_USAGE  2

/* Every option that a command can have; NULL where it was not given. */
typedef struct {
    const char *mysql_socket;
    const char *mysql_host;       /* host or host:port */
    const char *mysql_ca;
    const char *user;
    const char *password_file;
    const char *database;
    const char *key_ring;
    const char *key;              /* of the audit chain */
    const char *store;
    const char *s3_endpoint;
    const char *s3_bucket;
    const char *s3_region;
    const char *s3_prefix;
    const char *s3_ca;
    const char *s3_key_id;
    const char *s3_secret_file;
    const char *dir;
    const char *name;
    const char *roles;
    const char *certificate;
    const char *id_number;
    const char *config;
    const char *reason;
    const char *redis_socket;
    const char *redis_host;       /* host or host:port */
    const char *redis_user;
    const char *redis_password_file;
    const char *redis_database;
    const char *redis_prefix;
} ctl_options_t;

typedef struct {
    ctl_options_t  options;
    cp_arena_t    *arena;
    cp_app_t       app;            /* database, key ring and store, where the command's row says so */
    cp_db_t       *db;             /* likewise */
    const char    *argument;       /* what follows the command's words, or NULL */
} ctl_t;

typedef int (*ctl_command_fn)(ctl_t *ctl);

int ctl_migrate(ctl_t *ctl);
int ctl_status(ctl_t *ctl);
int ctl_keys_new(ctl_t *ctl);
int ctl_staff_add(ctl_t *ctl);
int ctl_staff_list(ctl_t *ctl);
int ctl_staff_disable(ctl_t *ctl);
int ctl_staff_roles(ctl_t *ctl);
int ctl_account_disable(ctl_t *ctl);
int ctl_account_enable(ctl_t *ctl);
int ctl_audit_verify(ctl_t *ctl);
int ctl_sweep_materials(ctl_t *ctl);
int ctl_check_materials(ctl_t *ctl);
int ctl_reconcile(ctl_t *ctl);
int ctl_operations(ctl_t *ctl);

/* Says on standard error what went wrong and returns CTL_FAULT. */
int ctl_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a failed database call, with the server's own words. */
int ctl_db_fault(const ctl_t *ctl, const char *doing);

/* A whole file of at most `max` bytes into the arena; false when it cannot be read (said on standard error). */
bool ctl_read_file(cp_arena_t *arena, const char *path, size_t max, cp_str_t *bytes);

/* Fills options from a file of lines "name value" and reads an option's own value; see main.c. */
bool ctl_read_options(ctl_options_t *options, cp_arena_t *arena, const char *path);
bool ctl_set_option(ctl_options_t *options, const char *name, const char *value);

/* The options' connection in ctl->db, key ring in ctl->app.keys; false when there is none (said on standard error). */
bool ctl_connect(ctl_t *ctl);
bool ctl_open_keys(ctl_t *ctl);

/* Where the sessions are, in ctl->app.redis; false when it is not said (said on standard error). */
bool ctl_find_redis(ctl_t *ctl);

#endif
