/* The operations: one table, and how a request finds its row and runs it. */
#ifndef CP_API_H
#define CP_API_H

#include "call/operation.h"

extern const cp_operation_t cp_operations[];
extern const size_t         cp_operation_count;

/*
 * The row of a method and path (without query); the parameters, still percent-encoded, are slices of `path`.
 * NULL with CP_E_NOT_FOUND or CP_E_METHOD in *code; for the latter *allow has a bit for each index of cp_methods.
 */
const cp_operation_t *cp_api_find(cp_str_t method, cp_str_t path, cp_str_t params[CP_PARAMS_MAX], unsigned *allow,
                                  cp_code_t *code);

/* The pool that the call, with its body, is for. */
cp_pool_kind_t cp_api_pool(const cp_call_t *call);

/* "GET", "POST" …, NULL at the end. */
extern const char *const cp_methods[];

/*
 * Runs the call's operation on this thread: who may call, the operation (again after a deadlock, at most three times),
 * the push after the commit. call->status and the answer or problem are set. Never fails otherwise.
 */
void cp_api_run(cp_call_t *call);

#endif
