/* The state machine, walked over its full product: what no row below grants must be refused. */
#include "seams.h"

#include <stdio.h>
#include <string.h>

#include "order/order_rules.h"

/*
 * One line an allowed step: state, event, who (letters: a applicant, r reviewer, f finance, p producer, s shipper,
 * y system), in which flows (r review first, p pay first, f free), facts asked for (u unpaid, $ paid, m mail,
 * k pick-up, n no key), state after.
 */
static const struct {
    const char *state;
    const char *event;
    const char *who;
    const char *flows;
    const char *facts;
    const char *after;
} steps[] = {
    { "draft", "edit", "a", "rpf", "", "draft" },
    { "draft", "submit", "a", "rpf", "", "submitted" },
    { "draft", "cancel", "a", "rpf", "u", "cancelled" },

    { "submitted", "cancel", "a", "rpf", "u", "cancelled" },
    { "submitted", "claim", "r", "rf", "", "submitted" },
    { "submitted", "approve", "r", "rf", "", "approved" },
    { "submitted", "reject", "r", "rf", "", "rejected" },
    { "submitted", "pay", "a", "p", "", "submitted" },
    { "submitted", "payment_confirm", "f", "p", "", "paid" },
    { "submitted", "payment_refuse", "f", "p", "", "submitted" },

    { "rejected", "edit", "a", "rpf", "", "rejected" },
    { "rejected", "submit", "a", "rf", "", "submitted" },
    { "rejected", "submit", "a", "p", "u", "submitted" },
    { "rejected", "submit", "a", "p", "$", "paid" },
    { "rejected", "cancel", "a", "rpf", "u", "cancelled" },
    { "rejected", "refund", "f", "p", "$", "refunding" },

    { "approved", "pay", "a", "r", "", "approved" },
    { "approved", "payment_confirm", "f", "r", "", "paid" },
    { "approved", "payment_refuse", "f", "r", "", "approved" },
    { "approved", "cancel", "a", "r", "u", "cancelled" },
    { "approved", "cancel", "a", "f", "un", "cancelled" },
    { "approved", "key", "p", "pf", "", "approved" },
    { "approved", "issue_start", "y", "pf", "", "issuing" },
    { "approved", "refund", "f", "p", "$", "refunding" },

    { "paid", "claim", "r", "p", "", "paid" },
    { "paid", "approve", "r", "p", "", "approved" },
    { "paid", "reject", "r", "p", "", "rejected" },
    { "paid", "key", "p", "r", "", "paid" },
    { "paid", "issue_start", "y", "r", "", "issuing" },
    { "paid", "refund", "f", "rpf", "", "refunding" },

    { "issuing", "issue_done", "y", "rpf", "", "issued" },
    { "issuing", "issue_fail", "y", "r", "", "paid" },
    { "issuing", "issue_fail", "y", "pf", "", "approved" },

    { "issued", "ship", "ps", "rpf", "m", "shipped" },
    { "issued", "complete", "ps", "rpf", "k", "completed" },
    { "shipped", "complete", "aps", "rpf", "", "completed" },

    { "refunding", "refund_done", "f", "rpf", "", "refunded" },
};

static const struct {
    char     letter;
    unsigned bit;
} letters[] = {
    { 'u', CP_IF_UNPAID }, { '$', CP_IF_PAID }, { 'm', CP_IF_MAIL }, { 'k', CP_IF_PICKUP }, { 'n', CP_IF_NO_KEY },
};

static const unsigned actors[] = { CP_ACTOR_APPLICANT, CP_ACTOR_REVIEWER, CP_ACTOR_FINANCE,
                                   CP_ACTOR_PRODUCER,  CP_ACTOR_SHIPPER,  CP_ACTOR_SYSTEM };
static const char     actor_letters[] = "arfpsy";

static const unsigned flows[] = { CP_IF_REVIEW_FIRST, CP_IF_PAY_FIRST, CP_IF_FREE };
static const char     flow_letters[] = "rpf";


static bool
facts_hold(const char *asked, unsigned facts)
{
    size_t i;

    for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (strchr(asked, letters[i].letter) != NULL && (facts & letters[i].bit) == 0) {
            return false;
        }
    }

    return true;
}


/* The state after, by the table of this test; NULL: refused. */
static const char *
expected(const char *state, const char *event, char actor, char flow, unsigned facts)
{
    const char *after = NULL;
    size_t      i;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(steps[i].state, state) == 0 && strcmp(steps[i].event, event) == 0
            && strchr(steps[i].who, actor) != NULL && strchr(steps[i].flows, flow) != NULL
            && facts_hold(steps[i].facts, facts))
        {
            assert_null(after);
            after = steps[i].after;
        }
    }

    return after;
}


/* Paid or not, mail or pick-up or neither, key or not: every combination that an order can have. */
static unsigned
facts_of(unsigned n)
{
    static const unsigned delivery[] = { 0, CP_IF_MAIL, CP_IF_PICKUP };

    return (n % 2 ? CP_IF_PAID : CP_IF_UNPAID) | (n / 2 % 2 ? CP_IF_NO_KEY : 0) | delivery[n / 4];
}


static void
check_cell(cp_order_state_t state, cp_order_event_t event, size_t actor, size_t flow, unsigned facts)
{
    const cp_order_rule_t *rule = cp_order_rule(state, event, actors[actor], facts | flows[flow]);
    const char            *got = rule == NULL ? NULL : cp_order_state_name(rule->next);
    const char            *after;

    after = expected(cp_order_state_name(state), cp_order_event_name(event), actor_letters[actor], flow_letters[flow],
                     facts);

    if ((after == NULL) != (got == NULL) || (after != NULL && strcmp(after, got) != 0)) {
        fail_msg("%s in %s by %c, flow %c, facts %x: %s, not %s", cp_order_event_name(event),
                 cp_order_state_name(state), actor_letters[actor], flow_letters[flow], facts,
                 got == NULL ? "refused" : got, after == NULL ? "refused" : after);
    }
}


static void
test_full_product(void **unused)
{
    unsigned state, event, n;
    size_t   actor, flow;

    (void) unused;

    for (state = 0; state < CP_ORDER_STATE_COUNT; state++) {
        for (event = 0; event < CP_ORDER_EVENT_COUNT; event++) {
            for (actor = 0; actor < 6; actor++) {
                for (flow = 0; flow < 3; flow++) {
                    for (n = 0; n < 12; n++) {
                        check_cell((cp_order_state_t) state, (cp_order_event_t) event, actor, flow, facts_of(n));
                    }
                }
            }
        }
    }
}


static void
test_no_actor_no_step(void **unused)
{
    unsigned state, event;

    (void) unused;

    for (state = 0; state < CP_ORDER_STATE_COUNT; state++) {
        for (event = 0; event < CP_ORDER_EVENT_COUNT; event++) {
            assert_null(cp_order_rule((cp_order_state_t) state, (cp_order_event_t) event, 0, 0xff));
        }
    }
}


static void
test_ready(void **unused)
{
    unsigned state;

    (void) unused;

    for (state = 0; state < CP_ORDER_STATE_COUNT; state++) {
        cp_order_state_t s = (cp_order_state_t) state;

        assert_int_equal(cp_order_is_ready(s, CP_IF_REVIEW_FIRST | CP_IF_PAID), s == CP_ORDER_PAID);
        assert_int_equal(cp_order_is_ready(s, CP_IF_PAY_FIRST | CP_IF_PAID), s == CP_ORDER_APPROVED);
        assert_int_equal(cp_order_is_ready(s, CP_IF_FREE | CP_IF_UNPAID), s == CP_ORDER_APPROVED);
    }
}


static void
test_states_by_name(void **unused)
{
    cp_order_state_t state;
    unsigned         i;

    (void) unused;

    for (i = 0; i < CP_ORDER_STATE_COUNT; i++) {
        assert_true(cp_order_state_of(cp_str(cp_order_state_name((cp_order_state_t) i)), &state));
        assert_int_equal(state, i);
    }

    assert_false(cp_order_state_of(CP_STR("Draft"), &state));
    assert_false(cp_order_state_of(CP_STR(""), &state));
    assert_false(cp_order_state_of(CP_STR_NULL, &state));
}


static void
test_numbers(void **unused)
{
    static const struct {
        int64_t     at_ms;
        const char *number;
    } rows[] = {
        { 1767323045000, "2026010211040500012345" },
        { 1767283199999, "2026010123595999912345" },
        { 1767283200000, "2026010200000000012345" },
        { 1709193600007, "2024022916000000712345" },
    };

    cp_arena_t *arena = cp_arena_new(0);
    size_t      i;

    (void) unused;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cp_str_t no = cp_order_number(arena, rows[i].at_ms, CP_STR("12345"));

        assert_string_equal(no.data, rows[i].number);
        assert_true(cp_order_is_number(no));
    }

    assert_false(cp_order_is_number(CP_STR("202601021104050001234")));
    assert_false(cp_order_is_number(CP_STR("20260102110405000123456")));
    assert_false(cp_order_is_number(CP_STR("202601021104050001234x")));
    assert_false(cp_order_is_number(CP_STR_NULL));

    cp_arena_free(arena);
}


static void
test_facts(void **unused)
{
    (void) unused;

    assert_int_equal(cp_order_facts(CP_STR("free"), 0, CP_STR_NULL, false), CP_IF_FREE | CP_IF_UNPAID | CP_IF_NO_KEY);
    assert_int_equal(cp_order_facts(CP_STR("pay_first"), 1, CP_STR("mail"), true),
                     CP_IF_PAY_FIRST | CP_IF_PAID | CP_IF_MAIL);
    assert_int_equal(cp_order_facts(CP_STR("review_first"), 26000, CP_STR("pickup"), true),
                     CP_IF_REVIEW_FIRST | CP_IF_PAID | CP_IF_PICKUP);
}


static void
test_roles(void **unused)
{
    (void) unused;

    assert_int_equal(cp_order_actors(CP_ROLE_REVIEWER), CP_ACTOR_REVIEWER);
    assert_int_equal(cp_order_actors(CP_ROLE_FINANCE | CP_ROLE_SHIPPER), CP_ACTOR_FINANCE | CP_ACTOR_SHIPPER);
    assert_int_equal(cp_order_actors(CP_ROLE_PRODUCER), CP_ACTOR_PRODUCER);
    assert_int_equal(cp_order_actors(CP_ROLE_AUDITOR | CP_ROLE_ADMINISTRATOR), 0);
}


static void
test_terms(void **unused)
{
    static const char sale[] = "{\"project\":{\"one_per_unit\":true,\"invoices\":[\"none\",\"special\"],"
                               "\"deliveries\":[\"pickup\"]},\"product\":{\"keys\":[\"holder\"]}}";
    cp_order_terms_t terms;

    (void) unused;

    assert_true(cp_order_terms(CP_STR(sale), &terms));
    assert_true(terms.one_per_unit);
    assert_int_equal(terms.invoices, CP_INVOICE_NONE | CP_INVOICE_SPECIAL);
    assert_int_equal(terms.deliveries, CP_DELIVERY_PICKUP);
    assert_int_equal(terms.keys, CP_KEY_HOLDER);

    assert_false(cp_order_terms(CP_STR("{}"), &terms));
    assert_false(cp_order_terms(CP_STR("nonsense"), &terms));
    assert_false(cp_order_terms(CP_STR_NULL, &terms));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_product), cmocka_unit_test(test_no_actor_no_step),
        cmocka_unit_test(test_ready),        cmocka_unit_test(test_states_by_name),
        cmocka_unit_test(test_numbers),      cmocka_unit_test(test_facts),
        cmocka_unit_test(test_roles),        cmocka_unit_test(test_terms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
