#include "audit/audit.h"

#include <stdlib.h>

#include "audit/audit_store.h"
#include "base/clock.h"


static const char *
actor_kind(const cp_call_t *call)
{
    if (call->who.staff != 0) {
        return "staff";
    }
    if (call->who.account != 0) {
        return "applicant";
    }

    return call->operation != NULL ? "public" : "system";
}


cp_code_t
cp_audit(cp_call_t *call, const char *action, const char *object_kind, cp_str_t object_id, json_t *detail)
{
    char     *text = NULL;
    cp_code_t code;

    if (detail != NULL) {
        text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(detail);

        if (text == NULL) {
            return CP_E_NO_MEMORY;
        }
    }

    cp_audit_row_t row = {
        .created_ms = cp_now_ms(),
        .actor_kind = cp_str(actor_kind(call)),
        .actor_id = call->who.staff != 0 ? call->who.staff : call->who.account,
        .address = call->client_ip,
        .request_id = call->request_id,
        .action = cp_str(action),
        .object_kind = cp_str(object_kind),
        .object_id = object_id,
        .detail = cp_str(text),
    };

    code = cp_audit_insert(call->db, &row);
    free(text);

    return code;
}
