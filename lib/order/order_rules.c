/* The state machine, and the other rules of an order that need nothing but values. */
#include "order/order_rules.h"

#include <string.h>

#define CHINA_OFFSET_MS  (8 * 3600 * 1000LL)
#define DAY_MS           (24 * 3600 * 1000LL)

#define APPLICANT  CP_ACTOR_APPLICANT
#define REVIEWER   CP_ACTOR_REVIEWER
#define FINANCE    CP_ACTOR_FINANCE
#define PRODUCER   CP_ACTOR_PRODUCER
#define SHIPPER    CP_ACTOR_SHIPPER
#define SYSTEM     CP_ACTOR_SYSTEM

#define ANY_FLOW      0
#define REVIEW_FIRST  CP_IF_REVIEW_FIRST
#define PAY_FIRST     CP_IF_PAY_FIRST
#define FREE          CP_IF_FREE
#define UNPAID        CP_IF_UNPAID
#define PAID          CP_IF_PAID

#define ROW(state, event, actors, condition, next)                                                                     \
    { CP_ORDER_##state, CP_ORDER_ON_##event, actors, condition, CP_ORDER_##next }

const cp_order_rule_t cp_order_rules[] = {

    /* filling in, and filling in again after a rejection */
    ROW(DRAFT,     EDIT,   APPLICANT, ANY_FLOW,           DRAFT),
    ROW(DRAFT,     SUBMIT, APPLICANT, ANY_FLOW,           SUBMITTED),
    ROW(DRAFT,     CANCEL, APPLICANT, UNPAID,             CANCELLED),
    ROW(REJECTED,  EDIT,   APPLICANT, ANY_FLOW,           REJECTED),
    ROW(REJECTED,  SUBMIT, APPLICANT, REVIEW_FIRST,       SUBMITTED),
    ROW(REJECTED,  SUBMIT, APPLICANT, FREE,               SUBMITTED),
    ROW(REJECTED,  SUBMIT, APPLICANT, PAY_FIRST | UNPAID, SUBMITTED),
    ROW(REJECTED,  SUBMIT, APPLICANT, PAY_FIRST | PAID,   PAID),
    ROW(REJECTED,  CANCEL, APPLICANT, UNPAID,             CANCELLED),
    ROW(SUBMITTED, CANCEL, APPLICANT, UNPAID,             CANCELLED),

    /* review */
    ROW(SUBMITTED, CLAIM,   REVIEWER, REVIEW_FIRST, SUBMITTED),
    ROW(SUBMITTED, CLAIM,   REVIEWER, FREE,         SUBMITTED),
    ROW(SUBMITTED, APPROVE, REVIEWER, REVIEW_FIRST, APPROVED),
    ROW(SUBMITTED, APPROVE, REVIEWER, FREE,         APPROVED),
    ROW(SUBMITTED, REJECT,  REVIEWER, REVIEW_FIRST, REJECTED),
    ROW(SUBMITTED, REJECT,  REVIEWER, FREE,         REJECTED),
    ROW(PAID,      CLAIM,   REVIEWER, PAY_FIRST,    PAID),
    ROW(PAID,      APPROVE, REVIEWER, PAY_FIRST,    APPROVED),
    ROW(PAID,      REJECT,  REVIEWER, PAY_FIRST,    REJECTED),

    /* A free order whose request is there is already queued for the signer: it can no longer be cancelled. */
    ROW(APPROVED,  CANCEL, APPLICANT, REVIEW_FIRST | UNPAID,        CANCELLED),
    ROW(APPROVED,  CANCEL, APPLICANT, FREE | UNPAID | CP_IF_NO_KEY, CANCELLED),

    /* payment */
    ROW(APPROVED,  PAY,             APPLICANT, REVIEW_FIRST, APPROVED),
    ROW(APPROVED,  PAYMENT_CONFIRM, FINANCE,   REVIEW_FIRST, PAID),
    ROW(APPROVED,  PAYMENT_REFUSE,  FINANCE,   REVIEW_FIRST, APPROVED),
    ROW(SUBMITTED, PAY,             APPLICANT, PAY_FIRST,    SUBMITTED),
    ROW(SUBMITTED, PAYMENT_CONFIRM, FINANCE,   PAY_FIRST,    PAID),
    ROW(SUBMITTED, PAYMENT_REFUSE,  FINANCE,   PAY_FIRST,    SUBMITTED),

    /* production, from the ready state */
    ROW(PAID,     KEY,         PRODUCER, REVIEW_FIRST, PAID),
    ROW(APPROVED, KEY,         PRODUCER, PAY_FIRST,    APPROVED),
    ROW(APPROVED, KEY,         PRODUCER, FREE,         APPROVED),
    ROW(PAID,     ISSUE_START, SYSTEM,   REVIEW_FIRST, ISSUING),
    ROW(APPROVED, ISSUE_START, SYSTEM,   PAY_FIRST,    ISSUING),
    ROW(APPROVED, ISSUE_START, SYSTEM,   FREE,         ISSUING),
    ROW(ISSUING,  ISSUE_DONE,  SYSTEM,   ANY_FLOW,     ISSUED),
    ROW(ISSUING,  ISSUE_FAIL,  SYSTEM,   REVIEW_FIRST, PAID),
    ROW(ISSUING,  ISSUE_FAIL,  SYSTEM,   PAY_FIRST,    APPROVED),
    ROW(ISSUING,  ISSUE_FAIL,  SYSTEM,   FREE,         APPROVED),

    /* delivery */
    ROW(ISSUED,  SHIP,     SHIPPER | PRODUCER,             CP_IF_MAIL,   SHIPPED),
    ROW(ISSUED,  COMPLETE, SHIPPER | PRODUCER,             CP_IF_PICKUP, COMPLETED),
    ROW(SHIPPED, COMPLETE, SHIPPER | PRODUCER | APPLICANT, ANY_FLOW,     COMPLETED),

    /* money back, as long as nothing was issued */
    ROW(PAID,      REFUND,      FINANCE, ANY_FLOW,         REFUNDING),
    ROW(APPROVED,  REFUND,      FINANCE, PAY_FIRST | PAID, REFUNDING),
    ROW(REJECTED,  REFUND,      FINANCE, PAY_FIRST | PAID, REFUNDING),
    ROW(REFUNDING, REFUND_DONE, FINANCE, ANY_FLOW,         REFUNDED),
};

const size_t cp_order_rule_count = sizeof(cp_order_rules) / sizeof(cp_order_rules[0]);

#define STATE_TEXT(name, text)  [CP_ORDER_##name] = text,
static const char *const state_names[] = { CP_ORDER_STATES(STATE_TEXT) };

#define EVENT_TEXT(name, text)  [CP_ORDER_ON_##name] = text,
static const char *const event_names[] = { CP_ORDER_EVENTS(EVENT_TEXT) };


const cp_order_rule_t *
cp_order_rule(cp_order_state_t state, cp_order_event_t event, unsigned actor, unsigned facts)
{
    size_t i;

    for (i = 0; i < cp_order_rule_count; i++) {
        const cp_order_rule_t *rule = &cp_order_rules[i];

        if (rule->state == state && rule->event == event && (rule->actors & actor) != 0
            && (rule->condition & ~facts) == 0)
        {
            return rule;
        }
    }

    return NULL;
}


bool
cp_order_is_ready(cp_order_state_t state, unsigned facts)
{
    return cp_order_rule(state, CP_ORDER_ON_ISSUE_START, CP_ACTOR_SYSTEM, facts) != NULL;
}


const char *
cp_order_state_name(cp_order_state_t state)
{
    return (unsigned) state < CP_ORDER_STATE_COUNT ? state_names[state] : "";
}


const char *
cp_order_event_name(cp_order_event_t event)
{
    return (unsigned) event < CP_ORDER_EVENT_COUNT ? event_names[event] : "";
}


bool
cp_order_state_of(cp_str_t name, cp_order_state_t *state)
{
    unsigned i;

    for (i = 0; i < CP_ORDER_STATE_COUNT; i++) {
        if (cp_str_is(name, state_names[i])) {
            *state = (cp_order_state_t) i;
            return true;
        }
    }

    return false;
}


unsigned
cp_order_facts(cp_str_t flow, int64_t paid_fen, cp_str_t delivery, bool has_key)
{
    unsigned facts = paid_fen > 0 ? CP_IF_PAID : CP_IF_UNPAID;

    if (cp_str_is(flow, "review_first")) {
        facts |= CP_IF_REVIEW_FIRST;
    } else if (cp_str_is(flow, "pay_first")) {
        facts |= CP_IF_PAY_FIRST;
    } else if (cp_str_is(flow, "free")) {
        facts |= CP_IF_FREE;
    }

    if (cp_str_is(delivery, "mail")) {
        facts |= CP_IF_MAIL;
    } else if (cp_str_is(delivery, "pickup")) {
        facts |= CP_IF_PICKUP;
    }

    return has_key ? facts : facts | CP_IF_NO_KEY;
}


const char *
cp_order_flow_name(bool is_free, cp_flow_t flow)
{
    return is_free ? "free" : flow == CP_PAY_THEN_REVIEW ? "pay_first" : "review_first";
}


unsigned
cp_order_actors(unsigned roles)
{
    static const struct {
        unsigned role;
        unsigned actor;
    } rows[] = {
        { CP_ROLE_REVIEWER, CP_ACTOR_REVIEWER },
        { CP_ROLE_FINANCE, CP_ACTOR_FINANCE },
        { CP_ROLE_PRODUCER, CP_ACTOR_PRODUCER },
        { CP_ROLE_SHIPPER, CP_ACTOR_SHIPPER },
    };

    unsigned actors = 0;
    size_t   i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((roles & rows[i].role) != 0) {
            actors |= rows[i].actor;
        }
    }

    return actors;
}


bool
cp_order_frees_hold(cp_order_state_t state)
{
    return state == CP_ORDER_REJECTED || state == CP_ORDER_CANCELLED || state == CP_ORDER_REFUNDED;
}


cp_str_t
cp_order_number(cp_arena_t *arena, int64_t at_ms, cp_str_t digits)
{
    int     year, month, day;
    int64_t of_day = (at_ms + CHINA_OFFSET_MS) % DAY_MS;

    cp_date_of(at_ms, &year, &month, &day);

    return cp_str_printf(arena, "%04d%02d%02d%02d%02d%02d%03d%.*s", year, month, day, (int) (of_day / 3600000),
                         (int) (of_day / 60000 % 60), (int) (of_day / 1000 % 60), (int) (of_day % 1000),
                         (int) digits.len, digits.data);
}


bool
cp_order_is_number(cp_str_t no)
{
    size_t i;

    for (i = 0; i < no.len; i++) {
        if (no.data[i] < '0' || no.data[i] > '9') {
            return false;
        }
    }

    return no.len == CP_ORDER_NUMBER_SIZE;
}


cp_str_t
cp_order_hold_key(cp_arena_t *arena, const cp_order_t *order, cp_str_t uscc)
{
    return cp_str_printf(arena, "%.*s/%.*s/%.*s", (int) order->hall.len, order->hall.data, (int) order->project.len,
                         order->project.data, (int) uscc.len, uscc.data);
}


static unsigned
words_of(const json_t *list, const cp_word_t *words)
{
    unsigned bits = 0;
    size_t   i;
    json_t  *word;

    json_array_foreach(list, i, word) {
        bits |= cp_word_bit(words, cp_str(json_string_value(word)));
    }

    return bits;
}


bool
cp_order_terms(cp_str_t sale, cp_order_terms_t *terms)
{
    json_t *root = json_loadb(sale.data == NULL ? "" : sale.data, sale.len, 0, NULL);
    json_t *project = json_object_get(root, "project");
    json_t *product = json_object_get(root, "product");

    if (project == NULL || product == NULL) {
        json_decref(root);
        return false;
    }

    terms->one_per_unit = json_is_true(json_object_get(project, "one_per_unit"));
    terms->invoices = words_of(json_object_get(project, "invoices"), cp_invoice_words);
    terms->deliveries = words_of(json_object_get(project, "deliveries"), cp_delivery_words);
    terms->keys = words_of(json_object_get(product, "keys"), cp_key_words);

    json_decref(root);
    return true;
}
