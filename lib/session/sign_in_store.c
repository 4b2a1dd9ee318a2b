#include "session/sign_in_store.h"

#include "account/account_store.h"
#include "audit/audit_store.h"
#include "certificate/certificate_store.h"

static const char sql_holder[] =
    "SELECT s.id IS NOT NULL, " CP_CERTIFICATE_COLUMNS ", " CP_ACCOUNT_OWN ", NULL, " CP_ACCOUNT_PERSON " "
    CP_CERTIFICATE_FROM "LEFT JOIN person p ON p.id = a.person_id "
    "LEFT JOIN staff s ON s.certificate_sha256 = c.sha256 WHERE c.sha256 = ?";

/* One statement for each kind of session: what is not asked for is not joined. */
#define RECORD(joins, and)                                                                                             \
    CP_AUDIT_INSERT "SELECT " CP_AUDIT_MARKS " FROM account a " joins                                                  \
    "WHERE a.id = ? AND a.state = 'active' AND a.sessions_from = ? " and "LOCK IN SHARE MODE"
#define CERTIFICATE  "JOIN certificate c ON c.id = ? "
#define VALID        "AND c.state = 'valid' "
#define MEMBER       "JOIN unit u ON u.public_id = ? JOIN unit_member m ON m.unit_id = u.id AND m.account_id = a.id "

static const char sql_record[] = RECORD("", "");
static const char sql_record_of_unit[] = RECORD(MEMBER, "");
static const char sql_record_by_certificate[] = RECORD(CERTIFICATE, VALID);
static const char sql_record_by_certificate_of_unit[] = RECORD(CERTIFICATE MEMBER, VALID);


cp_code_t
cp_sign_in_holder(cp_call_t *call, cp_str_t sha256, cp_holder_t *holder)
{
    cp_account_raw_t     account;
    cp_certificate_raw_t certificate;
    int64_t              staff;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, sql_holder, "s>i" CP_CERTIFICATE_TYPES CP_ACCOUNT_TYPES, sha256, &staff,
                     CP_CERTIFICATE_TAKE(&holder->certificate, &certificate),
                     CP_ACCOUNT_TAKE(&holder->account, &account)));
    holder->staff = staff != 0;
    cp_certificate_take(&certificate, &holder->certificate);

    return cp_account_take(call, &account, &holder->account);
}


static cp_code_t
record(cp_call_t *call, const cp_account_t *account, const cp_audit_row_t *row)
{
    int64_t  certificate = call->who.certificate;
    cp_str_t unit = call->who.unit_id;

    if (certificate != 0 && unit.data != NULL) {
        return cp_db_exec(call->db, sql_record_by_certificate_of_unit, CP_AUDIT_TYPES "isii", CP_AUDIT_GIVE(row),
                          certificate, unit, account->id, account->sessions_from);
    }
    if (certificate != 0) {
        return cp_db_exec(call->db, sql_record_by_certificate, CP_AUDIT_TYPES "iii", CP_AUDIT_GIVE(row), certificate,
                          account->id, account->sessions_from);
    }
    if (unit.data != NULL) {
        return cp_db_exec(call->db, sql_record_of_unit, CP_AUDIT_TYPES "sii", CP_AUDIT_GIVE(row), unit, account->id,
                          account->sessions_from);
    }

    return cp_db_exec(call->db, sql_record, CP_AUDIT_TYPES "ii", CP_AUDIT_GIVE(row), account->id,
                      account->sessions_from);
}


cp_code_t
cp_sign_in_record(cp_call_t *call, const cp_account_t *account, const cp_audit_row_t *row, bool *stands)
{
    CP_TRY(cp_call_db(call));
    CP_TRY(record(call, account, row));
    *stands = cp_db_affected(call->db) == 1;

    return CP_OK;
}
