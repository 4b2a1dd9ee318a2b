#include "session/staff_session.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/random.h"
#include "session/session.h"

#define KIND          "staff-session"
#define SECRET_BYTES  32
#define MEMBERS       5

/* The record: "<begun> <last used> <version of the member's row> <hash of the token> <hash of the certificate>". */
enum { SINCE, SEEN, VERSION, TOKEN, CERTIFICATE };

typedef struct {
    int64_t   since_ms;
    int64_t   seen_ms;
    int64_t   version;
    cp_str_t  token;
    cp_str_t  certificate;
} record_t;


bool
cp_staff_session_wanted(const cp_call_t *call)
{
    return call->app->staff_session.idle_s != 0;
}


static cp_str_t
key_of(cp_call_t *call)
{
    return cp_redis_key(&call->app->redis, call->arena, KIND, call->who.staff_id);
}


static cp_code_t
write_record(cp_call_t *call, const record_t *record, bool again)
{
    cp_str_t    key = key_of(call), text, life;
    redisReply *reply;

    text = cp_str_printf(call->arena, "%lld %lld %lld %.*s %.*s", (long long) record->since_ms,
                         (long long) record->seen_ms, (long long) record->version, (int) record->token.len,
                         record->token.data, (int) record->certificate.len, record->certificate.data);
    life = cp_str_printf(call->arena, "%lld",
                         (long long) cp_session_ttl(&call->app->staff_session, record->since_ms, record->seen_ms));
    if (key.data == NULL || text.data == NULL || life.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    /* What is written again must not have been ended meanwhile. */
    CP_TRY(again ? cp_redis(&call->app->redis, &reply, CP_STR("SET"), key, text, CP_STR("PX"), life, CP_STR("XX"))
                 : cp_redis(&call->app->redis, &reply, CP_STR("SET"), key, text, CP_STR("PX"), life));
    freeReplyObject(reply);

    return CP_OK;
}


static cp_code_t
set_cookie(cp_call_t *call, cp_str_t token)
{
    cp_str_t cookie = cp_str_printf(call->arena, CP_STAFF_COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict%s",
                                    (int) token.len, token.data, token.len == 0 ? "; Max-Age=0" : "");

    if (cookie.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    cp_answer_header(call, "Set-Cookie", cookie);
    return CP_OK;
}


cp_code_t
cp_staff_session_start(cp_call_t *call)
{
    cp_str_t token = cp_random_id(call->arena, SECRET_BYTES);
    int64_t  now = cp_now_ms();
    record_t record = { now, now, call->who.staff_version, cp_sha256_hex(call->arena, token),
                        cp_str_hex(call->arena, call->who.staff_certificate) };

    if (token.data == NULL || record.token.data == NULL || record.certificate.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(write_record(call, &record, false));
    CP_TRY(cp_redis_settled(&call->app->redis));

    return set_cookie(call, token);
}


/* Cuts at single spaces. */
static bool
read_record(cp_str_t text, record_t *record)
{
    cp_str_t parts[MEMBERS];
    char    *p = text.data, *end = text.data + text.len, *space;
    size_t   i;

    for (i = 0; i < MEMBERS; i++) {
        space = memchr(p, ' ', (size_t) (end - p));
        if ((space == NULL) != (i == MEMBERS - 1)) {
            return false;
        }
        space = space == NULL ? end : space;
        parts[i] = cp_str_n(p, (size_t) (space - p));
        p = space == end ? end : space + 1;
    }

    record->token = parts[TOKEN];
    record->certificate = parts[CERTIFICATE];

    return cp_str_number(parts[SINCE], &record->since_ms) && cp_str_number(parts[SEEN], &record->seen_ms)
           && cp_str_number(parts[VERSION], &record->version);
}


/* The member's record; CP_E_UNAUTHENTICATED when there is none. */
static cp_code_t
fetch(cp_call_t *call, record_t *record)
{
    cp_str_t    key = key_of(call), text;
    redisReply *reply;

    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("GET"), key));

    if (reply->type != REDIS_REPLY_STRING) {
        freeReplyObject(reply);
        return CP_E_UNAUTHENTICATED;
    }

    text = cp_str_dup(call->arena, cp_str_n(reply->str, (size_t) reply->len));
    freeReplyObject(reply);
    if (text.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    return read_record(text, record) ? CP_OK : CP_E_UNAUTHENTICATED;
}


static bool
is_the_callers(cp_call_t *call, const record_t *record)
{
    cp_str_t token = cp_sha256_hex(call->arena, call->staff_token);
    cp_str_t certificate = cp_str_hex(call->arena, call->who.staff_certificate);

    return token.data != NULL && certificate.data != NULL && cp_str_eq_secret(token, record->token)
           && cp_str_eq(certificate, record->certificate) && record->version == call->who.staff_version;
}


cp_code_t
cp_staff_session_check(cp_call_t *call, cp_staff_session_t *session)
{
    const cp_session_conf_t *conf = &call->app->staff_session;
    cp_principal_t           limits = { 0 };
    record_t                 record;
    int64_t                  now = cp_now_ms();

    if (session != NULL) {
        *session = (cp_staff_session_t) { 0, 0 };
    }
    if (!cp_staff_session_wanted(call)) {
        return CP_OK;
    }
    if (call->staff_token.data == NULL) {
        return CP_E_UNAUTHENTICATED;
    }

    CP_TRY(fetch(call, &record));
    limits.since_ms = record.since_ms;
    if (!is_the_callers(call, &record) || !cp_session_alive(conf, &limits, record.seen_ms, now)) {
        return CP_E_UNAUTHENTICATED;
    }

    if (cp_session_is_stale(conf, record.seen_ms, now)) {
        record.seen_ms = now;
        CP_TRY(write_record(call, &record, true));
    }
    if (session != NULL) {
        *session = (cp_staff_session_t) { record.since_ms, cp_session_expires(conf, record.since_ms, record.seen_ms) };
    }

    return CP_OK;
}


cp_code_t
cp_staff_session_end(cp_call_t *call)
{
    cp_str_t    key = key_of(call);
    redisReply *reply;

    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("DEL"), key));
    freeReplyObject(reply);
    CP_TRY(cp_redis_settled(&call->app->redis));

    return set_cookie(call, CP_STR(""));
}
