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


/* "host" or "host:port" into the configuration. */
static bool
read_host(ctl_t *ctl)
{
    cp_str_t host = cp_str_dup(ctl->arena, cp_str(ctl->options.mysql_host));
    char    *colon;
    int64_t  port = 3306;

    if (host.data == NULL) {
        return false;
    }

    colon = strrchr(host.data, ':');
    if (colon != NULL) {
        *colon = '\0';
        if (!cp_str_number(cp_str(colon + 1), &port) || port < 1 || port > 65535) {
            ctl_fault("--mysql-host: \"%s\" is no port", colon + 1);
            return false;
        }
    }

    ctl->app.db.host = host.data;
    ctl->app.db.port = (unsigned) port;

    return true;
}


bool
ctl_connect(ctl_t *ctl)
{
    const ctl_options_t *options = &ctl->options;
    cp_str_t             password = CP_STR_NULL;
    cp_code_t            code;

    if ((options->mysql_socket == NULL) == (options->mysql_host == NULL) || options->user == NULL) {
        ctl_fault("--user and one of --mysql-socket and --mysql-host are needed");
        return false;
    }
    if (options->password_file != NULL) {
        if (!ctl_read_file(ctl->arena, options->password_file, 1024, &password)) {
            return false;
        }
        password.data[strcspn(password.data, "\r\n")] = '\0';
    }

    ctl->app.db.socket = options->mysql_socket;
    ctl->app.db.tls_ca = options->mysql_ca;
    ctl->app.db.user = options->user;
    ctl->app.db.password = password.data;
    ctl->app.db.database = options->database == NULL ? "caportal" : options->database;
    ctl->app.db.connect_ms = CONNECT_MS;
    ctl->app.db.io_ms = IO_MS;
    if (options->mysql_host != NULL && !read_host(ctl)) {
        return false;
    }

    ctl->db = cp_db_use(&ctl->app.db, ctl->arena, &code);

    return ctl->db != NULL;
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
