/* The audit trail; the stored files: whether they are whole, and those that nothing names any more. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "ctl.h"
#include "material/material.h"
#include "material/material_check.h"


int
ctl_audit_verify(ctl_t *ctl)
{
    cp_audit_report_t report;
    cp_str_t          text, key;
    json_t           *shown;

    if (ctl->options.key == NULL || !ctl_read_file(ctl->arena, ctl->options.key, 1024, &text)) {
        return ctl_fault("--key must name the file of the key of the chain");
    }
    if (!cp_str_unhex(ctl->arena, cp_str_n(text.data, strcspn(text.data, "\r\n")), &key) || key.len != CP_KEY_SIZE) {
        return ctl_fault("%s: expected %d hexadecimal digits", ctl->options.key, 2 * CP_KEY_SIZE);
    }

    if (cp_audit_verify(ctl->db, ctl->arena, key, &report) != CP_OK) {
        return ctl_db_fault(ctl, "reading the audit trail");
    }

    shown = json_pack("{s:I, s:I, s:I, s:s?}", "rows", (json_int_t) report.rows, "seals", (json_int_t) report.seals,
                      "unsealed", (json_int_t) report.unsealed, "fault", report.where.data);
    json_dumpf(shown, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(shown);

    return report.where.data == NULL ? CTL_OK : CTL_FAULT;
}


/* The store that --store and, with a bucket, the --s3-… options name. */
static int
set_store(ctl_t *ctl)
{
    const ctl_options_t *options = &ctl->options;
    cp_s3_conf_t        *s3;
    cp_str_t             secret;

    if (options->store == NULL) {
        return ctl_fault("--store is needed");
    }
    ctl->app.store.folder = cp_str(options->store);

    if (options->s3_endpoint == NULL) {
        return CTL_OK;
    }
    if (options->s3_bucket == NULL || options->s3_key_id == NULL || options->s3_secret_file == NULL) {
        return ctl_fault("--s3-endpoint needs --s3-bucket, --s3-key-id and --s3-secret-file");
    }
    if (!ctl_read_file(ctl->arena, options->s3_secret_file, 4096, &secret)) {
        return CTL_FAULT;
    }

    s3 = cp_alloc(ctl->arena, sizeof(cp_s3_conf_t));
    if (s3 == NULL) {
        return ctl_fault("out of memory");
    }
    *s3 = (cp_s3_conf_t) {
        .endpoint = options->s3_endpoint,
        .bucket = options->s3_bucket,
        .region = options->s3_region == NULL ? "us-east-1" : options->s3_region,
        .prefix = options->s3_prefix == NULL ? "" : options->s3_prefix,
        .ca = options->s3_ca,
        .key_id = cp_str(options->s3_key_id),
        .key_secret = cp_str_n(secret.data, strcspn(secret.data, "\r\n")),
        .timeout_ms = 30000,
    };
    ctl->app.store.s3 = s3;

    return CTL_OK;
}


int
ctl_sweep_materials(ctl_t *ctl)
{
    int64_t   removed = 0;
    cp_code_t code;

    if (set_store(ctl) != CTL_OK) {
        return CTL_FAULT;
    }

    code = cp_material_sweep(&ctl->app, cp_now_ms(), &removed);
    printf("%lld files removed\n", (long long) removed);

    return code == CP_OK ? CTL_OK : ctl_fault("the sweep did not get through: %s", cp_error(code)->code);
}


int
ctl_check_materials(ctl_t *ctl)
{
    int64_t   files = 0, damaged = 0;
    cp_code_t code;

    if (set_store(ctl) != CTL_OK) {
        return CTL_FAULT;
    }

    code = cp_material_check(&ctl->app, &files, &damaged);
    printf("%lld files, %lld damaged\n", (long long) files, (long long) damaged);
    if (code != CP_OK) {
        return ctl_fault("the check did not get through: %s", cp_error(code)->code);
    }

    return damaged == 0 ? CTL_OK : CTL_FAULT;
}
