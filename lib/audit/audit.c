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


static cp_code_t
text_of(cp_call_t *call, json_t *detail, cp_str_t *text)
{
    char *dump;

    *text = CP_STR_NULL;
    if (detail == NULL) {
        return CP_OK;
    }

    dump = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(detail);
    if (dump != NULL) {
        *text = cp_str_dup(call->arena, cp_str(dump));
        free(dump);
    }

    return text->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_audit_row(cp_call_t *call, const char *action, const char *object_kind, cp_str_t object_id, json_t *detail,
             cp_audit_row_t *row)
{
    cp_str_t text;

    CP_TRY(text_of(call, detail, &text));

    *row = (cp_audit_row_t) {
        .created_ms = cp_now_ms(),
        .actor_kind = cp_str(actor_kind(call)),
        .actor_id = call->who.staff != 0 ? call->who.staff : call->who.account,
        .address = call->client_ip,
        .request_id = call->request_id,
        .action = cp_str(action),
        .object_kind = cp_str(object_kind),
        .object_id = object_id,
        .detail = text,
    };

    return CP_OK;
}


cp_code_t
cp_audit(cp_call_t *call, const char *action, const char *object_kind, cp_str_t object_id, json_t *detail)
{
    cp_audit_row_t row;

    CP_TRY(cp_audit_row(call, action, object_kind, object_id, detail, &row));

    return cp_audit_insert(call->db, &row);
}
