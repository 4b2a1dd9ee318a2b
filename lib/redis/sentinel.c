/* Finding the master: each sentinel is asked in turn, and what it names must call itself the master. */
#include <stdio.h>
#include <string.h>

#include "redis/redis_internal.h"
#include "redis/sentinel.h"

#define HOST_SIZE     256
#define ASK_MS_LEAST  50
#define ASK_MS_MOST   250

typedef struct {
    char               host[HOST_SIZE];
    cp_redis_address_t address;
} master_t;


/* A sentinel is one of several: none is worth waiting for as long as for the master itself. */
static unsigned
ask_ms(const cp_redis_conf_t *conf)
{
    unsigned ms = conf->timeout_ms / 4;

    return ms < ASK_MS_LEAST ? ASK_MS_LEAST : ms > ASK_MS_MOST ? ASK_MS_MOST : ms;
}


/* The answer to get-master-addr-by-name: nothing, or host and port. */
static bool
read_master(cp_redis_connection_t *connection, const redisReply *reply, master_t *master)
{
    const redisReply *host, *port;
    int64_t           number;

    if (reply->type == REDIS_REPLY_NIL) {
        return cp_redis_fault(connection, "the sentinels watch no master \"%s\"", connection->conf->sentinel_master);
    }

    host = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 ? reply->element[0] : NULL;
    port = host == NULL ? NULL : reply->element[1];

    if (host == NULL || host->type != REDIS_REPLY_STRING || host->len == 0 || host->len >= HOST_SIZE
        || port->type != REDIS_REPLY_STRING || !cp_str_number(cp_str_n(port->str, port->len), &number)
        || number < 1 || number > 65535)
    {
        return cp_redis_fault(connection, "a sentinel named no address");
    }

    memcpy(master->host, host->str, host->len + 1);
    master->address = (cp_redis_address_t) { master->host, (int) number };

    return true;
}


static bool
ask(cp_redis_connection_t *connection, const cp_redis_address_t *sentinel, master_t *master)
{
    const cp_redis_conf_t *conf = connection->conf;
    redisContext          *context;
    redisReply            *reply;
    bool                   good;

    context = cp_redis_dial(connection, sentinel, ask_ms(conf), conf->sentinel_user, conf->sentinel_password);
    if (context == NULL) {
        return false;
    }

    reply = redisCommand(context, "SENTINEL get-master-addr-by-name %s", conf->sentinel_master);
    good = reply == NULL || reply->type == REDIS_REPLY_ERROR ? cp_redis_context_fault(connection, context, reply)
                                                             : read_master(connection, reply, master);
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    redisFree(context);

    return good;
}


/* The sentinels may not know yet that it is one no more. */
static bool
is_master(cp_redis_connection_t *connection, redisContext *context)
{
    redisReply *reply = redisCommand(context, "ROLE");
    bool        good;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0
        || reply->element[0]->type != REDIS_REPLY_STRING)
    {
        good = cp_redis_context_fault(connection, context, reply);
    } else {
        good = strcmp(reply->element[0]->str, "master") == 0
               || cp_redis_fault(connection, "who the sentinels call the master is a %.10s", reply->element[0]->str);
    }

    if (reply != NULL) {
        freeReplyObject(reply);
    }

    return good;
}


static redisContext *
dial(cp_redis_connection_t *connection, const master_t *master)
{
    const cp_redis_conf_t *conf = connection->conf;
    redisContext          *context;

    context = cp_redis_dial(connection, &master->address, conf->timeout_ms, conf->user, conf->password);

    if (context != NULL && !is_master(connection, context)) {
        redisFree(context);
        context = NULL;
    }

    return context;
}


/* Whether another sentinel has named it, and it was tried. */
static bool
is_tried(const master_t *tried, const master_t *master)
{
    return strcmp(tried->host, master->host) == 0 && tried->address.port == master->address.port;
}


redisContext *
cp_redis_dial_master(cp_redis_connection_t *connection)
{
    const cp_redis_conf_t *conf = connection->conf;
    size_t                 first = cp_redis_sentinel_first(connection->server), i;
    char                   why[sizeof(connection->fault)] = "";
    master_t               tried = { .host = "" }, master;
    redisContext          *context;

    for (i = 0; i < conf->sentinel_count; i++) {
        size_t place = (first + i) % conf->sentinel_count;

        if (!ask(connection, &conf->sentinels[place], &master) || is_tried(&tried, &master)) {
            continue;
        }

        cp_redis_sentinel_is_first(connection->server, place);

        context = dial(connection, &master);
        if (context != NULL) {
            return context;
        }

        snprintf(why, sizeof(why), "master %.60s:%d: %.60s", master.host, master.address.port, connection->fault);
        tried = master;
    }

    if (why[0] != '\0') {
        cp_redis_fault(connection, "%s", why);
    }

    return NULL;
}
