/* The table of operations and the tables of codes as JSON: what html/openapi.yaml is held against. */
#include <stdio.h>

#include <jansson.h>

#include "api.h"
#include "certificate/certificate_rules.h"
#include "ctl.h"
#include "material/material.h"
#include "order/order.h"
#include "staff/staff.h"

static const char *const pools[] = {
    [CP_POOL_DATABASE] = "database", [CP_POOL_EGRESS] = "egress", [CP_POOL_PASSWORD] = "password",
    [CP_POOL_INSPECTOR] = "inspector",
};

static const char *const bodies[] = {
    [CP_BODY_NONE] = "none", [CP_BODY_JSON] = "json", [CP_BODY_RAW] = "raw", [CP_BODY_UPLOAD] = "upload",
    [CP_BODY_FORM] = "form",
};

static const cp_word_t other_callers[] = {
    { "public",   CP_BY_PUBLIC },
    { "account",  CP_BY_ACCOUNT },
    { "callback", CP_BY_CALLBACK },
    { NULL,       0 },
};


static json_t *
callers_json(unsigned callers)
{
    json_t *list = cp_words_json(other_callers, callers), *roles = cp_words_json(cp_role_words, callers);

    json_array_extend(list, roles);
    json_decref(roles);

    return list;
}


/* Null for the uploads whose limit is the catalogue's. */
static json_t *
limit_json(const cp_operation_t *operation)
{
    if (operation->body != CP_BODY_UPLOAD && operation->body != CP_BODY_FORM) {
        return json_integer((json_int_t) operation->body_max);
    }

    return operation->upload == NULL ? json_null() : json_integer((json_int_t) cp_voucher_rule.max_size);
}


static json_t *
operations_json(void)
{
    json_t *list = json_array();
    size_t  i;

    for (i = 0; i < cp_operation_count; i++) {
        const cp_operation_t *o = &cp_operations[i];

        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:b, s:b}", "id", o->id, "method",
                                              o->method, "path", o->path, "callers", callers_json(o->callers), "pool",
                                              pools[o->pool], "body", bodies[o->body], "body_max", limit_json(o),
                                              "idempotent", (o->flags & CP_IDEMPOTENT) != 0,
                                              "fresh", (o->flags & CP_FRESH) != 0));
    }

    return list;
}


static json_t *
problems_json(void)
{
    json_t   *list = json_array();
    cp_code_t code;

    /* Those behind CP_E_RETRY are never seen by a client. */
    for (code = CP_OK + 1; code < CP_E_RETRY; code++) {
        const cp_error_t *row = cp_error(code);

        json_array_append_new(list, json_pack("{s:s, s:i}", "code", row->code, "status", row->status));
    }

    return list;
}


static json_t *
faults_json(void)
{
    json_t         *list = json_array();
    cp_field_code_t code;

    for (code = 0; code < CP_F_END; code++) {
        json_array_append_new(list, json_string(cp_field_error(code)->code));
    }

    return list;
}


static json_t *
states_json(void)
{
    json_t          *list = json_array();
    cp_order_state_t state;

    for (state = 0; state < CP_ORDER_STATE_COUNT; state++) {
        json_array_append_new(list, json_string(cp_order_state_name(state)));
    }

    return list;
}


static json_t *
events_json(void)
{
    json_t          *list = json_array();
    cp_order_event_t event;

    for (event = 0; event < CP_ORDER_EVENT_COUNT; event++) {
        json_array_append_new(list, json_string(cp_order_event_name(event)));
    }

    return list;
}


/* The words that bodies and answers may hold. */
static json_t *
words_json(void)
{
    static const struct {
        const char      *name;
        const cp_word_t *words;
    } tables[] = {
        { "service", cp_service_words },   { "applicant", cp_applicant_words }, { "invoice", cp_invoice_words },
        { "delivery", cp_delivery_words }, { "role", cp_role_words },           { "reason", cp_reason_words },
    };

    json_t *object = json_object();
    size_t  i;

    json_object_set_new(object, "state", states_json());
    json_object_set_new(object, "event", events_json());
    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        json_object_set_new(object, tables[i].name, cp_words_json(tables[i].words, ~0u));
    }

    return object;
}


int
ctl_operations(ctl_t *ctl)
{
    json_t *report;
    int     failed;

    (void) ctl;

    report = json_pack("{s:o, s:o, s:o, s:o}", "operations", operations_json(), "problems", problems_json(),
                       "field_faults", faults_json(), "words", words_json());
    failed = report == NULL || json_dumpf(report, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF;
    json_decref(report);

    return failed ? ctl_fault("the table could not be written") : CTL_OK;
}
