/*
 * The audit trail: who did what to what, in the transaction of the change. Rows are sealed afterwards, in the order of
 * their ids, into a chain of HMACs under a key that the web tier does not hold, so that an edited, removed or reordered
 * row is found.
 */
#ifndef CP_AUDIT_H
#define CP_AUDIT_H

#include "audit/audit_rules.h"
#include "call/call.h"

/*
 * Writes one row in the open transaction of call->db: time, actor (from call->who, "system" without one), address,
 * request id, `action` ("order.approve"), object and `detail` (its reference is taken; NULL: none), which holds
 * nothing personal and nothing secret.
 */
cp_code_t cp_audit(cp_call_t *call, const char *action, const char *object_kind, cp_str_t object_id, json_t *detail);

/* The row that cp_audit() would write now, for a statement that writes it if something is so (audit_store.h). */
cp_code_t cp_audit_row(cp_call_t *call, const char *action, const char *object_kind, cp_str_t object_id, json_t *detail,
                       cp_audit_row_t *row);

/*
 * Seals the committed rows that are not sealed yet, at most `most` of them, in one transaction; *count says how many.
 * CP_E_RETRY when a row was committed meanwhile, or another sealer was first.
 */
cp_code_t cp_audit_seal(cp_db_t *db, cp_arena_t *arena, cp_str_t key, int64_t most, int64_t *count);

/* What the verifier found; `where` names the first fault ("row 17 was changed") in the arena, {0, NULL} when whole. */
typedef struct {
    int64_t   rows;
    int64_t   seals;
    int64_t   unsealed;
    cp_str_t  where;
} cp_audit_report_t;

/* Walks the whole chain. CP_OK also when a fault was found: the report says so. */
cp_code_t cp_audit_verify(cp_db_t *db, cp_arena_t *arena, cp_str_t key, cp_audit_report_t *report);

#endif
