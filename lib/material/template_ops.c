/*
 * The forms that a hall hands out to be filled, stamped and scanned, and pictures of what a good scan looks like. Their
 * paths come from the configuration alone.
 */
#include "material/material_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "material/material_rules.h"

#define SIZE_MAX_BYTES  (16 * 1024 * 1024)

static const struct {
    const char *ending;
    const char *type;
} kinds_of_file[] = {
    { ".pdf", "application/pdf" },
    { ".doc", "application/msword" },
    { ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    { ".xls", "application/vnd.ms-excel" },
    { ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
    { ".jpg", "image/jpeg" },
    { ".jpeg", "image/jpeg" },
    { ".jpe", "image/jpeg" },
    { ".jfif", "image/jpeg" },
    { ".png", "image/png" },
    { "", "application/octet-stream" },
};


static size_t
kind_of_file(cp_str_t path)
{
    size_t i = 0, n;

    for ( ;; i++) {
        n = strlen(kinds_of_file[i].ending);
        if (path.len >= n && strncasecmp(path.data + path.len - n, kinds_of_file[i].ending, n) == 0) {
            return i;
        }
    }
}


static cp_code_t
unreadable(const char *path, const char *why)
{
    cp_log(CP_LOG_ALERT, "template \"%s\" cannot be read: %s", path, why);

    return CP_E_STORE;
}


static cp_code_t
read_open_file(cp_arena_t *arena, int file, const char *path, cp_str_t *bytes)
{
    struct stat st;
    char       *data;
    size_t      n = 0;
    ssize_t     got;

    if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > SIZE_MAX_BYTES) {
        return unreadable(path, "not a regular file of at most 16 MiB");
    }

    data = cp_alloc(arena, (size_t) st.st_size + 1);
    if (data == NULL) {
        return CP_E_NO_MEMORY;
    }

    while (n < (size_t) st.st_size) {
        got = read(file, data + n, (size_t) st.st_size - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return unreadable(path, got == 0 ? "it became shorter" : strerrordesc_np(errno));
        }
        n += (size_t) got;
    }

    *bytes = cp_str_n(data, n);
    return CP_OK;
}


static cp_code_t
read_file(cp_arena_t *arena, cp_str_t name, cp_str_t *bytes)
{
    cp_str_t  path = cp_str_dup(arena, name);
    cp_code_t code;
    int       file;

    if (path.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    file = open(path.data, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file == -1) {
        return unreadable(path.data, strerrordesc_np(errno));
    }

    code = read_open_file(arena, file, path.data, bytes);
    close(file);

    return code;
}


/* `how`: whether a browser shows or saves it. */
static cp_code_t
answer_file(cp_call_t *call, cp_str_t path, cp_str_t stem, const char *how)
{
    size_t   kind = kind_of_file(path);
    cp_str_t bytes, name;

    CP_TRY(read_file(call->arena, path, &bytes));

    name = cp_download_name(call->arena, stem, kinds_of_file[kind].ending);
    if (name.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    cp_answer_header(call, "Content-Disposition", cp_str_printf(call->arena, "%s; filename=\"%s\"", how, name.data));
    cp_answer_header(call, "X-Content-Type-Options", CP_STR("nosniff"));
    cp_answer_header(call, "Cache-Control", CP_STR("no-cache"));

    return cp_answer_raw(call, 200, kinds_of_file[kind].type, bytes);
}


/* The rule of the hall and kind that the path names; NULL when there is none. */
static const cp_material_rule_t *
rule_of(const cp_call_t *call)
{
    const cp_hall_t *hall = cp_catalog_hall(&call->app->catalog, call->params[0]);

    return hall == NULL ? NULL : cp_hall_material(hall, call->params[1]);
}


cp_code_t
cp_op_template_get(cp_call_t *call)
{
    const cp_material_rule_t *rule = rule_of(call);

    if (rule == NULL || rule->template_file.len == 0) {
        return CP_E_NOT_FOUND;
    }

    return answer_file(call, rule->template_file, rule->kind, "attachment");
}


cp_code_t
cp_op_sample_get(cp_call_t *call)
{
    const cp_material_rule_t *rule = rule_of(call);

    if (rule == NULL || rule->sample_file.len == 0) {
        return CP_E_NOT_FOUND;
    }

    return answer_file(call, rule->sample_file, rule->kind, "inline");
}
