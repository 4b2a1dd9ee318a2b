/*
 * One connection to a Redis or a Sentinel in the event loop: commands go out pipelined, answers come back in order.
 * The socket is the server's own connection; hiredis only reads the protocol. It has a life of its own: started (from
 * now on it takes commands), connected, and closed, after which it may be started again.
 */
#ifndef NGX_HTTP_CAPORTAL_LINK_H
#define NGX_HTTP_CAPORTAL_LINK_H

#include "ngx_http_caportal.h"

#include <hiredis/hiredis.h>

#define NGX_HTTP_CAPORTAL_WHY  128    /* bytes of the reason for a failure */

typedef struct {
    ngx_http_caportal_reply_pt  handler;    /* NULL: nobody waits for it any more */
    void                       *data;
    ngx_msec_t                  sent;
} ngx_http_caportal_slot_t;

/*
 * Its members are its own but for the first four, which the owner sets before it is started for the first time.
 * `failed` is called when it closes by itself, with the reason; NULL: because the worker is leaving.
 */
typedef struct {
    ngx_msec_t                  timeout;      /* of the oldest command; the connection fails with it */
    void                       *owner;
    void                      (*failed)(void *owner, const char *why);           /* before its commands fail */
    void                      (*message)(void *owner, const redisReply *reply);  /* of a subscription, or NULL */

    ngx_connection_t           *connection;   /* NULL: not yet, or closed */
    redisReader                *reader;
    u_char                     *out;          /* what is to be sent stands at out + sent, as long as it is ready */
    size_t                      size;
    size_t                      sent;
    size_t                      ready;
    ngx_http_caportal_slot_t   *slots;        /* a ring of mask + 1 */
    uint64_t                    mask;
    uint64_t                    first;        /* number of the oldest command without an answer */
    uint64_t                    next;         /* number of the next command */
    ngx_event_t                 flush;
    ngx_event_t                 timer;
    ngx_uint_t                  lives;        /* how often it was started */
    unsigned                    started:1;
    unsigned                    connected:1;
    unsigned                    failing:1;
    unsigned                    expired:1;    /* it ended because no answer came in time */
} ngx_http_caportal_link_t;

/* From now on commands are taken; they go out when there is a connection. NGX_ERROR: it cannot be started now. */
ngx_int_t ngx_http_caportal_link_start(ngx_http_caportal_link_t *link);

/* Connects a started link; NGX_ERROR when it failed at once (`failed` was called). */
ngx_int_t ngx_http_caportal_link_connect(ngx_http_caportal_link_t *link, struct sockaddr *sockaddr, socklen_t socklen);

/*
 * Takes a command of binary-safe words; its number, or 0 when it is not taken. The handler is always called in a later
 * turn of the loop, unless the link fails.
 */
uint64_t ngx_http_caportal_link_send(ngx_http_caportal_link_t *link, const cp_str_t *words, size_t count,
    ngx_http_caportal_reply_pt handler, void *data);

/* The same for a command that has the protocol's form already. */
uint64_t ngx_http_caportal_link_send_raw(ngx_http_caportal_link_t *link, cp_str_t command,
    ngx_http_caportal_reply_pt handler, void *data);

/* Nobody waits for this command any more: its handler will not be called. */
void ngx_http_caportal_link_forget(ngx_http_caportal_link_t *link, uint64_t number);

/* The owner closes it: every command fails, `failed` is not called. */
void ngx_http_caportal_link_close(ngx_http_caportal_link_t *link);

/* Closes it and gives back its memory. */
void ngx_http_caportal_link_free(ngx_http_caportal_link_t *link);

/* The commands without an answer. */
#define ngx_http_caportal_link_waiting(link)  ((link)->next - (link)->first)

#endif
