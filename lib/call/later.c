#include "call/later.h"

struct cp_later_s {
    cp_call_t    call;
    cp_later_fn  run;
    void        *data;
};


/* What of a call its later work may need, copied: the call and its arena are gone by then. */
static bool
copy_call(cp_later_t *later, const cp_call_t *from)
{
    const struct { cp_str_t from; cp_str_t *to; } texts[] = {
        { from->request_id, &later->call.request_id },
        { from->client_ip, &later->call.client_ip },
        { from->who.account_id, &later->call.who.account_id },
        { from->who.staff_id, &later->call.who.staff_id },
    };
    size_t i;

    later->call.app = from->app;
    later->call.operation = from->operation;
    later->call.lang = from->lang;
    later->call.who.account = from->who.account;
    later->call.who.staff = from->who.staff;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].from.data == NULL) {
            continue;
        }
        *texts[i].to = cp_str_dup(later->call.arena, texts[i].from);
        if (texts[i].to->data == NULL) {
            return false;
        }
    }

    return true;
}


void *
cp_later(cp_call_t *call, cp_later_fn run, size_t size)
{
    cp_arena_t *arena = cp_arena_new(0);
    cp_later_t *later = arena == NULL ? NULL : cp_calloc(arena, 1, sizeof(cp_later_t));

    cp_later_drop(cp_later_take(call));

    if (later == NULL) {
        cp_arena_free(arena);
        return NULL;
    }

    later->call.arena = arena;
    later->run = run;
    later->data = cp_calloc(arena, 1, size + 1);

    if (later->data == NULL || !copy_call(later, call)) {
        cp_arena_free(arena);
        return NULL;
    }
    call->later = later;

    return later->data;
}


cp_arena_t *
cp_later_arena(const cp_call_t *call)
{
    return call->later->call.arena;
}


cp_later_t *
cp_later_take(cp_call_t *call)
{
    cp_later_t *later = call->later;

    call->later = NULL;

    return later;
}


void
cp_later_run(cp_later_t *later)
{
    if (later == NULL) {
        return;
    }

    later->run(&later->call, later->data);
    cp_later_drop(later);
}


void
cp_later_drop(cp_later_t *later)
{
    cp_arena_t *arena;

    if (later == NULL) {
        return;
    }

    if (later->call.db != NULL) {
        cp_db_rollback(later->call.db);
    }
    cp_call_end(&later->call);

    arena = later->call.arena;
    cp_arena_free(arena);
}
