#include "order/order_ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "call/fields.h"
#include "order/order_json.h"
#include "order/order_state.h"
#include "payment/payment.h"

#define NUMBER_TRIES  5

typedef struct {
    cp_str_t  hall;
    unsigned  service;
    cp_str_t  project;
    cp_str_t  product;
    cp_str_t  unit;
} create_t;

static const cp_field_t create_fields[] = {
    { "hall",    CP_FIELD_TEXT,   false, 1, 64, offsetof(create_t, hall), NULL, NULL },
    { "service", CP_FIELD_CHOICE, true,  0, 0, offsetof(create_t, service), NULL, cp_service_words },
    { "project", CP_FIELD_TEXT,   true,  1, 64, offsetof(create_t, project), NULL, NULL },
    { "product", CP_FIELD_TEXT,   true,  1, 64, offsetof(create_t, product), NULL, NULL },
    { "unit",    CP_FIELD_TEXT,   true,  1, 32, offsetof(create_t, unit), NULL, NULL },
};

/* What an order is made of. */
typedef struct {
    const cp_hall_t     *hall;
    const cp_project_t  *project;
    const cp_product_t  *product;
    cp_unit_t            unit;
    cp_person_t          person;
} choice_t;


/* Looks up what was asked for; marks all that the hall does not sell to this unit. */
static cp_code_t
choose(cp_call_t *call, const create_t *body, choice_t *choice)
{
    cp_code_t code;

    memset(choice, 0, sizeof(*choice));
    CP_TRY(cp_person_of_caller(call, &choice->person));

    choice->hall = cp_catalog_hall(&call->app->catalog, body->hall);
    choice->project = choice->hall == NULL ? NULL : cp_hall_project(choice->hall, body->project);
    choice->product = choice->project == NULL ? NULL : cp_project_product(choice->project, body->product);

    if (choice->hall == NULL) {
        cp_bad_field(call, CP_STR("hall"), body->hall.data == NULL ? CP_F_REQUIRED : CP_F_CHOICE);
    } else if (choice->project == NULL) {
        cp_bad_field(call, CP_STR("project"), CP_F_CHOICE);
    } else if (choice->product == NULL) {
        cp_bad_field(call, CP_STR("product"), CP_F_CHOICE);
    }

    if (choice->project != NULL && (choice->project->services & body->service) == 0) {
        cp_bad_field(call, CP_STR("service"), CP_F_NOT_SOLD);
    }

    code = cp_unit_of_caller(call, body->unit, &choice->unit);
    if (code == CP_E_NOT_FOUND) {
        cp_bad_field(call, CP_STR("unit"), CP_F_CHOICE);
    } else if (code != CP_OK) {
        return code;
    } else if (choice->project != NULL
               && (choice->project->applicants & cp_word_bit(cp_applicant_words, choice->unit.kind)) == 0)
    {
        cp_bad_field(call, CP_STR("unit"), CP_F_NOT_SOLD);
    } else if (choice->product != NULL) {
        cp_order_check_name(call, choice->product->profile, &choice->unit);
    }

    return cp_fields_verdict(call);
}


static cp_str_t
sale_text(cp_call_t *call, const choice_t *choice)
{
    json_t  *sale = cp_sale_json(choice->hall, choice->project, choice->product);
    char    *text = sale == NULL ? NULL : json_dumps(sale, JSON_COMPACT);
    cp_str_t copy = text == NULL ? CP_STR_NULL : cp_str_dup(call->arena, cp_str(text));

    free(text);
    json_decref(sale);

    return copy;
}


static cp_code_t
draft(cp_call_t *call, const create_t *body, const choice_t *choice, cp_order_t *order)
{
    const char *flow = cp_order_flow_name(choice->project->free, choice->hall->flow);

    memset(order, 0, sizeof(*order));

    order->hall = choice->hall->name;
    order->project = choice->project->name;
    order->product = choice->product->name;
    order->service = cp_str(cp_word_name(cp_service_words, body->service));
    order->account = call->who.account;
    order->unit = choice->unit.id;
    order->person = choice->person.id;
    order->agent_index = choice->person.index;
    order->state = CP_ORDER_DRAFT;
    order->version = 1;
    order->facts = cp_order_facts(cp_str(flow), 0, CP_STR_NULL, false);
    order->amount_fen = choice->project->free ? 0 : choice->product->price_fen;
    order->sale = sale_text(call, choice);
    order->profile = choice->product->profile;
    order->years = choice->product->years;
    order->created_ms = cp_now_ms();
    order->updated_ms = order->created_ms;

    return order->sale.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


static cp_code_t
insert(cp_call_t *call, cp_order_t *order)
{
    cp_code_t code = CP_E_DUPLICATE;
    int       i;

    for (i = 0; i < NUMBER_TRIES && code == CP_E_DUPLICATE; i++) {
        order->no = cp_order_number(call->arena, order->created_ms,
                                    cp_random_digits(call->arena, CP_ORDER_NUMBER_RANDOM));
        if (order->no.data == NULL) {
            return CP_E_NO_MEMORY;
        }
        code = cp_order_insert(call, order);
    }

    return code == CP_E_DUPLICATE ? CP_E_BUSY : code;
}


/* The answer to a new or edited order: its head, and what it still misses. */
static cp_code_t
answer_missing(cp_call_t *call, int status, const cp_order_t *order, const json_t *details, cp_str_t applicant)
{
    json_t *missing, *answer;

    CP_TRY(cp_order_missing(call, order, details, applicant, &missing));

    answer = cp_order_head_json(call, order);
    if (json_object_set_new(answer, "missing", missing) != 0) {
        json_decref(answer);
        return CP_E_NO_MEMORY;
    }

    return cp_answer(call, status, answer);
}


cp_code_t
cp_op_order_create(cp_call_t *call)
{
    cp_order_t order;
    choice_t   choice;
    create_t   body;

    CP_TRY(cp_body_read(call, create_fields, &body));
    CP_TRY(cp_call_begin(call));

    CP_TRY(choose(call, &body, &choice));
    CP_TRY(draft(call, &body, &choice, &order));

    if (choice.project->one_per_unit && body.service == CP_SERVICE_NEW) {
        CP_TRY(cp_order_check_hold(call, cp_order_hold_key(call->arena, &order, choice.unit.uscc)));
    }

    CP_TRY(insert(call, &order));
    CP_TRY(cp_order_record_create(call, &order));

    CP_TRY(answer_missing(call, 201, &order, NULL, choice.unit.kind));

    return cp_call_commit(call);
}


cp_code_t
cp_op_order_get(cp_call_t *call)
{
    cp_order_t order;
    json_t    *answer;

    CP_TRY(cp_order_own(call, call->params[0], false, &order));
    CP_TRY(cp_order_json(call, &order, CP_ORDER_FOR_OWNER, &answer));

    return cp_answer(call, 200, answer);
}


static cp_code_t
save_edit(cp_call_t *call, cp_order_t *order, json_t *details, const cp_order_edit_t *edit)
{
    cp_unit_t unit;

    CP_TRY(cp_unit_by_id(call, order->unit, &unit));
    CP_TRY(cp_order_save_details(call, order, details, edit->change));
    CP_TRY(cp_order_apply(call, order, CP_ORDER_ON_EDIT, NULL));

    return answer_missing(call, 200, order, details, unit.kind);
}


static cp_code_t
merge_edit(cp_call_t *call, cp_order_t *order, const cp_order_edit_t *edit)
{
    json_t   *details;
    cp_code_t code;

    if (edit->version != 0 && edit->version != order->version) {
        return CP_E_VERSION_CONFLICT;
    }

    CP_TRY(cp_order_details(call, order, &details));
    code = save_edit(call, order, details, edit);
    json_decref(details);

    return code;
}


cp_code_t
cp_op_order_edit(cp_call_t *call)
{
    cp_order_terms_t terms;
    cp_order_edit_t  edit;
    cp_order_t       order;
    cp_code_t        code;

    CP_TRY(cp_body_json(call));
    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_own(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_EDIT));

    if (!cp_order_terms(order.sale, &terms)) {
        return CP_E_INTERNAL;
    }

    CP_TRY(cp_order_read_edit(call, &terms, &edit));
    code = merge_edit(call, &order, &edit);
    json_decref(edit.change);
    CP_TRY(code);

    return cp_call_commit(call);
}


cp_code_t
cp_op_order_cancel(cp_call_t *call)
{
    cp_order_t order;

    CP_TRY(cp_call_begin(call));

    CP_TRY(cp_order_own(call, call->params[0], true, &order));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_CANCEL, NULL));
    CP_TRY(cp_payment_close_open(call, order.id));

    CP_TRY(cp_answer(call, 200, cp_order_state_json(&order)));

    return cp_call_commit(call);
}
