/* The Redis stream, seen from its consumer. */
#include <string.h>

#include "issuance/issuance.h"
#include "signer.h"

#define WAIT_MS  "1000"
#define IDLE_MS  "60000"    /* longer than any batch takes */


static cp_str_t
stream_key(signer_t *signer, cp_arena_t *arena)
{
    return cp_str_printf(arena, "%s%s", signer->app.redis.prefix, CP_ISSUANCE_STREAM);
}


/* Makes stream and group from the stream's beginning; that the group is there already is fine. */
static cp_code_t
make_group(signer_t *signer, cp_str_t stream)
{
    redisReply *reply;

    CP_TRY(cp_redis(&signer->app.redis, &reply, CP_STR("XGROUP"), CP_STR("CREATE"), stream,
                    CP_STR(CP_ISSUANCE_GROUP), CP_STR("0"), CP_STR("MKSTREAM")));
    freeReplyObject(reply);

    return CP_OK;
}


/* What an entry tells: a ledger row, or a revocation. Anything else is only acknowledged. */
static void
take_fields(const redisReply *fields, signer_claim_t *claim)
{
    int64_t id;
    size_t  i;

    if (fields->type != REDIS_REPLY_ARRAY) {
        return;
    }

    for (i = 0; i + 1 < fields->elements; i += 2) {
        cp_str_t name = cp_str_n(fields->element[i]->str, fields->element[i]->len);
        cp_str_t value = cp_str_n(fields->element[i + 1]->str, fields->element[i + 1]->len);

        if (!cp_str_is(name, "id")) {
            continue;
        }
        if (cp_str_is(value, "crl")) {
            claim->crl = true;
        } else if (cp_str_number(value, &id)) {
            claim->ids[claim->count++] = id;
        }
    }
}


/* Entries are [[id, [field, value, …]], …]; a NULL in place of the fields is an entry that was trimmed. */
static cp_code_t
take_entries(const redisReply *entries, cp_arena_t *arena, signer_claim_t *claim)
{
    size_t i;

    for (i = 0; i < entries->elements && claim->entry_count < SIGNER_BATCH && claim->count < SIGNER_BATCH; i++) {
        const redisReply *entry = entries->element[i];
        cp_str_t          name;

        if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2
            || entry->element[0]->type != REDIS_REPLY_STRING)
        {
            continue;
        }

        name = cp_str_dup(arena, cp_str_n(entry->element[0]->str, entry->element[0]->len));
        if (name.data == NULL) {
            return CP_E_NO_MEMORY;
        }
        claim->entries[claim->entry_count++] = name;
        take_fields(entry->element[1], claim);
    }

    return CP_OK;
}


/* The list of entries within the answer to XREADGROUP ([[stream, entries]]) or XAUTOCLAIM ([next, entries, gone]). */
static const redisReply *
entries_of(const redisReply *reply, signer_claim_kind_t kind)
{
    const redisReply *holder;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        return NULL;
    }

    holder = kind == SIGNER_CLAIM_IDLE ? reply : reply->element[0];
    if (holder->type != REDIS_REPLY_ARRAY || holder->elements < 2
        || holder->element[1]->type != REDIS_REPLY_ARRAY)
    {
        return NULL;
    }

    return holder->element[1];
}


static cp_code_t
ask(signer_t *signer, cp_arena_t *arena, signer_claim_kind_t kind, cp_str_t stream, redisReply **reply)
{
    const cp_redis_conf_t *redis = &signer->app.redis;
    cp_str_t               count = cp_str_printf(arena, "%lld", (long long) signer->batch);

    if (kind == SIGNER_CLAIM_IDLE) {
        return cp_redis(redis, reply, CP_STR("XAUTOCLAIM"), stream, CP_STR(CP_ISSUANCE_GROUP), signer->consumer,
                        CP_STR(IDLE_MS), CP_STR("0"), CP_STR("COUNT"), count);
    }

    return cp_redis(redis, reply, CP_STR("XREADGROUP"), CP_STR("GROUP"), CP_STR(CP_ISSUANCE_GROUP), signer->consumer,
                    CP_STR("COUNT"), count, CP_STR("BLOCK"), CP_STR(WAIT_MS), CP_STR("STREAMS"), stream,
                    kind == SIGNER_CLAIM_OWN ? CP_STR("0") : CP_STR(">"));
}


cp_code_t
signer_claim(signer_t *signer, cp_arena_t *arena, signer_claim_kind_t kind, signer_claim_t *claim)
{
    cp_str_t          stream = stream_key(signer, arena);
    redisReply       *reply;
    const redisReply *entries;
    cp_code_t         code = CP_OK;

    memset(claim, 0, sizeof(*claim));

    CP_TRY(ask(signer, arena, kind, stream, &reply));

    if (reply->type == REDIS_REPLY_ERROR) {
        freeReplyObject(reply);
        CP_TRY(make_group(signer, stream));
        claim->lost = true;
        return CP_OK;
    }

    entries = entries_of(reply, kind);
    if (entries != NULL) {
        code = take_entries(entries, arena, claim);
    }
    freeReplyObject(reply);

    return code;
}


/* One command for all entries: with one for each, the signer would wait on Redis longer than it signs. */
static bool
for_all_entries(signer_t *signer, cp_str_t *words, size_t head, const signer_claim_t *claim)
{
    redisReply *reply;

    memcpy(words + head, claim->entries, claim->entry_count * sizeof(cp_str_t));
    if (cp_redis_command(&signer->app.redis, words, head + claim->entry_count, &reply) != CP_OK) {
        return false;
    }
    freeReplyObject(reply);

    return true;
}


void
signer_acknowledge(signer_t *signer, cp_arena_t *arena, const signer_claim_t *claim)
{
    cp_str_t stream = stream_key(signer, arena);
    cp_str_t ack[3 + SIGNER_BATCH] = { CP_STR("XACK"), stream, CP_STR(CP_ISSUANCE_GROUP) };
    cp_str_t delete[2 + SIGNER_BATCH] = { CP_STR("XDEL"), stream };

    if (claim->entry_count != 0 && for_all_entries(signer, ack, 3, claim)) {
        (void) for_all_entries(signer, delete, 2, claim);
    }
}
