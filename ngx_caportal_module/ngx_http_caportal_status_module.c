/*
 * caportal_status json|prometheus: what the installation's workers did, counted in shared memory. The counters survive
 * a reload; they are dropped only when the table of operations itself has changed.
 */
#include "ngx_http_caportal.h"

#include "base/metric.h"

#define CLASSES   6      /* by the status's first digit; 0 is unused */
#define BUCKETS   8
#define WORKERS   128    /* more of them share */

/* Upper bounds of the latency histogram, milliseconds; the last bucket takes the rest. */
static const ngx_msec_t  ngx_http_caportal_bounds[BUCKETS] = { 1, 5, 10, 50, 100, 500, 1000, 5000 };

typedef struct {
    ngx_atomic_t  requests[CLASSES];
    ngx_atomic_t  buckets[BUCKETS + 1];
    ngx_atomic_t  msec;
} ngx_http_caportal_counter_t;

typedef struct {
    ngx_uint_t                         operations;
    ngx_http_caportal_worker_counts_t  workers[WORKERS];
    ngx_atomic_t                       events[CP_METRIC_END];
    ngx_http_caportal_counter_t        counters[1];    /* one an operation, then one for what no row matched */
} ngx_http_caportal_counters_t;

/* What is told of sessions: the sum over the workers. */
typedef struct {
    const char  *name;
    const char  *metric;
    const char  *type;
    const char  *help;
    size_t       offset;
} ngx_http_caportal_worker_row_t;

#define WORKER_ROW(member, metric, type, help)                                                                         \
    { #member, "caportal_" metric, type, help, offsetof(ngx_http_caportal_worker_counts_t, member) }

static const ngx_http_caportal_worker_row_t  ngx_http_caportal_worker_rows[] = {
    WORKER_ROW(hits, "session_cache_hits_total", "counter", "Sessions that the worker knew."),
    WORKER_ROW(misses, "session_cache_misses_total", "counter", "Sessions that it did not know."),
    WORKER_ROW(changes, "session_cache_changes_total", "counter", "Accounts whose sessions Redis said have changed."),
    WORKER_ROW(refused, "redis_refused_total", "counter", "Sessions that were not looked up, Redis being away."),
    WORKER_ROW(entries, "session_cache_entries", "gauge", "Sessions that workers know now."),
    WORKER_ROW(connected, "redis_connected_workers", "gauge", "Workers whose Redis serves them."),
    WORKER_ROW(tracked, "session_tracked_workers", "gauge", "Workers whom Redis tells which sessions change."),
};

#define WORKER_ROWS  (sizeof(ngx_http_caportal_worker_rows) / sizeof(ngx_http_caportal_worker_rows[0]))

typedef enum {
    NGX_HTTP_CAPORTAL_STATUS_NONE = 0,
    NGX_HTTP_CAPORTAL_STATUS_JSON,
    NGX_HTTP_CAPORTAL_STATUS_PROMETHEUS
} ngx_http_caportal_status_e;

typedef struct {
    ngx_uint_t  format;    /* unsigned */
} ngx_http_caportal_status_loc_conf_t;

static void *ngx_http_caportal_status_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_caportal_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_caportal_status_zone(ngx_conf_t *cf);


static ngx_conf_enum_t  ngx_http_caportal_formats[] = {
    { ngx_string("json"), NGX_HTTP_CAPORTAL_STATUS_JSON },
    { ngx_string("prometheus"), NGX_HTTP_CAPORTAL_STATUS_PROMETHEUS },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_caportal_status_commands[] = {

    { ngx_string("caportal_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_caportal_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_caportal_status_loc_conf_t, format),
      &ngx_http_caportal_formats },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_caportal_status_module_ctx = {
    NULL,
    ngx_http_caportal_status_zone,

    NULL,
    NULL,

    NULL,
    NULL,

    ngx_http_caportal_status_create_loc_conf,
    NULL
};


ngx_module_t  ngx_http_caportal_status_module = {
    NGX_MODULE_V1,
    &ngx_http_caportal_status_module_ctx,
    ngx_http_caportal_status_commands,
    NGX_HTTP_MODULE,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NGX_MODULE_V1_PADDING
};


static ngx_http_caportal_counters_t *
ngx_http_caportal_counters(ngx_http_request_t *r)
{
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_caportal_module);

    return cmcf->counters == NULL ? NULL : cmcf->counters->data;
}


/* As in $request_time: waiting for the session and for a slow client's body is part of it. */
static ngx_msec_t
ngx_http_caportal_elapsed(ngx_http_request_t *r)
{
    ngx_time_t      *now = ngx_timeofday();
    ngx_msec_int_t   ms;

    ms = (ngx_msec_int_t) ((now->sec - r->start_sec) * 1000 + (ngx_msec_int_t) now->msec
                           - (ngx_msec_int_t) r->start_msec);

    return (ngx_msec_t) ngx_max(ms, 0);
}


void
ngx_http_caportal_count(ngx_http_caportal_ctx_t *ctx, ngx_uint_t status)
{
    ngx_uint_t                     i, n;
    ngx_msec_t                     elapsed = ngx_http_caportal_elapsed(ctx->request);
    ngx_http_caportal_counter_t   *counter;
    ngx_http_caportal_counters_t  *counters = ngx_http_caportal_counters(ctx->request);

    if (counters == NULL) {
        return;
    }

    n = ctx->operation == NULL ? cp_operation_count : (ngx_uint_t) (ctx->operation - cp_operations);
    counter = &counters->counters[n];

    for (i = 0; i < BUCKETS && elapsed > ngx_http_caportal_bounds[i]; i++) {
        /* look on */
    }

    (void) ngx_atomic_fetch_add(&counter->requests[ngx_min(status / 100, CLASSES - 1)], 1);
    (void) ngx_atomic_fetch_add(&counter->buckets[i], 1);
    (void) ngx_atomic_fetch_add(&counter->msec, (ngx_atomic_int_t) elapsed);
}


ngx_http_caportal_worker_counts_t *
ngx_http_caportal_worker_counts(ngx_http_caportal_main_conf_t *cmcf)
{
    static ngx_http_caportal_worker_counts_t  nobody;

    ngx_http_caportal_counters_t       *counters;
    ngx_http_caportal_worker_counts_t  *counts = &nobody;

    if (cmcf->counters != NULL) {
        counters = cmcf->counters->data;
        counts = &counters->workers[ngx_worker % WORKERS];
    }

    /* What the worker before this one in the same place knew went with it. */
    counts->entries = 0;
    counts->connected = 0;
    counts->tracked = 0;

    return counts;
}


static ngx_atomic_uint_t
ngx_http_caportal_worker_sum(ngx_http_caportal_counters_t *counters, const ngx_http_caportal_worker_row_t *row)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  sum = 0;

    for (i = 0; i < WORKERS; i++) {
        sum += *(ngx_atomic_t *) ((u_char *) &counters->workers[i] + row->offset);
    }

    return sum;
}


static const char *
ngx_http_caportal_operation_name(ngx_uint_t n)
{
    return n < cp_operation_count ? cp_operations[n].id : "none";
}


/* Of the running configuration: threads count into it. */
static ngx_http_caportal_counters_t  *ngx_http_caportal_events;


static void
ngx_http_caportal_event(cp_metric_t metric)
{
    ngx_http_caportal_counters_t  *counters = ngx_http_caportal_events;

    if (counters != NULL) {
        (void) ngx_atomic_fetch_add(&counters->events[metric], 1);
    }
}


void
ngx_http_caportal_events_into(ngx_http_caportal_main_conf_t *cmcf)
{
    ngx_http_caportal_events = cmcf->counters == NULL ? NULL : cmcf->counters->data;
    cp_metric_into(ngx_http_caportal_event);
}


static u_char *
ngx_http_caportal_status_row_json(u_char *p, const char *name, ngx_http_caportal_counter_t *counter)
{
    return ngx_sprintf(p, "\"%s\":{\"2xx\":%uA,\"3xx\":%uA,\"4xx\":%uA,\"5xx\":%uA,\"msec\":%uA}", name,
                       counter->requests[2], counter->requests[3], counter->requests[4], counter->requests[5],
                       counter->msec);
}


static u_char *
ngx_http_caportal_status_json(u_char *p, ngx_http_caportal_counters_t *counters)
{
    ngx_uint_t                             n;
    const ngx_http_caportal_worker_row_t  *row;

    p = ngx_sprintf(p, "{\"worker\":%P,\"sessions\":{", ngx_pid);

    for (row = ngx_http_caportal_worker_rows; row < ngx_http_caportal_worker_rows + WORKER_ROWS; row++) {
        p = ngx_sprintf(p, "%s\"%s\":%uA", row == ngx_http_caportal_worker_rows ? "" : ",", row->name,
                        ngx_http_caportal_worker_sum(counters, row));
    }

    p = ngx_sprintf(p, "},\"events\":{");

    for (n = 0; n < CP_METRIC_END; n++) {
        p = ngx_sprintf(p, "%s\"%s\":%uA", n == 0 ? "" : ",", cp_metric_word((cp_metric_t) n), counters->events[n]);
    }

    p = ngx_sprintf(p, "},\"operations\":{");

    for (n = 0; n <= cp_operation_count; n++) {
        p = ngx_sprintf(p, n == 0 ? "" : ",");
        p = ngx_http_caportal_status_row_json(p, ngx_http_caportal_operation_name(n), &counters->counters[n]);
    }

    return ngx_sprintf(p, "}}\n");
}


static u_char *
ngx_http_caportal_status_histogram(u_char *p, const char *name, ngx_http_caportal_counter_t *counter)
{
    ngx_uint_t  i, sum = 0;

    for (i = 0; i < BUCKETS; i++) {
        sum += counter->buckets[i];
        p = ngx_sprintf(p, "caportal_request_seconds_bucket{operation=\"%s\",le=\"%ui.%03ui\"} %ui\n", name,
                        ngx_http_caportal_bounds[i] / 1000, ngx_http_caportal_bounds[i] % 1000, sum);
    }
    sum += counter->buckets[BUCKETS];

    return ngx_sprintf(p, "caportal_request_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %ui\n"
                       "caportal_request_seconds_sum{operation=\"%s\"} %ui.%03ui\n"
                       "caportal_request_seconds_count{operation=\"%s\"} %ui\n", name, sum, name,
                       (ngx_uint_t) counter->msec / 1000, (ngx_uint_t) counter->msec % 1000, name, sum);
}


static u_char *
ngx_http_caportal_status_prometheus(u_char *p, ngx_http_caportal_counters_t *counters)
{
    ngx_uint_t                             n, class;
    const ngx_http_caportal_worker_row_t  *row;

    for (row = ngx_http_caportal_worker_rows; row < ngx_http_caportal_worker_rows + WORKER_ROWS; row++) {
        p = ngx_sprintf(p, "# HELP %s %s\n# TYPE %s %s\n%s %uA\n", row->metric, row->help, row->metric, row->type,
                        row->metric, ngx_http_caportal_worker_sum(counters, row));
    }

    p = ngx_sprintf(p, "# HELP caportal_events_total Codes, captchas and passwords.\n"
                    "# TYPE caportal_events_total counter\n");

    for (n = 0; n < CP_METRIC_END; n++) {
        p = ngx_sprintf(p, "caportal_events_total{event=\"%s\"} %uA\n", cp_metric_word((cp_metric_t) n),
                        counters->events[n]);
    }

    p = ngx_sprintf(p, "# HELP caportal_requests_total Answers by operation and class of status.\n"
                    "# TYPE caportal_requests_total counter\n");

    for (n = 0; n <= cp_operation_count; n++) {
        for (class = 2; class < CLASSES; class++) {
            p = ngx_sprintf(p, "caportal_requests_total{operation=\"%s\",class=\"%uixx\"} %uA\n",
                            ngx_http_caportal_operation_name(n), class, counters->counters[n].requests[class]);
        }
    }

    p = ngx_sprintf(p, "# HELP caportal_request_seconds Time from the request's first byte to the answer.\n"
                    "# TYPE caportal_request_seconds histogram\n");

    for (n = 0; n <= cp_operation_count; n++) {
        p = ngx_http_caportal_status_histogram(p, ngx_http_caportal_operation_name(n), &counters->counters[n]);
    }

    return p;
}


static ngx_int_t
ngx_http_caportal_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                             rc;
    ngx_buf_t                            *b;
    ngx_chain_t                           out;
    ngx_http_caportal_counters_t         *counters = ngx_http_caportal_counters(r);
    ngx_http_caportal_status_loc_conf_t  *slcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_caportal_status_module);

    /* A row is at most two kilobytes: 4 + 11 lines of at most 130 characters; so are those of the workers together,
     * and those of the events. */
    b = ngx_create_temp_buf(r->pool, (cp_operation_count + 4) * 2048);
    if (b == NULL || counters == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (slcf->format == NGX_HTTP_CAPORTAL_STATUS_JSON) {
        b->last = ngx_http_caportal_status_json(b->last, counters);
        ngx_str_set(&r->headers_out.content_type, "application/json; charset=utf-8");
    } else {
        b->last = ngx_http_caportal_status_prometheus(b->last, counters);
        ngx_str_set(&r->headers_out.content_type, "text/plain; version=0.0.4; charset=utf-8");
    }

    b->last_buf = r == r->main;
    b->last_in_chain = 1;

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static char *
ngx_http_caportal_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_caportal_main_conf_t  *cmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_caportal_status_handler;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);
    cmcf->counted = 1;

    return ngx_conf_set_enum_slot(cf, cmd, conf);
}


static ngx_int_t
ngx_http_caportal_status_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t               *pool = (ngx_slab_pool_t *) zone->shm.addr;
    ngx_http_caportal_counters_t  *counters = data;

    /* Old workers go on counting in the same zone: it is kept as long as its layout is. */
    if (counters != NULL && counters->operations == cp_operation_count) {
        zone->data = counters;
        return NGX_OK;
    }

    if (zone->shm.exists && pool->data != NULL) {
        zone->data = pool->data;
        return NGX_OK;
    }

    counters = ngx_slab_calloc(pool, sizeof(ngx_http_caportal_counters_t)
                                     + cp_operation_count * sizeof(ngx_http_caportal_counter_t));
    if (counters == NULL) {
        return NGX_ERROR;
    }

    counters->operations = cp_operation_count;
    pool->data = counters;
    zone->data = counters;

    return NGX_OK;
}


/* The zone's size and name follow from the table: a module with another table gets another zone. */
static ngx_int_t
ngx_http_caportal_status_zone(ngx_conf_t *cf)
{
    size_t                          size;
    u_char                         *p;
    ngx_str_t                       name;
    ngx_http_caportal_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_caportal_module);

    if (!cmcf->counted) {
        return NGX_OK;
    }

    p = ngx_pnalloc(cf->pool, sizeof("caportal-3-") + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name.data = p;
    name.len = (size_t) (ngx_sprintf(p, "caportal-3-%uz", cp_operation_count) - p);

    size = 8 * ngx_pagesize + 2 * (sizeof(ngx_http_caportal_counters_t)
                                   + (cp_operation_count + 2) * sizeof(ngx_http_caportal_counter_t));
    size = ngx_align(size, ngx_pagesize);

    cmcf->counters = ngx_shared_memory_add(cf, &name, size, &ngx_http_caportal_status_module);
    if (cmcf->counters == NULL) {
        return NGX_ERROR;
    }

    cmcf->counters->init = ngx_http_caportal_status_init_zone;

    return NGX_OK;
}


static void *
ngx_http_caportal_status_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_caportal_status_loc_conf_t  *slcf;

    slcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_caportal_status_loc_conf_t));
    if (slcf != NULL) {
        slcf->format = NGX_CONF_UNSET_UINT;
    }

    return slcf;
}
