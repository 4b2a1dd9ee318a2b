/* The connection of a thread: made at first use, looked at before each, made anew when it is no good. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/thread.h"
#include "redis/redis_internal.h"

static pthread_key_t  thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;


void
cp_redis_drop(cp_redis_connection_t *connection)
{
    if (connection->context != NULL) {
        redisFree(connection->context);
        connection->context = NULL;
    }
}


static void
thread_end(void *data)
{
    cp_redis_connection_t *connection = data;

    cp_redis_drop(connection);
    free(connection);
    cp_thread_gave();
}


static void
thread_key_create(void)
{
    pthread_key_create(&thread_key, thread_end);
}


cp_redis_connection_t *
cp_redis_connection(const cp_redis_conf_t *conf)
{
    cp_redis_connection_t *connection;

    pthread_once(&thread_once, thread_key_create);

    connection = pthread_getspecific(thread_key);
    if (connection == NULL) {
        connection = calloc(1, sizeof(cp_redis_connection_t));
        if (connection == NULL || pthread_setspecific(thread_key, connection) != 0) {
            free(connection);
            return NULL;
        }
        cp_thread_took();
    }

    if (connection->conf != conf) {
        cp_redis_drop(connection);
        connection->server = cp_redis_server(conf);
        connection->conf = connection->server == NULL ? NULL : conf;
    }

    return connection->server == NULL ? NULL : connection;
}


void
cp_redis_close_thread(void)
{
    cp_redis_connection_t *connection;

    pthread_once(&thread_once, thread_key_create);

    connection = pthread_getspecific(thread_key);
    if (connection != NULL) {
        pthread_setspecific(thread_key, NULL);
        thread_end(connection);
    }
}


bool
cp_redis_fault(cp_redis_connection_t *connection, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(connection->fault, sizeof(connection->fault), format, args);
    va_end(args);

    return false;
}


bool
cp_redis_context_fault(cp_redis_connection_t *connection, const redisContext *context, const redisReply *reply)
{
    bool late = errno == EAGAIN || errno == EINPROGRESS || errno == ETIMEDOUT;

    if (context == NULL) {
        return cp_redis_fault(connection, "out of memory");
    }

    return cp_redis_fault(connection, "%.100s",
                          reply != NULL && reply->type == REDIS_REPLY_ERROR ? reply->str
                          : context->err == 0 ? "an unexpected answer"
                          : context->err == REDIS_ERR_IO && late ? "no answer in time" : context->errstr);
}


/* Runs a command that must answer with anything but an error; "" ends its words. */
static bool
greets(cp_redis_connection_t *connection, redisContext *context, const char *format, const char *first,
       const char *second)
{
    redisReply *reply = redisCommand(context, format, first, second);
    bool        good = reply != NULL && reply->type != REDIS_REPLY_ERROR;

    if (!good) {
        cp_redis_context_fault(connection, context, reply);
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }

    return good;
}


static redisContext *
dial(const char *socket, const cp_redis_address_t *address, struct timeval limit)
{
    return socket != NULL ? redisConnectUnixWithTimeout(socket, limit)
                          : redisConnectWithTimeout(address->host, address->port, limit);
}


static redisContext *
dial_and_sign_in(cp_redis_connection_t *connection, const char *socket, const cp_redis_address_t *address,
                 unsigned timeout_ms, const char *user, const char *password)
{
    struct timeval limit = { timeout_ms / 1000, (suseconds_t) (timeout_ms % 1000) * 1000 };
    redisContext  *context = dial(socket, address, limit);
    bool           good;

    if (context == NULL || context->err != 0 || redisSetTimeout(context, limit) != REDIS_OK) {
        good = cp_redis_context_fault(connection, context, NULL);
    } else if (password == NULL) {
        good = true;
    } else if (user != NULL) {
        good = greets(connection, context, "AUTH %s %s", user, password);
    } else {
        good = greets(connection, context, "AUTH %s", password, NULL);
    }

    if (!good && context != NULL) {
        redisFree(context);
        context = NULL;
    }

    return context;
}


redisContext *
cp_redis_dial(cp_redis_connection_t *connection, const cp_redis_address_t *address, unsigned timeout_ms,
              const char *user, const char *password)
{
    return dial_and_sign_in(connection, NULL, address, timeout_ms, user, password);
}


static bool
select_database(cp_redis_connection_t *connection)
{
    char number[16];

    if (connection->conf->database == 0) {
        return true;
    }

    snprintf(number, sizeof(number), "%d", connection->conf->database);

    return greets(connection, connection->context, "SELECT %s", number, NULL);
}


bool
cp_redis_open(cp_redis_connection_t *connection, unsigned generation)
{
    const cp_redis_conf_t *conf = connection->conf;
    cp_redis_address_t     address = { conf->host, conf->port };

    cp_redis_drop(connection);

    connection->opened++;
    connection->generation = generation;
    connection->context = conf->sentinel_master != NULL
                          ? cp_redis_dial_master(connection)
                          : dial_and_sign_in(connection, conf->socket, &address, conf->timeout_ms, conf->user,
                                             conf->password);

    if (connection->context != NULL && !select_database(connection)) {
        cp_redis_drop(connection);
    }

    return connection->context != NULL;
}


/* Nothing may be there to read between two commands: neither the end of the stream nor an answer to nothing. */
bool
cp_redis_is_open(const cp_redis_connection_t *connection, unsigned generation)
{
    char byte;

    return connection->context != NULL && connection->generation == generation
           && recv(connection->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1
           && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}
