#include "identity/identity_store.h"

#include "audit/audit.h"
#include "base/clock.h"

static const char sql_verification[] =
    "INSERT INTO verification (request_id, account_id, product, subject_index, verdict, vendor_serial, billed, "
    "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

static const char sql_person_of_account[] =
    "SELECT p.id, p.name_sealed, p.id_number_sealed, p.id_number_index FROM account a "
    "JOIN person p ON p.id = a.person_id WHERE a.id = ?";

static const char sql_person_by_id[] =
    "SELECT id, name_sealed, id_number_sealed, id_number_index FROM person WHERE id = ?";

static const char sql_person_lock[] =
    "SELECT id, name_sealed FROM person WHERE id_number_index = ? FOR UPDATE";

static const char sql_person_insert[] =
    "INSERT INTO person (id_number_index, id_number_sealed, name_sealed, mobile_sealed, created_at) "
    "VALUES (?, ?, ?, ?, ?)";

static const char sql_person_update[] =
    "UPDATE person SET mobile_sealed = ? WHERE id = ?";


cp_code_t
cp_verification_record(cp_call_t *call, const char *product, cp_str_t subject, const cp_provider_answer_t *answer)
{
    const char *verdict = cp_verdict_name(answer->verdict);

    CP_TRY(cp_db_exec(call->db, sql_verification, "sissssii", answer->request_id, call->who.account, cp_str(product),
                      subject, cp_str(verdict), answer->vendor_serial, (int64_t) answer->billed, cp_now_ms()));

    return cp_audit(call, "identity.verify", "verification", answer->request_id,
                    json_pack("{s:s, s:s}", "product", product, "verdict", verdict));
}


cp_code_t
cp_person_index(cp_call_t *call, cp_str_t id_number, cp_str_t *index)
{
    return cp_blind_index(call->app->keys, call->arena, "person.id_number", id_number, index);
}


cp_code_t
cp_person_open(cp_call_t *call, cp_str_t name, cp_str_t id_number, cp_person_t *person)
{
    CP_TRY(cp_column_open(call->app->keys, call->arena, "person.name", name, &person->name));

    return cp_column_open(call->app->keys, call->arena, "person.id_number", id_number, &person->id_number);
}


cp_code_t
cp_person_of_caller(cp_call_t *call, cp_person_t *person)
{
    cp_str_t  name, id_number;
    cp_code_t code;

    CP_TRY(cp_call_db(call));

    code = cp_db_row(call->db, sql_person_of_account, "i>isss", call->who.account, &person->id, &name, &id_number,
                     &person->index);
    if (code == CP_E_NOT_FOUND) {
        return CP_E_NOT_VERIFIED;
    }
    CP_TRY(code);

    return cp_person_open(call, name, id_number, person);
}


cp_code_t
cp_person_by_id(cp_call_t *call, int64_t id, cp_person_t *person)
{
    cp_str_t name, id_number;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_person_by_id, "i>isss", id, &person->id, &name, &id_number, &person->index));

    return cp_person_open(call, name, id_number, person);
}


static cp_code_t
insert_person(cp_call_t *call, cp_str_t name, cp_str_t id_number, cp_str_t index, cp_str_t mobile_sealed, int64_t *id)
{
    cp_str_t name_sealed, id_number_sealed;

    CP_TRY(cp_column_seal(call->app->keys, call->arena, "person.name", name, &name_sealed));
    CP_TRY(cp_column_seal(call->app->keys, call->arena, "person.id_number", id_number, &id_number_sealed));
    CP_TRY(cp_db_exec(call->db, sql_person_insert, "ssssi", index, id_number_sealed, name_sealed, mobile_sealed,
                      cp_now_ms()));

    *id = cp_db_insert_id(call->db);
    return CP_OK;
}


cp_code_t
cp_person_keep(cp_call_t *call, cp_str_t name, cp_str_t id_number, cp_str_t mobile, int64_t *id)
{
    cp_str_t  index, sealed, known, mobile_sealed;
    cp_code_t code;

    CP_TRY(cp_person_index(call, id_number, &index));
    CP_TRY(cp_column_seal(call->app->keys, call->arena, "person.mobile", mobile, &mobile_sealed));

    code = cp_db_row(call->db, sql_person_lock, "s>is", index, id, &sealed);
    if (code == CP_E_NOT_FOUND) {
        code = insert_person(call, name, id_number, index, mobile_sealed, id);

        /* Another account was verified as the same person meanwhile: the operation finds the row at its next try. */
        return code == CP_E_DUPLICATE ? CP_E_RETRY : code;
    }
    CP_TRY(code);

    CP_TRY(cp_column_open(call->app->keys, call->arena, "person.name", sealed, &known));
    if (!cp_str_eq(known, name)) {
        return CP_E_CONFLICT;
    }

    return cp_db_exec(call->db, sql_person_update, "si", mobile_sealed, *id);
}
