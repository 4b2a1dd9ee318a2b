/*
 * The issuance ledger: one row an order, written in the transaction that makes the order ready, and the Redis stream
 * that only carries its id. Losing the stream loses nothing: the sweeper pushes again what is committed and not done.
 */
#ifndef CP_ISSUANCE_H
#define CP_ISSUANCE_H

#include "order/order.h"

/* Names in Redis (behind the prefix): the stream and its consumer group. */
#define CP_ISSUANCE_STREAM  "issuance"
#define CP_ISSUANCE_GROUP   "signers"

/*
 * Writes the ledger row in the open transaction if the order is ready (cp_order_is_ready(), a request is there, no row
 * yet); does nothing otherwise. The row takes everything the signer needs: request, profile, years, subject. Sets
 * call->push to the row's id, which cp_api_run() pushes after the commit.
 */
cp_code_t cp_issuance_request(cp_call_t *call, const cp_order_t *order);

/* Adds the id to the stream; best effort: a failure is logged and left to the sweeper. */
void cp_issuance_push(const cp_redis_conf_t *redis, cp_arena_t *arena, cp_str_t id);

#endif
