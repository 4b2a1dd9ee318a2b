/* The audit trail, and the files that nothing names any more. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "ctl.h"
#include "material/material.h"


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


int
ctl_sweep_materials(ctl_t *ctl)
{
    int64_t   removed = 0;
    cp_code_t code;

    if (ctl->options.store == NULL) {
        return ctl_fault("--store is needed");
    }
    ctl->app.store = cp_str(ctl->options.store);

    code = cp_material_sweep(&ctl->app, cp_now_ms(), &removed);
    printf("%lld files removed\n", (long long) removed);

    return code == CP_OK ? CTL_OK : ctl_fault("the sweep did not get through: %s", cp_error(code)->code);
}
