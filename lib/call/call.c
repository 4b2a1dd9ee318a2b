/* A call's bad fields and answer, and the transaction with its idempotency key. */
#include "call/call.h"

#include <string.h>

#include "base/clock.h"
#include "call/later.h"


void
cp_bad_field(cp_call_t *call, cp_str_t name, cp_field_code_t why)
{
    if (call->bad_count < CP_FIELDS_MAX) {
        call->bad[call->bad_count++] = (cp_bad_field_t) { name, why, CP_STR_NULL };
    }
}


cp_code_t
cp_fields_verdict(const cp_call_t *call)
{
    return call->bad_count == 0 ? CP_OK : CP_E_INVALID;
}


void
cp_problem(cp_call_t *call, const char *name, json_t *value)
{
    if (call->members == NULL) {
        call->members = json_object();
    }

    json_object_set_new(call->members, name, value);
}


cp_code_t
cp_answer(cp_call_t *call, int status, json_t *answer)
{
    json_decref(call->answer);

    call->status = status;
    call->answer = answer;

    return answer != NULL || status == 204 ? CP_OK : CP_E_NO_MEMORY;
}


cp_code_t
cp_answer_raw(cp_call_t *call, int status, const char *type, cp_str_t body)
{
    if (body.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    call->status = status;
    call->raw = body;
    call->raw_type = type;

    return CP_OK;
}


void
cp_answer_header(cp_call_t *call, const char *name, cp_str_t value)
{
    if (call->header_count < CP_HEADERS_MAX && value.data != NULL) {
        call->headers[call->header_count++] = (cp_header_t) { name, value };
    }
}


cp_code_t
cp_call_db(cp_call_t *call)
{
    cp_code_t code = CP_OK;

    if (call->db == NULL) {
        call->db = cp_db_use(&call->app->db, call->arena, &code);
    }

    return code;
}


json_t *
cp_json(cp_str_t text)
{
    return text.data == NULL ? json_null() : json_stringn(text.data, text.len);
}


json_t *
cp_json_time(cp_call_t *call, int64_t at_ms)
{
    return at_ms == 0 ? json_null() : cp_json(cp_time_text(call->arena, at_ms));
}


void
cp_call_reset(cp_call_t *call)
{
    json_decref(call->answer);
    json_decref(call->input);
    cp_later_drop(cp_later_take(call));
    json_decref(call->members);

    call->answer = NULL;
    call->input = NULL;
    call->members = NULL;
    call->ran = false;
    call->push = CP_STR_NULL;
    call->status = 0;
    call->raw = CP_STR_NULL;
    call->raw_type = NULL;
    call->in_parts = false;
    call->header_count = 0;
    call->code = CP_OK;
    call->bad_count = 0;
    call->retry_after_s = 0;
}


void
cp_call_end(cp_call_t *call)
{
    cp_call_reset(call);
}
