#include "issuance/issuance.h"

#include "base/clock.h"
#include "issuance/issuance_rules.h"
#include "issuance/issuance_store.h"

/* What is cut from the stream's old end is found by the sweeper. */
#define STREAM_LENGTH  "100000"


cp_code_t
cp_issuance_request(cp_call_t *call, const cp_order_t *order)
{
    cp_unit_t unit;
    cp_str_t  subject;
    int64_t   id, alive, aside;
    cp_code_t code;

    if (order->csr.data == NULL || !cp_order_is_ready(order->state, order->facts)) {
        return CP_OK;
    }

    CP_TRY(cp_ledger_count(call->db, order->id, &alive, &aside));
    if (alive != 0) {
        return CP_OK;
    }

    CP_TRY(cp_unit_by_id(call, order->unit, &unit));
    subject = cp_issuance_subject(call->arena, &unit);
    if (subject.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = cp_ledger_insert(call->db, order, subject, cp_now_ms(), &id);
    if (code != CP_OK) {
        return code == CP_E_DUPLICATE ? CP_OK : code;
    }

    call->push = cp_str_printf(call->arena, "%lld", (long long) id);
    return CP_OK;
}


void
cp_issuance_push(const cp_redis_conf_t *redis, cp_arena_t *arena, cp_str_t id)
{
    cp_str_t    stream = cp_str_printf(arena, "%s%s", redis->prefix, CP_ISSUANCE_STREAM);
    redisReply *reply;

    if (stream.data == NULL
        || cp_redis(redis, &reply, CP_STR("XADD"), stream, CP_STR("MAXLEN"), CP_STR("~"), CP_STR(STREAM_LENGTH),
                    CP_STR("*"), CP_STR("id"), id) != CP_OK)
    {
        cp_log(CP_LOG_ERROR, "issuance %.*s is not in the stream: left to the sweeper", (int) id.len, id.data);
        return;
    }

    freeReplyObject(reply);
}
