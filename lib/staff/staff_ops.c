#include "staff/staff_ops.h"

#include "staff/staff_store.h"


cp_code_t
cp_op_staff_session(cp_call_t *call)
{
    cp_str_t name;

    CP_TRY(cp_staff_name(call, &name));

    return cp_answer(call, 200, json_pack("{s:o, s:o, s:o}", "id", cp_json(call->who.staff_id), "name", cp_json(name),
                                          "roles", cp_words_json(cp_role_words, call->who.roles)));
}
