#include "account/sms_code.h"

#include "account/sms_limits.h"
#include "account/sms_returned.h"
#include "base/metric.h"
#include "base/random.h"
#include "notify/sms.h"

#define NONCE_BYTES  12
#define NONCE        16    /* characters of it */

const cp_word_t cp_sms_purpose_words[] = {
    { "login",          CP_SMS_FOR_LOGIN },
    { "reset_password", CP_SMS_FOR_RESET_PASSWORD },
    { "change_phone",   CP_SMS_FOR_CHANGE_PHONE },
    { "confirm",        CP_SMS_FOR_CONFIRM },
    { "lost_phone",     CP_SMS_FOR_LOST_PHONE },
    { NULL,             0 }
};


/* One code a number, purpose and subject: who asks for another subject takes nobody's code away. */
static cp_str_t
record_key(cp_call_t *call, cp_str_t name, unsigned purpose, cp_str_t subject)
{
    cp_str_t full = cp_str_printf(call->arena, "%s:%s:%.*s", cp_word_name(cp_sms_purpose_words, purpose), name.data,
                                  (int) subject.len, subject.data);

    return full.data == NULL ? full : cp_redis_key(&call->app->redis, call->arena, "sms", full);
}


/* What stands for the code in Redis: without the key ring, a million hashes would find it. */
static cp_code_t
code_mac(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code, cp_str_t *mac)
{
    cp_str_t text, bytes;

    text = cp_str_printf(call->arena, "%s\n%.*s\n%.*s\n%.*s", cp_word_name(cp_sms_purpose_words, purpose),
                         (int) phone.len, phone.data, (int) subject.len, subject.data, (int) code.len, code.data);
    if (text.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_keyring_mac(call->app->keys, call->arena, "sms", text, &bytes));

    *mac = cp_str_hex(call->arena, bytes);
    return mac->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/*
 * What the asker alone is told, and must say with the code if it says anything: a nonce, and a code of everything under
 * the key ring. Nothing of it is stored.
 */
static cp_str_t
request_of(cp_call_t *call, cp_str_t nonce, cp_str_t mac)
{
    cp_str_t text, seal;

    text = cp_str_printf(call->arena, "%.*s\n%.*s", (int) nonce.len, nonce.data, (int) mac.len, mac.data);
    if (text.data == NULL || cp_keyring_mac(call->app->keys, call->arena, "sms request", text, &seal) != CP_OK) {
        return CP_STR_NULL;
    }
    text = cp_str_hex(call->arena, cp_str_n(seal.data, seal.len / 2));

    return text.data == NULL ? text : cp_str_printf(call->arena, "%.*s%s", (int) nonce.len, nonce.data, text.data);
}


/* A message that may be on its way has been paid for, and counts: only the next one may be asked for at once. */
static void
withdraw(cp_call_t *call, cp_str_t record, const cp_sms_taken_t *taken, int64_t row, bool paid)
{
    bool done = cp_limit_forget(&call->app->redis, record) == CP_OK;

    done = cp_sms_limits_give_back(call, taken, paid) == CP_OK && done;
    if (row != 0 && !paid) {
        done = cp_sms_remove(call, row) == CP_OK && done;
    }
    if (!done) {
        cp_log(CP_LOG_ERROR, "a code that was not sent could not be withdrawn");
    }
}


/* The row first: what was sent is counted whatever happens to us. */
static cp_code_t
send_counted(cp_call_t *call, const cp_sms_target_t *target, unsigned purpose, cp_str_t code, cp_str_t record,
             const cp_sms_taken_t *taken)
{
    const char   *word = cp_word_name(cp_sms_purpose_words, purpose);
    cp_sms_fate_t fate = CP_SMS_REFUSED;
    int64_t       row = 0;
    cp_code_t     result;

    result = cp_sms_insert(call, target, word, &row);
    if (result == CP_OK) {
        result = cp_sms_send_code(call, target->phone, code, &fate);
    }

    if (result != CP_OK) {
        withdraw(call, record, taken, row, fate == CP_SMS_UNKNOWN);
        return result == CP_E_RETRY ? CP_E_BUSY : result;
    }

    cp_metric(CP_METRIC_SMS_SENT);
    return CP_OK;
}


cp_code_t
cp_sms_code_send_to(cp_call_t *call, const cp_sms_target_t *target, unsigned purpose, cp_str_t subject,
                    cp_sms_sent_t *sent)
{
    cp_limit_record_t record = { CP_STR_NULL, CP_STR_NULL, CP_SMS_CODE_LIVE_S };
    cp_sms_taken_t    taken;
    cp_str_t          code = cp_random_digits(call->arena, CP_SMS_CODE_DIGITS);
    cp_str_t          nonce = cp_random_id(call->arena, NONCE_BYTES);

    if (code.data == NULL || nonce.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(code_mac(call, target->phone, purpose, subject, code, &record.mac));
    record.key = record_key(call, target->name, purpose, subject);
    sent->request = request_of(call, nonce, record.mac);
    if (sent->request.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_sms_limits_take(call, target, &record, &taken));
    sent->resend_after_s = taken.wait_s;
    sent->left_today = taken.left_today;

    return send_counted(call, target, purpose, code, record.key, &taken);
}


cp_code_t
cp_sms_code_send(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject)
{
    cp_sms_target_t target;
    cp_sms_sent_t   sent;

    CP_TRY(cp_sms_target(call, phone, &target));

    return cp_sms_code_send_to(call, &target, purpose, subject, &sent);
}


cp_code_t
cp_sms_code_sent(cp_call_t *call, const cp_sms_sent_t *sent, json_t **json)
{
    (void) call;

    *json = json_pack("{s:i, s:i, s:i, s:o}", "resend_after", (int) sent->resend_after_s, "expires_in",
                      CP_SMS_CODE_LIVE_S, "tries", CP_SMS_CODE_TRIES, "request", cp_json(sent->request));
    if (*json != NULL && sent->left_today >= 0) {
        json_object_set_new(*json, "codes_left_today", json_integer(sent->left_today));
    }

    return *json == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
cp_sms_code_claim(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code,
                  cp_limit_code_t *claim)
{
    cp_str_t index, name;

    CP_TRY(cp_blind_index(call->app->keys, call->arena, "account.phone", phone, &index));
    name = cp_str_hex(call->arena, index);
    if (name.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(code_mac(call, phone, purpose, subject, code, &claim->mac));
    claim->key = record_key(call, name, purpose, subject);
    claim->tries = CP_SMS_CODE_TRIES;
    if (claim->key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    return cp_sms_returned_note(call, name, cp_word_name(cp_sms_purpose_words, purpose), claim);
}


cp_code_t
cp_sms_code_bind(cp_call_t *call, cp_str_t request, cp_limit_code_t *claim)
{
    cp_str_t right;

    right = request_of(call, cp_str_n(request.data, request.len < NONCE ? request.len : NONCE), claim->mac);
    if (right.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    /* No record has this: the claim fails as one with a wrong code does, and is a try. */
    if (!cp_str_eq_secret(request, right)) {
        claim->mac = CP_STR("-");
    }

    return CP_OK;
}


void
cp_sms_code_refused(cp_call_t *call, const cp_limit_code_t *claim)
{
    unsigned left;

    if (cp_limit_tries_left(&call->app->redis, claim, &left) == CP_OK) {
        cp_problem(call, "tries_left", json_integer(left));
    }
}


cp_code_t
cp_sms_code_redeem(cp_call_t *call, cp_str_t phone, unsigned purpose, cp_str_t subject, cp_str_t code)
{
    cp_limit_code_t claim;
    cp_code_t       result;

    CP_TRY(cp_sms_code_claim(call, phone, purpose, subject, code, &claim));

    result = cp_limit_redeem(&call->app->redis, call->arena, &claim);
    if (result == CP_OK) {
        cp_metric(CP_METRIC_SMS_RETURNED);
    } else if (result == CP_E_BAD_CODE) {
        cp_sms_code_refused(call, &claim);
    }

    return result;
}
