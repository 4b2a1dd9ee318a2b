/* The ledger's rows, for the web tier and for the signer. */
#ifndef CP_ISSUANCE_STORE_H
#define CP_ISSUANCE_STORE_H

#include "order/order.h"

typedef enum {
    CP_LEDGER_QUEUED,
    CP_LEDGER_PREPARED,      /* serial and to-be-signed bytes are there */
    CP_LEDGER_ISSUED,
    CP_LEDGER_FAILED
} cp_ledger_state_t;

typedef struct {
    int64_t            id;
    int64_t            order;
    cp_ledger_state_t  state;
    cp_str_t           profile;
    int64_t            years;
    cp_str_t           subject;      /* JSON */
    cp_str_t           csr;
    cp_str_t           issuer;
    cp_str_t           serial;
    cp_str_t           tbs;
    int64_t            attempts;
    int64_t            created_ms;
} cp_ledger_t;

/* How many rows of the order are alive (queued, prepared, issued) and how many were put aside. */
cp_code_t cp_ledger_count(cp_db_t *db, int64_t order, int64_t *alive, int64_t *aside);

/* Adds the order's row; CP_E_DUPLICATE when one is alive. */
cp_code_t cp_ledger_insert(cp_db_t *db, const cp_order_t *order, cp_str_t subject, int64_t now_ms, int64_t *id);

/* CP_OK when another order, or a certificate of another order, uses the key; CP_E_NOT_FOUND when none does. An order of
 * the same unit that was cancelled does not count. */
cp_code_t cp_ledger_find_key(cp_db_t *db, cp_str_t spki_sha256, int64_t order, int64_t unit);

/* The order that a row belongs to: its lock is taken before the row's. CP_E_NOT_FOUND. */
cp_code_t cp_ledger_order(cp_db_t *db, int64_t id, int64_t *order);

/* The row, locked until the end of the transaction. */
cp_code_t cp_ledger_lock(cp_db_t *db, int64_t id, cp_ledger_t *ledger);

/* Each moves the row on from the states it may come from; CP_E_WRONG_STATE when another signer was there first. */
cp_code_t cp_ledger_prepared(cp_db_t *db, const cp_ledger_t *ledger, int64_t now_ms);
cp_code_t cp_ledger_issued(cp_db_t *db, int64_t id, int64_t now_ms);
cp_code_t cp_ledger_failed(cp_db_t *db, int64_t id, cp_str_t why, int64_t now_ms);

/* Counts an attempt that failed and sets when the sweeper may take the row again. */
cp_code_t cp_ledger_attempt(cp_db_t *db, int64_t id, cp_str_t why, int64_t next_try_ms, int64_t now_ms);

/*
 * Up to `most` rows that are not done and whose next try is due, each leased until `lease_ms` so that no other sweeper
 * takes it meanwhile; `ids` has room for `most`. Runs its own transactions.
 */
cp_code_t cp_ledger_due(cp_db_t *db, int64_t due_ms, int64_t lease_ms, int64_t *ids, size_t most, size_t *count);

#endif
