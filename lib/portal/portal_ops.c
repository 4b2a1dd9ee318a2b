#include "portal/portal_ops.h"


cp_code_t
cp_op_catalog(cp_call_t *call)
{
    const cp_catalog_t *catalog = &call->app->catalog;
    json_t             *halls = json_array();
    size_t              i;

    for (i = 0; i < catalog->hall_count; i++) {
        json_array_append_new(halls, cp_hall_json(catalog->halls[i]));
    }

    cp_answer_header(call, "Cache-Control", CP_STR("no-cache"));

    return cp_answer(call, 200, json_pack("{s:o}", "halls", halls));
}


/* Answers only when both stores answer: a load balancer takes the node out otherwise. */
cp_code_t
cp_op_health(cp_call_t *call)
{
    redisReply *reply;
    int64_t     one;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_row(call->db, "SELECT 1", ">i", &one));

    CP_TRY(cp_redis(&call->app->redis, &reply, CP_STR("PING")));
    freeReplyObject(reply);

    return cp_answer(call, 200, json_pack("{s:s}", "status", "ok"));
}
