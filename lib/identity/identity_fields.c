/* The rules as checks for tables of fields. */
#include "identity/identity.h"

#include "base/clock.h"


cp_field_code_t
cp_field_mobile(const cp_call_t *call, cp_str_t value)
{
    return cp_mobile_matches(call->app->mobile, value) ? CP_F_END : CP_F_FORMAT;
}


cp_field_code_t
cp_field_id_number(const cp_call_t *call, cp_str_t value)
{
    cp_str_t upper = cp_upper(call->arena, value);

    return upper.data == NULL ? CP_F_FORMAT : cp_id_number_check(upper, cp_now_ms());
}


cp_field_code_t
cp_field_uscc(const cp_call_t *call, cp_str_t value)
{
    cp_str_t upper = cp_upper(call->arena, value);

    return upper.data == NULL ? CP_F_FORMAT : cp_uscc_check(upper);
}


cp_field_code_t
cp_field_person_name(const cp_call_t *call, cp_str_t value)
{
    (void) call;

    return cp_person_name_check(value);
}


cp_field_code_t
cp_field_email(const cp_call_t *call, cp_str_t value)
{
    (void) call;

    return cp_email_check(value);
}
