/* What all threads of a process know of one Redis: whether it answers, and since when connections to it are good. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "redis/redis_internal.h"

#define REFUSES_MS  5000    /* without a refusal for so long it takes commands again */
#define REST_MS     1000

struct cp_redis_server_s {
    const cp_redis_conf_t *conf;
    cp_redis_server_t     *next;
    pthread_mutex_t        lock;          /* whoever changes something holds it */
    atomic_bool            away;
    atomic_uint            generation;
    atomic_bool            refuses;
    atomic_size_t          sentinel;
    bool                   probing;
    int64_t                rests_until_ms;
    int64_t                refused_ms;
};

static pthread_mutex_t    servers_lock = PTHREAD_MUTEX_INITIALIZER;
static cp_redis_server_t *servers;


/* Not the seam's clock: this measures how long something takes, whatever is done to the wall's. */
static int64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);

    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}


cp_redis_server_t *
cp_redis_server(const cp_redis_conf_t *conf)
{
    cp_redis_server_t *server;

    pthread_mutex_lock(&servers_lock);

    for (server = servers; server != NULL && server->conf != conf; server = server->next) {
        /* look on */
    }

    if (server == NULL) {
        server = calloc(1, sizeof(cp_redis_server_t));
        if (server != NULL) {
            pthread_mutex_init(&server->lock, NULL);
            server->conf = conf;
            server->next = servers;
            servers = server;
        }
    }

    pthread_mutex_unlock(&servers_lock);

    return server;
}


bool
cp_redis_enter(cp_redis_server_t *server, cp_redis_pass_t *pass)
{
    bool may = true;

    pass->probe = false;
    pass->began_ms = monotonic_ms();

    if (atomic_load(&server->away)) {
        pthread_mutex_lock(&server->lock);
        if (atomic_load(&server->away)) {
            may = !server->probing && pass->began_ms >= server->rests_until_ms;
            pass->probe = may;
            server->probing = server->probing || may;
        }
        pthread_mutex_unlock(&server->lock);
    }

    pass->generation = atomic_load(&server->generation);

    return may;
}


/* Who asks one after the other would wait each time: after a long wait nobody does for as long. */
static void
rest(cp_redis_server_t *server, const cp_redis_pass_t *pass)
{
    int64_t now_ms = monotonic_ms(), took_ms = now_ms - pass->began_ms;

    if (took_ms >= server->conf->timeout_ms / 2) {
        server->rests_until_ms = now_ms + (took_ms < REST_MS ? took_ms : REST_MS);
    }
}


/* It goes away, with all connections to it, or is back. */
static void
turn(cp_redis_server_t *server, const char *fault)
{
    atomic_store(&server->away, fault != NULL);

    if (fault != NULL) {
        atomic_fetch_add(&server->generation, 1);
        cp_log(CP_LOG_ERROR, "redis is away: %s", fault);
    } else {
        cp_log(CP_LOG_NOTICE, "redis is back");
    }
}


void
cp_redis_leave(cp_redis_server_t *server, const cp_redis_pass_t *pass, const char *fault)
{
    if (fault == NULL && !atomic_load(&server->away)) {
        return;
    }

    pthread_mutex_lock(&server->lock);

    if (pass->probe) {
        server->probing = false;
    }

    /* What becomes of a connection of before it went away, or to the master of before, says nothing about now. */
    if (pass->generation == atomic_load(&server->generation)) {
        if (fault != NULL) {
            rest(server, pass);
        }
        if (atomic_load(&server->away) != (fault != NULL)) {
            turn(server, fault);
        }
    }

    pthread_mutex_unlock(&server->lock);
}


void
cp_redis_refused(cp_redis_server_t *server, const char *why)
{
    pthread_mutex_lock(&server->lock);

    server->refused_ms = monotonic_ms();
    if (!atomic_exchange(&server->refuses, true)) {
        cp_log(CP_LOG_ERROR, "redis refuses commands: %.100s", why);
    }

    pthread_mutex_unlock(&server->lock);
}


void
cp_redis_accepted(cp_redis_server_t *server)
{
    if (!atomic_load(&server->refuses)) {
        return;
    }

    pthread_mutex_lock(&server->lock);

    if (atomic_load(&server->refuses) && monotonic_ms() - server->refused_ms >= REFUSES_MS) {
        atomic_store(&server->refuses, false);
        cp_log(CP_LOG_NOTICE, "redis refuses no commands any more");
    }

    pthread_mutex_unlock(&server->lock);
}


size_t
cp_redis_sentinel_first(cp_redis_server_t *server)
{
    return atomic_load(&server->sentinel);
}


void
cp_redis_sentinel_is_first(cp_redis_server_t *server, size_t place)
{
    atomic_store(&server->sentinel, place);
}
