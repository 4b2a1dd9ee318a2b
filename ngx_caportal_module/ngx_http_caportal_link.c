#include "ngx_http_caportal_link.h"

#include <ngx_event_connect.h>

#define FIRST_SLOTS  64
#define MOST_SLOTS   65536
#define FIRST_OUT    4096
#define MOST_OUT     (4 * 1024 * 1024)
#define READ_SIZE    16384

static void ngx_http_caportal_link_read(ngx_event_t *ev);
static void ngx_http_caportal_link_write(ngx_event_t *ev);
static void ngx_http_caportal_link_flush(ngx_event_t *ev);
static void ngx_http_caportal_link_expired(ngx_event_t *ev);


/* Closes, tells the owner, and lets the commands fail: in this order, so that none of them begins another try. */
static void
ngx_http_caportal_link_end(ngx_http_caportal_link_t *link, ngx_uint_t tell, const char *why)
{
    ngx_http_caportal_slot_t  slot;

    if (!link->started || link->failing) {
        return;
    }

    link->started = 0;
    link->connected = 0;
    link->failing = 1;

    if (link->flush.posted) {
        ngx_delete_posted_event(&link->flush);
    }
    if (link->timer.timer_set) {
        ngx_del_timer(&link->timer);
    }
    if (link->connection != NULL) {
        ngx_close_connection(link->connection);
        link->connection = NULL;
    }

    redisReaderFree(link->reader);
    link->reader = NULL;

    if (tell) {
        link->failed(link->owner, why);
    }

    while (link->first != link->next) {
        slot = link->slots[link->first++ & link->mask];
        if (slot.handler != NULL) {
            slot.handler(slot.data, NULL);
        }
    }

    link->failing = 0;
}


static void
ngx_http_caportal_link_fail(ngx_http_caportal_link_t *link, const char *text, ngx_err_t err)
{
    u_char  why[NGX_HTTP_CAPORTAL_WHY], words[NGX_HTTP_CAPORTAL_WHY / 2], *last;

    if (err != 0) {
        last = ngx_strerror(err, words, sizeof(words) - 1);
        *last = '\0';
        last = ngx_snprintf(why, sizeof(why) - 1, "%s (%d: %s)", text, err, words);
    } else {
        last = ngx_snprintf(why, sizeof(why) - 1, "%s", text);
    }
    *last = '\0';

    ngx_http_caportal_link_end(link, 1, (char *) why);
}


ngx_int_t
ngx_http_caportal_link_start(ngx_http_caportal_link_t *link)
{
    if (link->started || link->failing) {
        return NGX_ERROR;
    }

    if (link->slots == NULL) {
        link->slots = ngx_alloc(FIRST_SLOTS * sizeof(ngx_http_caportal_slot_t), ngx_cycle->log);
        link->mask = FIRST_SLOTS - 1;
        link->first = link->next = 1;
    }
    if (link->out == NULL) {
        link->out = ngx_alloc(FIRST_OUT, ngx_cycle->log);
        link->size = FIRST_OUT;
    }

    link->reader = redisReaderCreate();

    if (link->slots == NULL || link->out == NULL || link->reader == NULL) {
        ngx_http_caportal_link_free(link);
        return NGX_ERROR;
    }

    link->flush.handler = ngx_http_caportal_link_flush;
    link->flush.data = link;
    link->flush.log = ngx_cycle->log;
    link->timer.handler = ngx_http_caportal_link_expired;
    link->timer.data = link;
    link->timer.log = ngx_cycle->log;

    link->lives++;
    link->started = 1;
    link->connected = 0;
    link->expired = 0;
    link->sent = 0;
    link->ready = 0;

    return NGX_OK;
}


/* Its own failures are told by whoever owns the link, once a change of state and not once a try. */
static ngx_int_t
ngx_http_caportal_link_open(ngx_http_caportal_link_t *link, struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_int_t               rc;
    ngx_str_t               name = ngx_string("redis");
    ngx_log_t               quiet = *ngx_cycle->log;
    ngx_connection_t       *c;
    ngx_peer_connection_t   peer;

    quiet.log_level = 0;
    ngx_memzero(&peer, sizeof(peer));
    peer.sockaddr = sockaddr;
    peer.socklen = socklen;
    peer.name = &name;
    peer.get = ngx_event_get_peer;
    peer.log = &quiet;
    peer.log_error = NGX_ERROR_INFO;

    rc = ngx_event_connect_peer(&peer);
    c = peer.connection;

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        if (c != NULL) {
            ngx_close_connection(c);
        }
        return NGX_ERROR;
    }

    c->data = link;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_caportal_link_read;
    c->write->handler = ngx_http_caportal_link_write;

    link->connection = c;
    link->connected = rc == NGX_OK;

    return NGX_OK;
}


/* A leaving worker waits for commands that somebody waits for, and closes connections without any. */
static void
ngx_http_caportal_link_rest(ngx_http_caportal_link_t *link)
{
    ngx_uint_t  idle = ngx_http_caportal_link_waiting(link) == 0;

    link->timer.cancelable = idle;

    if (link->connection != NULL) {
        link->connection->idle = idle & 1;
    }
}


ngx_int_t
ngx_http_caportal_link_connect(ngx_http_caportal_link_t *link, struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_set_socket_errno(0);

    if (ngx_http_caportal_link_open(link, sockaddr, socklen) != NGX_OK) {
        ngx_http_caportal_link_fail(link, "cannot be connected to", ngx_socket_errno);
        return NGX_ERROR;
    }

    if (sockaddr->sa_family != AF_UNIX) {
        (void) ngx_tcp_nodelay(link->connection);
    }

    ngx_http_caportal_link_rest(link);
    ngx_post_event(&link->flush, &ngx_posted_events);

    return NGX_OK;
}


static ngx_int_t
ngx_http_caportal_link_grow_slots(ngx_http_caportal_link_t *link)
{
    uint64_t                   n, size = link->mask + 1;
    ngx_http_caportal_slot_t  *slots;

    slots = size >= MOST_SLOTS ? NULL : ngx_alloc(2 * size * sizeof(ngx_http_caportal_slot_t), ngx_cycle->log);
    if (slots == NULL) {
        return NGX_ERROR;
    }

    for (n = link->first; n != link->next; n++) {
        slots[n & (2 * size - 1)] = link->slots[n & link->mask];
    }

    ngx_free(link->slots);
    link->slots = slots;
    link->mask = 2 * size - 1;

    return NGX_OK;
}


/* Room for `len` bytes behind what is ready; NULL when there is none. */
static u_char *
ngx_http_caportal_link_room(ngx_http_caportal_link_t *link, size_t len)
{
    size_t   size = link->size;
    u_char  *out;

    if (link->sent + link->ready + len > link->size) {
        while (size < link->ready + len) {
            size *= 2;
        }

        if (size > MOST_OUT) {
            return NULL;
        }

        out = size == link->size ? link->out : ngx_alloc(size, ngx_cycle->log);
        if (out == NULL) {
            return NULL;
        }

        ngx_memmove(out, link->out + link->sent, link->ready);
        if (out != link->out) {
            ngx_free(link->out);
        }

        link->out = out;
        link->size = size;
        link->sent = 0;
    }

    return link->out + link->sent + link->ready;
}


/* The command's bytes stand behind what is ready. */
static uint64_t
ngx_http_caportal_link_take(ngx_http_caportal_link_t *link, size_t len, ngx_http_caportal_reply_pt handler, void *data)
{
    ngx_http_caportal_slot_t  *slot;

    if (ngx_http_caportal_link_waiting(link) > link->mask && ngx_http_caportal_link_grow_slots(link) != NGX_OK) {
        return 0;
    }

    slot = &link->slots[link->next & link->mask];
    slot->handler = handler;
    slot->data = data;
    slot->sent = ngx_current_msec;

    link->ready += len;
    link->next++;
    ngx_http_caportal_link_rest(link);

    if (!link->timer.timer_set) {
        ngx_add_timer(&link->timer, link->timeout);
    }

    if (link->connected && !link->flush.posted) {
        ngx_post_event(&link->flush, &ngx_posted_events);
    }

    return link->next - 1;
}


uint64_t
ngx_http_caportal_link_send_raw(ngx_http_caportal_link_t *link, cp_str_t command, ngx_http_caportal_reply_pt handler,
    void *data)
{
    u_char  *p;

    if (!link->started) {
        return 0;
    }

    p = ngx_http_caportal_link_room(link, command.len);
    if (p == NULL) {
        return 0;
    }

    ngx_memcpy(p, command.data, command.len);

    return ngx_http_caportal_link_take(link, command.len, handler, data);
}


uint64_t
ngx_http_caportal_link_send(ngx_http_caportal_link_t *link, const cp_str_t *words, size_t count,
    ngx_http_caportal_reply_pt handler, void *data)
{
    size_t   i, len = NGX_SIZE_T_LEN + sizeof("*\r\n");
    u_char  *p, *begin;

    if (!link->started) {
        return 0;
    }

    for (i = 0; i < count; i++) {
        len += NGX_SIZE_T_LEN + sizeof("$\r\n\r\n") + words[i].len;
    }

    begin = p = ngx_http_caportal_link_room(link, len);
    if (p == NULL) {
        return 0;
    }

    p = ngx_sprintf(p, "*%uz\r\n", count);

    for (i = 0; i < count; i++) {
        p = ngx_sprintf(p, "$%uz\r\n", words[i].len);
        p = ngx_cpymem(p, words[i].data, words[i].len);
        *p++ = '\r';
        *p++ = '\n';
    }

    return ngx_http_caportal_link_take(link, (size_t) (p - begin), handler, data);
}


void
ngx_http_caportal_link_forget(ngx_http_caportal_link_t *link, uint64_t number)
{
    if (number - link->first < ngx_http_caportal_link_waiting(link)) {
        link->slots[number & link->mask].handler = NULL;
    }
}


/* Everything that was taken in this turn of the loop leaves in one piece. */
static void
ngx_http_caportal_link_flush(ngx_event_t *ev)
{
    ssize_t                    n;
    ngx_http_caportal_link_t  *link = ev->data;
    ngx_connection_t          *c = link->connection;

    if (c == NULL || !link->connected) {
        return;
    }

    while (link->ready != 0 && c->write->ready) {
        n = c->send(c, link->out + link->sent, link->ready);

        if (n == NGX_ERROR) {
            ngx_http_caportal_link_fail(link, "has closed the connection", ngx_socket_errno);
            return;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        link->sent += (size_t) n;
        link->ready -= (size_t) n;
    }

    if (link->ready == 0) {
        link->sent = 0;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_caportal_link_fail(link, "cannot be waited for", 0);
    }
}


static void
ngx_http_caportal_link_write(ngx_event_t *ev)
{
    int                        err = 0;
    socklen_t                  len = sizeof(err);
    ngx_connection_t          *c = ev->data;
    ngx_http_caportal_link_t  *link = c->data;

    if (!link->connected) {
        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
            err = ngx_socket_errno;
        }

        if (err != 0) {
            ngx_http_caportal_link_fail(link, "cannot be connected to", err);
            return;
        }

        link->connected = 1;
    }

    ngx_http_caportal_link_flush(&link->flush);
}


static void
ngx_http_caportal_link_answer(ngx_http_caportal_link_t *link, redisReply *reply)
{
    ngx_http_caportal_slot_t  slot;

    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && reply->element[0]->type == REDIS_REPLY_STRING
        && ngx_strcmp(reply->element[0]->str, "message") == 0)
    {
        if (link->message != NULL) {
            link->message(link->owner, reply);
        }
        return;
    }

    if (ngx_http_caportal_link_waiting(link) == 0) {
        ngx_http_caportal_link_fail(link, reply->type == REDIS_REPLY_ERROR ? reply->str : "answers unasked", 0);
        return;
    }

    slot = link->slots[link->first++ & link->mask];
    ngx_http_caportal_link_rest(link);

    if (slot.handler != NULL) {
        slot.handler(slot.data, reply);
    }
}


/* Hands out the answers that are complete; a handler may close the link, after which nothing of it may be touched. */
static ngx_int_t
ngx_http_caportal_link_answers(ngx_http_caportal_link_t *link)
{
    ngx_uint_t   life = link->lives;
    redisReply  *reply;

    for ( ;; ) {
        if (redisReaderGetReply(link->reader, (void **) &reply) != REDIS_OK) {
            ngx_http_caportal_link_fail(link, "does not speak the protocol", 0);
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        ngx_http_caportal_link_answer(link, reply);
        freeReplyObject(reply);

        if (!link->started || link->lives != life) {
            return NGX_ERROR;
        }
    }
}


static void
ngx_http_caportal_link_read(ngx_event_t *ev)
{
    u_char                     buf[READ_SIZE];
    ssize_t                    n;
    ngx_connection_t          *c = ev->data;
    ngx_http_caportal_link_t  *link = c->data;

    if (c->close) {
        ngx_http_caportal_link_end(link, 1, NULL);
        return;
    }

    while (c->read->ready) {
        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            ngx_http_caportal_link_fail(link, link->connected ? "has closed the connection" : "cannot be connected to",
                                        n == 0 ? 0 : ngx_socket_errno);
            return;
        }

        if (redisReaderFeed(link->reader, (char *) buf, (size_t) n) != REDIS_OK) {
            ngx_http_caportal_link_fail(link, "sends more than there is memory for", 0);
            return;
        }

        if (ngx_http_caportal_link_answers(link) != NGX_OK) {
            return;
        }
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_caportal_link_fail(link, "cannot be waited for", 0);
    }
}


/* Only the oldest command is timed: answers come in order. */
static void
ngx_http_caportal_link_expired(ngx_event_t *ev)
{
    ngx_msec_t                 age;
    ngx_http_caportal_link_t  *link = ev->data;

    if (ngx_http_caportal_link_waiting(link) == 0) {
        return;
    }

    age = ngx_current_msec - link->slots[link->first & link->mask].sent;

    if (age < link->timeout) {
        ngx_add_timer(&link->timer, link->timeout - age);
        return;
    }

    link->expired = 1;
    ngx_http_caportal_link_fail(link, "does not answer", 0);
}


void
ngx_http_caportal_link_close(ngx_http_caportal_link_t *link)
{
    ngx_http_caportal_link_end(link, 0, NULL);
}


void
ngx_http_caportal_link_free(ngx_http_caportal_link_t *link)
{
    ngx_http_caportal_link_close(link);

    if (link->reader != NULL) {
        redisReaderFree(link->reader);
        link->reader = NULL;
    }
    if (link->slots != NULL) {
        ngx_free(link->slots);
        link->slots = NULL;
    }
    if (link->out != NULL) {
        ngx_free(link->out);
        link->out = NULL;
    }
}
