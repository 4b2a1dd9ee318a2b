#include "account/sms_code_store.h"

#include "base/clock.h"

#define KEPT_MS  (2 * 86400 * 1000LL)

static const char *const sql_count[] = {
    [CP_SMS_BY_NUMBER] = "SELECT COUNT(*), MIN(created_at) FROM sms_code WHERE phone_index = ? AND created_at > ?",
    [CP_SMS_BY_ADDRESS] = "SELECT COUNT(*), MIN(created_at) FROM sms_code WHERE address_index = ? AND created_at > ?",
    [CP_SMS_BY_NETWORK] = "SELECT COUNT(*), MIN(created_at) FROM sms_code WHERE network = ? AND created_at > ?",
};

static const char sql_returned[] =
    "SELECT COUNT(*), COUNT(redeemed_at), MIN(created_at) FROM sms_code "
    "WHERE segment = ? AND created_at > ? AND (created_at <= ? OR redeemed_at IS NOT NULL)";

static const char sql_insert[] =
    "INSERT INTO sms_code (phone_index, segment, purpose, address_index, network, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?)";

static const char sql_remove[] = "DELETE FROM sms_code WHERE id = ?";

/* More than the one that is made at the time, so that rows never pile up. */
static const char sql_sweep[] = "DELETE FROM sms_code WHERE created_at < ? ORDER BY created_at LIMIT 20";

static const char sql_mark[] =
    "UPDATE sms_code SET redeemed_at = ? WHERE phone_index = ? AND purpose = ? AND redeemed_at IS NULL "
    "ORDER BY created_at DESC LIMIT 1";


cp_code_t
cp_sms_count(cp_call_t *call, const cp_sms_target_t *target, cp_sms_by_t by, int64_t since_ms, int64_t *count,
             int64_t *oldest_ms)
{
    const cp_str_t who[] = {
        [CP_SMS_BY_NUMBER] = target->index,
        [CP_SMS_BY_ADDRESS] = target->address.index,
        [CP_SMS_BY_NETWORK] = target->address.network,
    };

    CP_TRY(cp_call_db(call));

    return cp_db_row(call->db, sql_count[by], "si>ii", who[by], since_ms, count, oldest_ms);
}


cp_code_t
cp_sms_count_returned(cp_call_t *call, cp_str_t segment, int64_t since_ms, int64_t due_ms, int64_t *count,
                      int64_t *returned, int64_t *oldest_ms)
{
    CP_TRY(cp_call_db(call));

    return cp_db_row(call->db, sql_returned, "sii>iii", segment, since_ms, due_ms, count, returned, oldest_ms);
}


cp_code_t
cp_sms_insert(cp_call_t *call, const cp_sms_target_t *target, const char *purpose, int64_t *id)
{
    int64_t now = cp_now_ms();

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_exec(call->db, sql_insert, "sssssi", target->index, target->segment, cp_str(purpose),
                      target->address.index, target->address.network, now));
    *id = cp_db_insert_id(call->db);

    if (cp_db_exec(call->db, sql_sweep, "i", now - KEPT_MS) != CP_OK) {
        cp_log(CP_LOG_NOTICE, "old rows of codes were not removed: the next code's will do so");
    }

    return CP_OK;
}


cp_code_t
cp_sms_remove(cp_call_t *call, int64_t id)
{
    return cp_db_exec(call->db, sql_remove, "i", id);
}


cp_code_t
cp_sms_mark_returned(cp_call_t *call, cp_str_t index, const char *purpose)
{
    CP_TRY(cp_call_db(call));

    return cp_db_exec(call->db, sql_mark, "iss", cp_now_ms(), index, cp_str(purpose));
}
