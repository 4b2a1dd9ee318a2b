/* What follows an answer, on a pool thread: no request waits for it, but a worker that leaves does. */
#include "ngx_http_caportal.h"

#define LATER_TIMER  120000

typedef struct {
    cp_later_t  *later;
    ngx_pool_t  *pool;
} ngx_http_caportal_later_t;


static void
ngx_http_caportal_later_run(void *data, ngx_log_t *log)
{
    ngx_http_caportal_later_t  *job = data;

    cp_later_run(job->later);
    job->later = NULL;
}


static void
ngx_http_caportal_later_done(ngx_event_t *ev)
{
    ngx_http_caportal_later_t  *job = ev->data;

    if (ev->timedout) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0, "caportal: what follows an answer takes longer than %d s",
                      LATER_TIMER / 1000);
        ev->timedout = 0;
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_destroy_pool(job->pool);
}


static ngx_int_t
ngx_http_caportal_later_post(ngx_thread_pool_t *threads, ngx_pool_t *pool, cp_later_t *later)
{
    ngx_thread_task_t          *task;
    ngx_http_caportal_later_t  *job;

    task = ngx_thread_task_alloc(pool, sizeof(ngx_http_caportal_later_t));
    if (task == NULL) {
        return NGX_ERROR;
    }

    job = task->ctx;
    job->later = later;
    job->pool = pool;

    task->handler = ngx_http_caportal_later_run;
    task->event.handler = ngx_http_caportal_later_done;
    task->event.data = job;
    task->event.log = ngx_cycle->log;

    if (ngx_thread_task_post(threads, task) != NGX_OK) {
        return NGX_ERROR;
    }

    /* While it is set the worker does not leave. */
    ngx_add_timer(&task->event, LATER_TIMER);

    return NGX_OK;
}


void
ngx_http_caportal_later(ngx_http_caportal_main_conf_t *cmcf, cp_later_t *later)
{
    ngx_pool_t  *pool = ngx_create_pool(1024, ngx_cycle->log);

    if (pool != NULL && ngx_http_caportal_later_post(cmcf->pools[CP_POOL_EGRESS], pool, later) == NGX_OK) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "caportal: what follows an answer is not done: no thread for it");

    cp_later_drop(later);
    if (pool != NULL) {
        ngx_destroy_pool(pool);
    }
}
