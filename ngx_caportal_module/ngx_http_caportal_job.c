/*
 * One call on a pool thread. The thread touches only the call and its arena; the request waits with `blocked` set, so
 * that neither a client that goes away nor a worker that is asked to leave takes its memory meanwhile.
 */
#include "ngx_http_caportal.h"
#include "ngx_http_caportal_session_cache.h"

/* Longer than any time-out below it: it only keeps the worker from leaving before the answer is out. */
#define JOB_TIMER  120000

typedef struct {
    ngx_http_caportal_ctx_t  *ctx;
} ngx_http_caportal_job_t;


static void
ngx_http_caportal_job_run(void *data, ngx_log_t *log)
{
    ngx_http_caportal_job_t  *job = data;

    cp_api_run(&job->ctx->call);
}


/* The write handler while a thread works: whatever wakes the request, only a finished job answers it. */
static void
ngx_http_caportal_job_write(ngx_http_request_t *r)
{
    ngx_http_caportal_ctx_t  *ctx = ngx_http_get_module_ctx(r, ngx_http_caportal_api_module);

    if (ctx->running || ctx->answered) {
        return;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_caportal_answer(ctx);
}


/*
 * A call that changed its account's sessions is answered only when this worker has forgotten them: Redis tells all
 * workers, but a moment later perhaps than the client, who may be here again at once.
 */
static void
ngx_http_caportal_job_forget(ngx_http_caportal_main_conf_t *cmcf, const ngx_http_caportal_ctx_t *ctx)
{
    const cp_principal_t  *came_as = &ctx->call.came_as, *who = &ctx->call.who;

    if (cmcf->sessions == NULL || !ctx->call.sessions_changed) {
        return;
    }

    if (came_as->account != 0) {
        ngx_http_caportal_cache_changed(cmcf->sessions, came_as->account_id);
    }
    if (who->account != 0 && who->account != came_as->account) {
        ngx_http_caportal_cache_changed(cmcf->sessions, who->account_id);
    }
}


static void
ngx_http_caportal_job_done(ngx_event_t *ev)
{
    ngx_http_caportal_ctx_t        *ctx = ev->data;
    ngx_http_request_t             *r = ctx->request;
    ngx_connection_t               *c = r->connection;
    cp_later_t                     *later;
    ngx_http_caportal_main_conf_t  *cmcf;

    ngx_http_set_log_request(c->log, r);

    if (ev->timedout) {
        ngx_log_error(NGX_LOG_ALERT, c->log, 0, "caportal: %s takes longer than %d s", ctx->operation->id,
                      JOB_TIMER / 1000);
        ev->timedout = 0;
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    r->main->blocked--;
    r->aio = 0;
    ctx->running = 0;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_caportal_module);
    later = cp_later_take(&ctx->call);
    ngx_http_caportal_job_forget(cmcf, ctx);

    /* A request that was terminated meanwhile has the core's finalizer here. */
    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);

    if (later != NULL) {
        ngx_http_caportal_later(cmcf, later);
    }
}


void
ngx_http_caportal_job_start(ngx_http_caportal_ctx_t *ctx)
{
    ngx_http_request_t             *r = ctx->request;
    ngx_thread_task_t              *task;
    ngx_http_caportal_job_t        *job;
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_caportal_module);

    task = ngx_thread_task_alloc(r->pool, sizeof(ngx_http_caportal_job_t));
    if (task == NULL) {
        ngx_http_caportal_refuse(ctx, CP_E_NO_MEMORY);
        return;
    }

    job = task->ctx;
    job->ctx = ctx;

    task->handler = ngx_http_caportal_job_run;
    task->event.handler = ngx_http_caportal_job_done;
    task->event.data = ctx;
    task->event.log = r->connection->log;

    /* A full queue refuses at once: a request that waits longer than its sender is worth nothing. */
    if (ngx_thread_task_post(cmcf->pools[cp_api_pool(&ctx->call)], task) != NGX_OK) {
        ngx_http_caportal_refuse(ctx, CP_E_BUSY);
        return;
    }

    ngx_add_timer(&task->event, JOB_TIMER);

    r->main->blocked++;
    r->aio = 1;
    ctx->running = 1;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_caportal_job_write;
}
