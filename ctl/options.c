/* Options from the command line and from a file, and what is opened by them. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

#define CONNECT_MS  5000u
#define IO_MS       600000u    /* a migration of a large table takes its time */

static const struct {
    const char *name;
    size_t      offset;
} names[] = {
    { "mysql-socket",  offsetof(ctl_options_t, mysql_socket) },
    { "mysql-host",    offsetof(ctl_options_t, mysql_host) },
    { "mysql-ca",      offsetof(ctl_options_t, mysql_ca) },
    { "user",          offsetof(ctl_options_t, user) },
    { "password-file", offsetof(ctl_options_t, password_file) },
    { "database",      offsetof(ctl_options_t, database) },
    { "key-ring",      offsetof(ctl_options_t, key_ring) },
    { "key",           offsetof(ctl_options_t, key) },
    { "store",         offsetof(ctl_options_t, store) },
    { "s3-endpoint",   offsetof(ctl_options_t, s3_endpoint) },
    { "s3-bucket",     offsetof(ctl_options_t, s3_bucket) },
    { "s3-region",     offsetof(ctl_options_t, s3_region) },
    { "s3-prefix",     offsetof(ctl_options_t, s3_prefix) },
    { "s3-ca",         offsetof(ctl_options_t, s3_ca) },
    { "s3-key-id",     offsetof(ctl_options_t, s3_key_id) },
    { "s3-secret-file", offsetof(ctl_options_t, s3_secret_file) },
    { "dir",           offsetof(ctl_options_t, dir) },
    { "name",          offsetof(ctl_options_t, name) },
    { "roles",         offsetof(ctl_options_t, roles) },
    { "certificate",   offsetof(ctl_options_t, certificate) },
    { "id-number",     offsetof(ctl_options_t, id_number) },
    { "config",        offsetof(ctl_options_t, config) },
    { "reason",        offsetof(ctl_options_t, reason) },
    { "redis-socket",  offsetof(ctl_options_t, redis_socket) },
    { "redis-host",    offsetof(ctl_options_t, redis_host) },
    { "redis-user",    offsetof(ctl_options_t, redis_user) },
    { "redis-password-file", offsetof(ctl_options_t, redis_password_file) },
    { "redis-database", offsetof(ctl_options_t, redis_database) },
    { "redis-prefix",  offsetof(ctl_options_t, redis_prefix) },
};


static const char **
option(ctl_options_t *options, const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            return (const char **) (void *) ((char *) options + names[i].offset);
        }
    }

    return NULL;
}


bool
ctl_set_option(ctl_options_t *options, const char *name, const char *value)
{
    const char **place = option(options, name);

    if (place == NULL) {
        return false;
    }
    *place = value;

    return true;
}


bool
ctl_read_options(ctl_options_t *options, cp_arena_t *arena, const char *path)
{
    cp_str_t     bytes;
    char        *line, *value, *save = NULL;
    const char **place;

    if (!ctl_read_file(arena, path, 65536, &bytes)) {
        return false;
    }

    for (line = strtok_r(bytes.data, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        if (line[0] == '#' || line[strspn(line, " \t\r")] == '\0') {
            continue;
        }

        value = line + strcspn(line, " \t");
        if (*value != '\0') {
            *value++ = '\0';
            value += strspn(value, " \t");
        }

        place = option(options, line);
        if (place == NULL || *value == '\0') {
            ctl_fault("%s: \"%s\" is no option or has no value", path, line);
            return false;
        }
        if (*place == NULL) {
            *place = value;
        }
    }

    return true;
}


bool
ctl_read_file(cp_arena_t *arena, const char *path, size_t max, cp_str_t *bytes)
{
    FILE  *file = fopen(path, "re");
    char  *data;
    size_t n;

    if (file == NULL) {
        ctl_fault("%s: %s", path, strerror(errno));
        return false;
    }

    data = cp_alloc(arena, max + 1);
    n = data == NULL ? 0 : fread(data, 1, max + 1, file);
    fclose(file);

    if (data == NULL || n > max) {
        ctl_fault("%s: it is larger than %zu bytes", path, max);
        return false;
    }

    data[n] = '\0';
    *bytes = cp_str_n(data, n);

    return true;
}


/* "host" or "host:port" of an option; *port is the usual one before. */
static bool
read_host(ctl_t *ctl, const char *name, const char *value, const char **host, int64_t *port)
{
    cp_str_t copy = cp_str_dup(ctl->arena, cp_str(value));
    char    *colon;

    if (copy.data == NULL) {
        return false;
    }

    colon = strrchr(copy.data, ':');
    if (colon != NULL) {
        *colon = '\0';
        if (!cp_str_number(cp_str(colon + 1), port) || *port < 1 || *port > 65535) {
            ctl_fault("--%s: \"%s\" is no port", name, colon + 1);
            return false;
        }
    }
    *host = copy.data;

    return true;
}


/* The first line of a file, NULL without one. */
static bool
read_password(ctl_t *ctl, const char *path, const char **password)
{
    cp_str_t bytes = CP_STR_NULL;

    if (path != NULL) {
        if (!ctl_read_file(ctl->arena, path, 1024, &bytes)) {
            return false;
        }
        bytes.data[strcspn(bytes.data, "\r\n")] = '\0';
    }
    *password = bytes.data;

    return true;
}


bool
ctl_connect(ctl_t *ctl)
{
    const ctl_options_t *options = &ctl->options;
    int64_t              port = 3306;
    cp_code_t            code;

    if ((options->mysql_socket == NULL) == (options->mysql_host == NULL) || options->user == NULL) {
        ctl_fault("--user and one of --mysql-socket and --mysql-host are needed");
        return false;
    }
    if (!read_password(ctl, options->password_file, &ctl->app.db.password)
        || (options->mysql_host != NULL
            && !read_host(ctl, "mysql-host", options->mysql_host, &ctl->app.db.host, &port)))
    {
        return false;
    }

    ctl->app.db.port = (unsigned) port;
    ctl->app.db.socket = options->mysql_socket;
    ctl->app.db.tls_ca = options->mysql_ca;
    ctl->app.db.user = options->user;
    ctl->app.db.database = options->database == NULL ? "caportal" : options->database;
    ctl->app.db.connect_ms = CONNECT_MS;
    ctl->app.db.io_ms = IO_MS;

    ctl->db = cp_db_use(&ctl->app.db, ctl->arena, &code);

    return ctl->db != NULL;
}


bool
ctl_find_redis(ctl_t *ctl)
{
    const ctl_options_t *options = &ctl->options;
    cp_redis_conf_t     *redis = &ctl->app.redis;
    int64_t              port = 6379, database = 0;

    if ((options->redis_socket == NULL) == (options->redis_host == NULL)) {
        ctl_fault("one of --redis-socket and --redis-host is needed: sessions are ended there");
        return false;
    }
    if (options->redis_database != NULL
        && (!cp_str_number(cp_str(options->redis_database), &database) || database > 1024))
    {
        ctl_fault("--redis-database: \"%s\" is no number of one", options->redis_database);
        return false;
    }
    if (!read_password(ctl, options->redis_password_file, &redis->password)
        || (options->redis_host != NULL && !read_host(ctl, "redis-host", options->redis_host, &redis->host, &port)))
    {
        return false;
    }

    redis->socket = options->redis_socket;
    redis->port = (int) port;
    redis->user = options->redis_user;
    redis->database = (int) database;
    redis->prefix = options->redis_prefix == NULL ? "caportal:" : options->redis_prefix;
    redis->timeout_ms = CONNECT_MS;

    return true;
}


bool
ctl_open_keys(ctl_t *ctl)
{
    const char *why;
    unsigned    line;

    if (ctl->options.key_ring == NULL) {
        ctl_fault("--key-ring is needed");
        return false;
    }

    ctl->app.keys = cp_keyring_read(ctl->options.key_ring, &why, &line);
    if (ctl->app.keys == NULL) {
        ctl_fault("%s:%u: %s", ctl->options.key_ring, line, why);
    }

    return ctl->app.keys != NULL;
}


int
ctl_db_fault(const ctl_t *ctl, const char *doing)
{
    return ctl_fault("%s: %s", doing, cp_db_message(ctl->db));
}
