#include "account/sms_returned.h"

#include <string.h>

#include <sodium.h>

#define MOST   "64"    /* notes taken at once: the sending of one code removes more than come with it */
#define INDEX  32      /* bytes of a blind index */


static cp_str_t
list_key(cp_call_t *call)
{
    return cp_redis_key(&call->app->redis, call->arena, "sms-returned", CP_STR("all"));
}


cp_code_t
cp_sms_returned_note(cp_call_t *call, cp_str_t name, const char *purpose, cp_limit_code_t *claim)
{
    claim->list = list_key(call);
    claim->note = cp_str_printf(call->arena, "%.*s %s", (int) name.len, name.data, purpose);

    return claim->list.data == NULL || claim->note.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* A note that nobody here wrote is left out. */
static cp_code_t
mark(cp_call_t *call, const redisReply *note)
{
    char   index[INDEX];
    size_t len;

    if (note->type != REDIS_REPLY_STRING || note->len <= 2 * INDEX + 1
        || sodium_hex2bin((unsigned char *) index, INDEX, note->str, 2 * INDEX, NULL, &len, NULL) != 0 || len != INDEX)
    {
        return CP_OK;
    }

    return cp_sms_mark_returned(call, cp_str_n(index, INDEX), note->str + 2 * INDEX + 1);
}


static cp_code_t
mark_all(cp_call_t *call, const redisReply *notes)
{
    size_t i;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_begin(call->db));

    for (i = 0; i < notes->elements; i++) {
        CP_TRY(mark(call, notes->element[i]));
    }

    return cp_db_commit(call->db);
}


cp_code_t
cp_sms_returned_mark(cp_call_t *call)
{
    redisReply *notes;
    cp_str_t    key = list_key(call);
    cp_code_t   code = CP_OK;

    if (key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_redis(&call->app->redis, &notes, CP_STR("LPOP"), key, CP_STR(MOST)));
    if (notes->type == REDIS_REPLY_ARRAY && notes->elements != 0) {
        code = mark_all(call, notes);
    }
    if (code != CP_OK) {
        cp_db_rollback(call->db);
        cp_log(CP_LOG_NOTICE, "%zu codes that came back are counted as some that did not", notes->elements);
    }
    freeReplyObject(notes);

    return code == CP_E_RETRY ? CP_OK : code;
}
