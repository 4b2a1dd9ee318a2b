/* Names of hosts, by the system's resolver on a thread of the C library: /etc/hosts counts, and the loop goes on. */
#include "ngx_http_caportal_redis.h"

#include <netdb.h>

#define LOOK_EVERY  10    /* milliseconds */

static void ngx_http_caportal_resolve_look(ngx_event_t *ev);

/* A question that nobody waits for any more is still the resolver's: its memory stays until the answer. */
typedef struct {
    struct gaicb     gai;
    struct addrinfo  hints;
    char             host[256];
    char             port[sizeof("65535")];
} ngx_http_caportal_question_t;


static ngx_http_caportal_question_t *
ngx_http_caportal_question(const char *host, int port)
{
    size_t                         len = ngx_strlen(host);
    ngx_http_caportal_question_t  *question;

    question = len >= sizeof(question->host) ? NULL
                                             : ngx_calloc(sizeof(ngx_http_caportal_question_t), ngx_cycle->log);
    if (question == NULL) {
        return NULL;
    }

    ngx_memcpy(question->host, host, len);
    *ngx_sprintf((u_char *) question->port, "%d", port) = '\0';

    question->hints.ai_socktype = SOCK_STREAM;
    question->hints.ai_flags = AI_NUMERICHOST|AI_NUMERICSERV;
    question->gai.ar_name = question->host;
    question->gai.ar_service = question->port;
    question->gai.ar_request = &question->hints;

    return question;
}


static void
ngx_http_caportal_resolve_done(ngx_http_caportal_resolve_t *resolve, struct addrinfo *answer)
{
    ngx_uint_t        i, count = 0;
    struct addrinfo  *one;

    if (answer == NULL) {
        resolve->handler(resolve->data, NULL, 0);
        return;
    }

    for (one = answer; one != NULL; one = one->ai_next) {
        count++;
    }

    for (one = answer, i = resolve->turn % count; i != 0; i--) {
        one = one->ai_next;
    }

    resolve->handler(resolve->data, one->ai_addr, one->ai_addrlen);
    freeaddrinfo(answer);
}


void
ngx_http_caportal_resolve(ngx_http_caportal_resolve_t *resolve, const char *host, int port)
{
    struct addrinfo               *answer = NULL;
    struct gaicb                  *list[1];
    ngx_http_caportal_question_t  *question;

    ngx_http_caportal_resolve_forget(resolve);

    question = ngx_http_caportal_question(host, port);
    if (question == NULL) {
        ngx_http_caportal_resolve_done(resolve, NULL);
        return;
    }

    /* A number needs nobody to be asked. */
    if (getaddrinfo(question->host, question->port, &question->hints, &answer) == 0) {
        ngx_free(question);
        ngx_http_caportal_resolve_done(resolve, answer);
        return;
    }

    question->hints.ai_flags = AI_ADDRCONFIG|AI_NUMERICSERV;
    list[0] = &question->gai;

    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
        ngx_free(question);
        ngx_http_caportal_resolve_done(resolve, NULL);
        return;
    }

    resolve->request = question;
    resolve->timer.handler = ngx_http_caportal_resolve_look;
    resolve->timer.data = resolve;
    resolve->timer.log = ngx_cycle->log;
    resolve->timer.cancelable = 1;
    ngx_add_timer(&resolve->timer, LOOK_EVERY);
}


static void
ngx_http_caportal_resolve_look(ngx_event_t *ev)
{
    int                            rc;
    struct addrinfo               *answer;
    ngx_http_caportal_resolve_t   *resolve = ev->data;
    ngx_http_caportal_question_t  *question = resolve->request;

    rc = gai_error(&question->gai);

    if (rc == EAI_INPROGRESS) {
        ngx_add_timer(ev, LOOK_EVERY);
        return;
    }

    answer = rc == 0 ? question->gai.ar_result : NULL;
    ngx_free(question);
    resolve->request = NULL;

    ngx_http_caportal_resolve_done(resolve, answer);
}


void
ngx_http_caportal_resolve_forget(ngx_http_caportal_resolve_t *resolve)
{
    ngx_http_caportal_question_t  *question = resolve->request;

    if (question == NULL) {
        return;
    }

    ngx_del_timer(&resolve->timer);
    resolve->request = NULL;

    /* One that cannot be called back any more is left to the resolver: a few hundred bytes, at most once a time-out. */
    if (gai_cancel(&question->gai) == EAI_CANCELED) {
        ngx_free(question);

    } else if (gai_error(&question->gai) != EAI_INPROGRESS) {
        if (gai_error(&question->gai) == 0) {
            freeaddrinfo(question->gai.ar_result);
        }
        ngx_free(question);
    }
}
