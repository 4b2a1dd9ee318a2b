#include "session/ticket.h"

#include <string.h>

#include "base/crypto.h"
#include "base/random.h"

#define SECRET_BYTES  32
#define HASH          64    /* hexadecimal digits */

/* The record: "<hash of the state> <row of the certificate> <origin>". */


cp_field_code_t
cp_ticket_state_check(const cp_call_t *call, cp_str_t state)
{
    (void) call;

    return cp_str_is_base64url(state) ? CP_F_END : CP_F_FORMAT;
}


static cp_str_t
key_of(cp_call_t *call, cp_str_t ticket)
{
    cp_str_t hash = cp_sha256_hex(call->arena, ticket);

    return hash.data == NULL ? hash : cp_redis_key(&call->app->redis, call->arena, "ticket", hash);
}


cp_code_t
cp_ticket_make(cp_call_t *call, int64_t certificate, cp_str_t origin, cp_str_t state, cp_str_t *ticket)
{
    cp_str_t    hash = cp_sha256_hex(call->arena, state), key, record, life;
    redisReply *reply;

    *ticket = cp_random_id(call->arena, SECRET_BYTES);
    if (ticket->data == NULL || hash.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    key = key_of(call, *ticket);
    life = cp_str_printf(call->arena, "%d", CP_TICKET_LIVE_S);
    record = cp_str_printf(call->arena, "%s %lld %.*s", hash.data, (long long) certificate, (int) origin.len,
                           origin.data);
    if (key.data == NULL || life.data == NULL || record.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("SET"), key, record, CP_STR("EX"), life, CP_STR("NX")));
    freeReplyObject(reply);

    return CP_OK;
}


/* The certificate of a record that is for this server and this state. */
static cp_code_t
read_record(cp_call_t *call, cp_str_t record, cp_str_t state, int64_t *certificate)
{
    cp_str_t hash = cp_sha256_hex(call->arena, state), own, number, origin;
    char    *space;

    if (hash.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_own_origin(call, &own));

    space = record.len <= HASH + 1 ? NULL : memchr(record.data + HASH + 1, ' ', record.len - HASH - 1);
    if (space == NULL) {
        return CP_E_BAD_TICKET;
    }

    number = cp_str_n(record.data + HASH + 1, (size_t) (space - record.data) - HASH - 1);
    origin = cp_str_n(space + 1, record.len - (size_t) (space + 1 - record.data));

    return cp_str_eq_secret(cp_str_n(record.data, HASH), hash) && cp_str_eq(origin, own)
           && cp_str_number(number, certificate) ? CP_OK : CP_E_BAD_TICKET;
}


cp_code_t
cp_ticket_redeem(cp_call_t *call, cp_str_t ticket, cp_str_t state, int64_t *certificate)
{
    cp_str_t    key = key_of(call, ticket);
    redisReply *reply;
    cp_code_t   code;

    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("GETDEL"), key));

    code = reply->type != REDIS_REPLY_STRING ? CP_E_BAD_TICKET
           : read_record(call, cp_str_n(reply->str, (size_t) reply->len), state, certificate);
    freeReplyObject(reply);
    CP_TRY(code);

    return cp_redis_settled(&call->app->redis);
}
