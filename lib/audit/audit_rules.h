/* The chain over the audit rows: what is authenticated, byte for byte. Pure. */
#ifndef CP_AUDIT_RULES_H
#define CP_AUDIT_RULES_H

#include "base/crypto.h"

/* One row as it is authenticated; {0, NULL} stands for SQL NULL and differs from an empty text. */
typedef struct {
    int64_t   id;
    int64_t   created_ms;
    cp_str_t  actor_kind;
    int64_t   actor_id;          /* 0: NULL */
    cp_str_t  address;
    cp_str_t  request_id;
    cp_str_t  action;
    cp_str_t  object_kind;
    cp_str_t  object_id;
    cp_str_t  detail;
} cp_audit_row_t;

typedef struct {
    int64_t   id;                /* 1, 2, 3 … without a gap */
    int64_t   row_count;
    int64_t   last_row;
    int64_t   created_ms;
} cp_audit_seal_t;

/*
 * The state of the chain begins with the previous seal's hash (32 zero bytes before the first), takes each row of the
 * seal in the order of their ids, and ends with the seal itself: its hash is the state then.
 *
 *   state = HMAC-SHA-256(key, state | 'R' | id | created_ms | actor_id | text * 7)
 *   hash  = HMAC-SHA-256(key, state | 'S' | id | row_count | last_row | created_ms)
 *
 * Numbers are 8 bytes, most significant first. A text is its length as such a number and its bytes; NULL is the length
 * 2^64 - 1. So no two different rows have the same bytes. CP_E_NO_MEMORY, CP_E_INTERNAL.
 */
cp_code_t cp_audit_chain_row(cp_arena_t *arena, cp_str_t key, unsigned char state[CP_SHA256_SIZE],
                             const cp_audit_row_t *row);
cp_code_t cp_audit_chain_seal(cp_str_t key, unsigned char state[CP_SHA256_SIZE], const cp_audit_seal_t *seal);

#endif
