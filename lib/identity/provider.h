/*
 * The real-name provider behind the adapter contract: a question about a subject, a verdict. One call may cost money,
 * so it is never repeated by itself.
 */
#ifndef CP_PROVIDER_H
#define CP_PROVIDER_H

#include "call/call.h"

typedef enum {
    CP_VERDICT_ERROR,        /* no answer, or none that decides */
    CP_VERDICT_MATCH,
    CP_VERDICT_MISMATCH,
    CP_VERDICT_NO_RECORD
} cp_verdict_t;

typedef struct {
    cp_str_t      request_id;       /* ours; in the provider's bill */
    cp_verdict_t  verdict;
    cp_str_t      vendor_serial;    /* {0, NULL} when none came */
    bool          billed;
    json_t       *fields;           /* {"legal_name": "match", …} or NULL; owned by the answer */
} cp_provider_answer_t;

/*
 * Asks about `subject` (its reference is taken; NULL: memory is out) in the contract's product "MOBILE_3" or "ENT_4".
 * CP_OK also when the provider is away: then the verdict is CP_VERDICT_ERROR. CP_E_NO_MEMORY.
 */
cp_code_t cp_provider_ask(cp_call_t *call, const char *product, json_t *subject, cp_provider_answer_t *answer);

/* Releases what the answer owns. */
void cp_provider_answer_end(cp_provider_answer_t *answer);

/* "match", "mismatch", "no_record", "error". */
const char *cp_verdict_name(cp_verdict_t verdict);

#endif
