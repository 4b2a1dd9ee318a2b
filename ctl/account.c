/* Accounts: who is let in no more, and again. The portal's administrators can do the same, with a certificate. */
#include "account/account_change.h"
#include "ctl.h"

static const char find_sql[] = "SELECT id FROM account WHERE public_id = ?";


static cp_code_t
decide(ctl_t *ctl, cp_call_t *call, cp_str_t reason,
       cp_code_t (*apply)(cp_call_t *call, const cp_account_t *account, cp_str_t reason))
{
    cp_account_t account;
    int64_t      id;

    CP_TRY(cp_db_begin(ctl->db));
    CP_TRY(cp_db_row(ctl->db, find_sql, "s>i", cp_str(ctl->argument), &id));
    CP_TRY(cp_account_lock(call, id, &account));
    CP_TRY(apply(call, &account, reason));

    return cp_db_commit(ctl->db);
}


static int
run(ctl_t *ctl, cp_code_t (*apply)(cp_call_t *call, const cp_account_t *account, cp_str_t reason))
{
    cp_call_t call = { .app = &ctl->app, .arena = ctl->arena, .db = ctl->db };
    cp_str_t  reason = cp_str(ctl->options.reason);
    cp_code_t code;

    if (reason.data == NULL || reason.len == 0 || !cp_str_is_text(reason) || cp_str_chars(reason) > CP_ACCOUNT_REASON) {
        return ctl_fault("--reason: 1 to %d characters are needed", CP_ACCOUNT_REASON);
    }

    code = decide(ctl, &call, reason, apply);
    if (code == CP_OK) {
        return CTL_OK;
    }
    cp_db_rollback(ctl->db);

    return code == CP_E_NOT_FOUND  ? ctl_fault("no account has the id %s", ctl->argument)
           : code == CP_E_CONFLICT ? ctl_fault("the account %s is closed", ctl->argument)
           : code == CP_E_REDIS    ? ctl_fault("its sessions cannot be ended now: nothing was changed")
                                   : ctl_db_fault(ctl, ctl->argument);
}


int
ctl_account_disable(ctl_t *ctl)
{
    return run(ctl, cp_account_disable);
}


int
ctl_account_enable(ctl_t *ctl)
{
    return run(ctl, cp_account_enable);
}
