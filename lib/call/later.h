/*
 * Work that follows an answer: messages to outside parties that nobody waits for, and whose time must not tell what was
 * done. It is not kept anywhere: a worker that is killed in between never does it.
 */
#ifndef CP_LATER_H
#define CP_LATER_H

#include "call/call.h"

typedef struct cp_later_s  cp_later_t;
typedef void (*cp_later_fn)(cp_call_t *call, void *data);

/*
 * Plans `run` for when the call's answer is on its way, with a call of its own (application, client, request id, who
 * and language of this one) and `size` cleared bytes of data, which it returns: texts in them must be made with the
 * arena of cp_later_arena(). NULL when memory is out. One a call: a plan made before is dropped.
 */
void *cp_later(cp_call_t *call, cp_later_fn run, size_t size);
cp_arena_t *cp_later_arena(const cp_call_t *call);

/* Takes the plan out of a call: the caller runs or drops it. NULL: there is none. */
cp_later_t *cp_later_take(cp_call_t *call);

/* Runs it on this thread and releases it; releases it without. Both accept NULL. */
void cp_later_run(cp_later_t *later);
void cp_later_drop(cp_later_t *later);

#endif
