/* The applicant's side: who has lost a number has no session. */
#include "account/phone_change.h"

#include <stddef.h>
#include <string.h>

#include "account/account_ops.h"
#include "account/notice.h"
#include "account/sms_code.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "base/metric.h"
#include "base/random.h"
#include "call/address.h"
#include "call/fields.h"
#include "call/later.h"
#include "captcha/captcha.h"
#include "identity/identity.h"
#include "redis/limit.h"

#define TRIES         3
#define SECRET_BYTES  18
#define DAY_S         (24 * 3600)
#define ADDRESS_DAY   5

typedef struct {
    cp_str_t  login;
    cp_str_t  phone;
    cp_str_t  code;
    cp_str_t  name;
    cp_str_t  id_number;
    cp_str_t  reason;
    cp_str_t  captcha_id;
    cp_str_t  captcha_answer;
} input_t;

static const cp_field_t fields[] = {
    { "login", CP_FIELD_TEXT, true, 1, CP_LOGIN_MAX, offsetof(input_t, login), NULL, NULL },
    { "phone", CP_FIELD_TEXT, true, 1, 20, offsetof(input_t, phone), cp_field_mobile, NULL },
    { "code", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, code), NULL, NULL },
    { "name", CP_FIELD_TEXT, true, 2, 50, offsetof(input_t, name), cp_field_person_name, NULL },
    { "id_number", CP_FIELD_TEXT, true, 1, 40, offsetof(input_t, id_number), cp_field_id_number, NULL },
    { "reason", CP_FIELD_TEXT, true, 2, CP_PHONE_CHANGE_REASON, offsetof(input_t, reason), NULL, NULL },
    { "captcha_id", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ID_MAX, offsetof(input_t, captcha_id), NULL, NULL },
    { "captcha_answer", CP_FIELD_TEXT, false, 1, CP_CAPTCHA_ANSWER_MAX, offsetof(input_t, captcha_answer), NULL, NULL },
};

/* The account whose holder is told, after the answer: nothing of it shows to who applies. */
typedef struct {
    bool      real;
    int64_t   account;
} told_t;


static cp_code_t
count_address(cp_call_t *call)
{
    cp_address_t address;
    cp_limit_t   limit = { .most = ADDRESS_DAY, .window_s = DAY_S };

    CP_TRY(cp_call_address(call, &address));
    limit.key = cp_redis_key(&call->app->redis, call->arena, "phone-change-address", address.name);

    return limit.key.data == NULL ? CP_E_NO_MEMORY
           : cp_limit_take(&call->app->redis, call->arena, &limit, 1, NULL, &call->retry_after_s);
}


/* Once a day: whoever applies again and again does not ring somebody else's phone each time. */
static void
tell(cp_call_t *call, void *data)
{
    const told_t *told = data;
    cp_account_t  account;
    cp_limit_t    once = { .most = 1, .window_s = DAY_S };
    unsigned      wait;

    if (!told->real || cp_account_by_id(call, told->account, &account) != CP_OK || account.phone.data == NULL) {
        return;
    }

    once.key = cp_redis_key(&call->app->redis, call->arena, "phone-change-told", account.public_id);
    if (once.key.data != NULL && cp_limit_take(&call->app->redis, call->arena, &once, 1, NULL, &wait) == CP_OK) {
        cp_notice_send(call, CP_NOTICE_PHONE_APPLIED, account.phone);
    }
}


static cp_code_t
read_change(cp_call_t *call, const input_t *in, cp_phone_change_t *change, told_t *told)
{
    cp_account_t account;
    cp_code_t    found;

    *change = (cp_phone_change_t) {
        .login = in->login, .phone = in->phone, .name = in->name, .reason = in->reason,
        .id_number = cp_upper(call->arena, in->id_number),
    };
    if (change->id_number.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_blind_index(call->app->keys, call->arena, "person.id_number", change->id_number, &change->id_index));

    found = cp_account_by_login(call, in->login, &account);
    if (found != CP_OK && found != CP_E_NOT_FOUND) {
        return found;
    }
    *told = (told_t) { found == CP_OK, account.id };
    change->account = found == CP_OK ? account.id : 0;

    return CP_OK;
}


/* What the applicant reads the state by: the application's id, and a secret of which a digest is kept. */
static cp_code_t
make_secret(cp_call_t *call, cp_phone_change_t *change, cp_str_t *secret)
{
    unsigned char *digest = cp_alloc(call->arena, CP_SHA256_SIZE);

    *secret = cp_random_id(call->arena, SECRET_BYTES);
    if (digest == NULL || secret->data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_sha256(*secret, digest));
    change->secret_sha256 = cp_str_n(digest, CP_SHA256_SIZE);

    return CP_OK;
}


static cp_code_t
insert(cp_call_t *call, cp_phone_change_t *change, cp_str_t secret, const told_t *told, const cp_limit_code_t *code)
{
    told_t *later;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_phone_change_insert(call, change));
    CP_TRY(cp_audit(call, "phone_change.create", "phone_change", change->public_id, NULL));
    CP_TRY(cp_answer(call, 201, json_pack("{s:o, s:o}", "id",
                                          cp_json(cp_str_printf(call->arena, "%s.%s", change->public_id.data,
                                                                secret.data)),
                                          "state", cp_json(change->state))));

    later = cp_later(call, tell, sizeof(*later));
    if (later == NULL) {
        return CP_E_NO_MEMORY;
    }
    *later = *told;

    CP_TRY(cp_limit_redeem(&call->app->redis, call->arena, code));

    return cp_call_commit(call);
}


/* A deadlock is mended here: the operation cannot be run again, for its captcha is used up. */
static cp_code_t
store(cp_call_t *call, cp_phone_change_t *change, const told_t *told, const cp_limit_code_t *code)
{
    cp_str_t  secret;
    cp_code_t result = CP_E_RETRY;
    int       i;

    CP_TRY(make_secret(call, change, &secret));

    for (i = 0; i < TRIES && result == CP_E_RETRY; i++) {
        cp_db_rollback(call->db);
        result = insert(call, change, secret, told, code);
    }

    return result == CP_E_RETRY ? CP_E_BUSY : result;
}


static cp_code_t
check_code(cp_call_t *call, const input_t *in, cp_limit_code_t *code)
{
    cp_code_t result;

    CP_TRY(cp_sms_code_claim(call, in->phone, CP_SMS_FOR_LOST_PHONE, CP_STR(""), in->code, code));

    result = cp_limit_look(&call->app->redis, call->arena, code);
    if (result == CP_E_BAD_CODE) {
        cp_sms_code_refused(call, code);
    }

    return result;
}


cp_code_t
cp_op_phone_change_create(cp_call_t *call)
{
    input_t           in;
    cp_phone_change_t change;
    cp_limit_code_t   code;
    told_t            told;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(cp_captcha_check(call, in.captcha_id, in.captcha_answer));
    CP_TRY(count_address(call));
    CP_TRY(check_code(call, &in, &code));
    CP_TRY(read_change(call, &in, &change, &told));
    CP_TRY(store(call, &change, &told, &code));

    cp_metric(CP_METRIC_SMS_RETURNED);

    return CP_OK;
}


/* "<id>.<secret>" as it was answered. */
static cp_code_t
find_own(cp_call_t *call, cp_str_t token, cp_phone_change_t *change)
{
    const char   *dot = memchr(token.data, '.', token.len);
    unsigned char digest[CP_SHA256_SIZE];
    size_t        head;

    if (dot == NULL) {
        return CP_E_NOT_FOUND;
    }
    head = (size_t) (dot - token.data);

    CP_TRY(cp_sha256(cp_str_n(dot + 1, token.len - head - 1), digest));
    CP_TRY(cp_phone_change_find(call, cp_str_n(token.data, head), false, change));

    return cp_str_eq_secret(cp_str_n(digest, sizeof(digest)), change->secret_sha256) ? CP_OK : CP_E_NOT_FOUND;
}


cp_code_t
cp_op_phone_change_show(cp_call_t *call)
{
    cp_phone_change_t change;

    CP_TRY(find_own(call, call->params[0], &change));

    return cp_answer(call, 200, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "state",
                                          cp_phone_change_state(&change, cp_now_ms()), "phone",
                                          cp_json(cp_mask_phone(call->arena, change.phone)), "reason",
                                          cp_json(change.public_reason), "created_at",
                                          cp_json_time(call, change.created_ms), "expires_at",
                                          cp_json_time(call, change.expires_ms), "decided_at",
                                          cp_json_time(call, change.decided_ms)));
}
