/*
 * Both checks go the same way: read and check the fields, ask the provider (outside any transaction: it may take
 * seconds), then record the evidence and what follows from it in one transaction. A deadlock in that transaction is
 * mended here rather than by running the operation again, which would ask, and pay, twice.
 */
#include "identity/identity_ops.h"

#include <stddef.h>

#include "account/login.h"
#include "call/fields.h"
#include "identity/identity_store.h"
#include "member/member_change.h"

#define TRIES  3

#define KIND_ENTERPRISE   0x01u
#define KIND_INSTITUTION  0x02u

static const cp_word_t kind_words[] = {
    { "enterprise",  KIND_ENTERPRISE },
    { "institution", KIND_INSTITUTION },
    { NULL,          0 }
};

typedef struct {
    cp_str_t  name;
    cp_str_t  id_number;
    cp_str_t  mobile;
} person_input_t;

static const cp_field_t person_fields[] = {
    { "name", CP_FIELD_TEXT, true, 2, 50, offsetof(person_input_t, name), cp_field_person_name, NULL },
    { "id_number", CP_FIELD_TEXT, true, 1, 40, offsetof(person_input_t, id_number), cp_field_id_number, NULL },
    { "mobile", CP_FIELD_TEXT, true, 1, 20, offsetof(person_input_t, mobile), cp_field_mobile, NULL },
};

typedef struct {
    unsigned  kind;
    cp_str_t  name;
    cp_str_t  uscc;
    cp_str_t  legal_name;
    cp_str_t  legal_id_number;
    bool      check_digit_fails;
} organization_input_t;

/* A wrong check digit does not keep the question from being asked: the provider does not charge for a code that it
 * does not know, and such codes have been issued. */
static cp_field_code_t
field_uscc_form(const cp_call_t *call, cp_str_t value)
{
    cp_field_code_t why = cp_field_uscc(call, value);

    return why == CP_F_CHECK_DIGIT ? CP_F_END : why;
}


static const cp_field_t organization_fields[] = {
    { "kind", CP_FIELD_CHOICE, true, 0, 0, offsetof(organization_input_t, kind), NULL, kind_words },
    { "name", CP_FIELD_TEXT, true, 2, 100, offsetof(organization_input_t, name), NULL, NULL },
    { "uscc", CP_FIELD_TEXT, true, 1, 40, offsetof(organization_input_t, uscc), field_uscc_form, NULL },
    { "legal_name", CP_FIELD_TEXT, true, 2, 50, offsetof(organization_input_t, legal_name), cp_field_person_name,
      NULL },
    { "legal_id_number", CP_FIELD_TEXT, true, 1, 40, offsetof(organization_input_t, legal_id_number),
      cp_field_id_number, NULL },
};


/* The evidence alone, of an answer that nothing follows from: the question was asked whatever else went wrong. */
static cp_code_t
record_only(cp_call_t *call, const char *product, cp_str_t subject, const cp_provider_answer_t *answer)
{
    CP_TRY(cp_call_db(call));
    cp_db_rollback(call->db);

    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_verification_record(call, product, subject, answer));

    return cp_db_commit(call->db);
}


static cp_code_t
conclude_person(cp_call_t *call, const person_input_t *in, cp_str_t index, const cp_provider_answer_t *answer)
{
    int64_t person;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_verification_record(call, "MOBILE_3", index, answer));

    if (answer->verdict == CP_VERDICT_MATCH) {
        CP_TRY(cp_person_keep(call, in->name, in->id_number, in->mobile, &person));
        CP_TRY(cp_account_set_person(call, call->who.account, person));
    }

    CP_TRY(cp_answer(call, 200, json_pack("{s:s}", "verdict", cp_verdict_name(answer->verdict))));

    return cp_call_commit(call);
}


static cp_code_t
ask_about_person(cp_call_t *call, const person_input_t *in, cp_str_t index)
{
    cp_provider_answer_t answer;
    cp_code_t            code = CP_E_RETRY;
    int                  i;

    CP_TRY(cp_provider_ask(call, "MOBILE_3",
                           json_pack("{s:o, s:s, s:o, s:o}", "name", cp_json(in->name), "idType", "ID_CARD", "idNo",
                                     cp_json(in->id_number), "mobile", cp_json(in->mobile)),
                           &answer));
    cp_provider_answer_end(&answer);

    if (answer.verdict == CP_VERDICT_ERROR) {
        CP_TRY(record_only(call, "MOBILE_3", index, &answer));
        return CP_E_EGRESS;
    }

    for (i = 0; i < TRIES && code == CP_E_RETRY; i++) {
        cp_db_rollback(call->db);
        code = conclude_person(call, in, index, &answer);
    }
    if (code != CP_OK) {
        CP_TRY(record_only(call, "MOBILE_3", index, &answer));
    }

    return code == CP_E_RETRY ? CP_E_BUSY : code;
}


/* The question is paid for: it is not asked for who can be reached in no way. */
static cp_code_t
check_reachable(cp_call_t *call)
{
    cp_account_t account;

    CP_TRY(cp_account_by_id(call, call->who.account, &account));

    if (account.phone.data != NULL) {
        return CP_OK;
    }
    cp_bad_field(call, CP_STR("phone"), CP_F_REQUIRED);

    return CP_E_INCOMPLETE;
}


cp_code_t
cp_op_identity_person(cp_call_t *call)
{
    person_input_t in;
    cp_person_t    known;
    cp_str_t       index;
    cp_code_t      code;

    CP_TRY(cp_body_read(call, person_fields, &in));
    CP_TRY(cp_call_replay(call));

    in.id_number = cp_upper(call->arena, in.id_number);
    if (in.id_number.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_person_index(call, in.id_number, &index));
    CP_TRY(check_reachable(call));

    code = cp_person_of_caller(call, &known);
    if (code == CP_OK && !cp_str_eq(known.index, index)) {
        return CP_E_ALREADY_EXISTS;
    }
    if (code != CP_OK && code != CP_E_NOT_VERIFIED) {
        return code;
    }

    return ask_about_person(call, &in, index);
}


/* A unit follows from a match; for an institution also from an absence, with letters in place of the register. */
static bool
makes_unit(const organization_input_t *in, cp_verdict_t verdict)
{
    return verdict == CP_VERDICT_MATCH
           || (verdict == CP_VERDICT_NO_RECORD && in->kind == KIND_INSTITUTION && !in->check_digit_fails);
}


static cp_code_t
answer_organization(cp_call_t *call, const cp_provider_answer_t *answer, cp_str_t unit)
{
    json_t *document = json_pack("{s:s}", "verdict", cp_verdict_name(answer->verdict));

    if (unit.data != NULL) {
        json_object_set_new(document, "unit", cp_json(unit));
    }
    if (answer->verdict == CP_VERDICT_MISMATCH && answer->fields != NULL) {
        json_object_set(document, "fields", answer->fields);
    }

    return cp_answer(call, 200, document);
}


static cp_code_t
act_for(cp_call_t *call, cp_str_t unit_id)
{
    CP_TRY(cp_db_begin(call->db));
    CP_TRY(cp_member_act_for(call, unit_id));

    return cp_db_commit(call->db);
}


static cp_code_t
conclude_organization(cp_call_t *call, const organization_input_t *in, cp_str_t index,
                      const cp_provider_answer_t *answer)
{
    bool      match = answer->verdict == CP_VERDICT_MATCH, disproved = false;
    cp_unit_t unit = { 0, CP_STR_NULL, cp_str(cp_word_name(kind_words, in->kind)), in->name, in->uscc,
                       in->legal_name, in->legal_id_number, match };

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_verification_record(call, "ENT_4", index, answer));

    if (makes_unit(in, answer->verdict)) {
        CP_TRY(cp_unit_keep(call, &unit, in->check_digit_fails, &disproved));
    }
    if (disproved) {
        CP_TRY(cp_member_remove_others(call, unit.id));
    }
    if (match) {
        CP_TRY(cp_company_proved(call, unit.name));
    }

    CP_TRY(answer_organization(call, answer, unit.public_id));
    CP_TRY(cp_call_commit(call));

    if (unit.id != 0 && act_for(call, unit.public_id) != CP_OK) {
        cp_log(CP_LOG_ERROR, "a session does not act for its new unit yet");
    }

    return CP_OK;
}


static cp_code_t
conclude_organization_once(cp_call_t *call, const organization_input_t *in, const cp_provider_answer_t *answer)
{
    cp_str_t  index;
    cp_code_t code = CP_E_RETRY;
    int       i;

    CP_TRY(cp_blind_index(call->app->keys, call->arena, "unit.uscc", in->uscc, &index));

    if (answer->verdict == CP_VERDICT_ERROR) {
        CP_TRY(record_only(call, "ENT_4", index, answer));
        return CP_E_EGRESS;
    }

    if (in->check_digit_fails && answer->verdict != CP_VERDICT_MATCH) {
        CP_TRY(record_only(call, "ENT_4", index, answer));
        cp_bad_field(call, CP_STR("uscc"), CP_F_CHECK_DIGIT);
        return CP_E_INVALID;
    }

    for (i = 0; i < TRIES && code == CP_E_RETRY; i++) {
        cp_db_rollback(call->db);
        code = conclude_organization(call, in, index, answer);
    }
    if (code != CP_OK) {
        CP_TRY(record_only(call, "ENT_4", index, answer));
    }

    return code == CP_E_RETRY ? CP_E_BUSY : code;
}


cp_code_t
cp_op_identity_organization(cp_call_t *call)
{
    organization_input_t in;
    cp_person_t          person;
    cp_provider_answer_t answer;
    cp_code_t            code;

    CP_TRY(cp_person_of_caller(call, &person));
    CP_TRY(cp_body_read(call, organization_fields, &in));
    CP_TRY(cp_call_replay(call));

    in.uscc = cp_upper(call->arena, in.uscc);
    in.legal_id_number = cp_upper(call->arena, in.legal_id_number);
    if (in.uscc.data == NULL || in.legal_id_number.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    in.check_digit_fails = cp_uscc_check(in.uscc) == CP_F_CHECK_DIGIT;

    code = cp_provider_ask(call, "ENT_4",
                           json_pack("{s:o, s:o, s:o, s:o}", "orgName", cp_json(in.name), "uscc", cp_json(in.uscc),
                                     "legalName", cp_json(in.legal_name), "legalIdNo", cp_json(in.legal_id_number)),
                           &answer);
    if (code == CP_OK) {
        code = conclude_organization_once(call, &in, &answer);
    }
    cp_provider_answer_end(&answer);

    return code;
}


cp_code_t
cp_op_units_list(cp_call_t *call)
{
    json_t *units;

    CP_TRY(cp_units_json(call, &units));

    return cp_answer(call, 200, json_pack("{s:o}", "units", units));
}
