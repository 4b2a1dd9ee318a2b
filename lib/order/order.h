/* Orders: what an applicant asks for, from draft to completed. */
#ifndef CP_ORDER_H
#define CP_ORDER_H

#include "call/call.h"
#include "catalog/catalog.h"
#include "identity/identity.h"

/* X(NAME, "name") */
#define CP_ORDER_STATES(X)                                                                                             \
    X(DRAFT, "draft")                                                                                                  \
    X(SUBMITTED, "submitted")                                                                                          \
    X(REJECTED, "rejected")                                                                                            \
    X(APPROVED, "approved")                                                                                            \
    X(PAID, "paid")                                                                                                    \
    X(ISSUING, "issuing")                                                                                              \
    X(ISSUED, "issued")                                                                                                \
    X(SHIPPED, "shipped")                                                                                              \
    X(COMPLETED, "completed")                                                                                          \
    X(CANCELLED, "cancelled")                                                                                          \
    X(REFUNDING, "refunding")                                                                                          \
    X(REFUNDED, "refunded")

#define CP_ORDER_STATE_NAME(name, text)  CP_ORDER_##name,
typedef enum { CP_ORDER_STATES(CP_ORDER_STATE_NAME) CP_ORDER_STATE_COUNT } cp_order_state_t;
#undef CP_ORDER_STATE_NAME

/* What can happen to an order. X(NAME, "name") */
#define CP_ORDER_EVENTS(X)                                                                                             \
    X(CREATE, "create")                /* enters `draft` */                                                            \
    X(EDIT, "edit")                    /* fields, materials, agreement, the holder's request: the state stays */       \
    X(SUBMIT, "submit")                                                                                                \
    X(CANCEL, "cancel")                                                                                                \
    X(CLAIM, "claim")                  /* the state stays */                                                           \
    X(APPROVE, "approve")                                                                                              \
    X(REJECT, "reject")                                                                                                \
    X(PAY, "pay")                      /* a payment is opened or its voucher uploaded: the state stays */              \
    X(PAYMENT_CONFIRM, "payment_confirm")                                                                              \
    X(PAYMENT_REFUSE, "payment_refuse")                                                                                \
    X(KEY, "key")                      /* the production station uploads the request: the state stays */               \
    X(ISSUE_START, "issue_start")                                                                                      \
    X(ISSUE_DONE, "issue_done")                                                                                        \
    X(ISSUE_FAIL, "issue_fail")        /* the job was put aside: back to where production can act */                   \
    X(SHIP, "ship")                                                                                                    \
    X(COMPLETE, "complete")                                                                                            \
    X(REFUND, "refund")                                                                                                \
    X(REFUND_DONE, "refund_done")

#define CP_ORDER_EVENT_NAME(name, text)  CP_ORDER_ON_##name,
typedef enum { CP_ORDER_EVENTS(CP_ORDER_EVENT_NAME) CP_ORDER_EVENT_COUNT } cp_order_event_t;
#undef CP_ORDER_EVENT_NAME

/* Who makes it happen; bits of a rule. */
#define CP_ACTOR_APPLICANT  0x1u
#define CP_ACTOR_REVIEWER   0x2u
#define CP_ACTOR_FINANCE    0x4u
#define CP_ACTOR_PRODUCER   0x8u
#define CP_ACTOR_SHIPPER    0x10u
#define CP_ACTOR_SYSTEM     0x20u     /* the signing worker */

/* Facts about an order on which a rule may depend; bits. */
#define CP_IF_REVIEW_FIRST  0x01u     /* review, then pay */
#define CP_IF_PAY_FIRST     0x02u
#define CP_IF_FREE          0x04u
#define CP_IF_UNPAID        0x08u
#define CP_IF_PAID          0x10u
#define CP_IF_MAIL          0x20u
#define CP_IF_PICKUP        0x40u
#define CP_IF_NO_KEY        0x80u     /* no certificate request yet */

/* One row of the state machine: all bits of `condition` must hold. Nothing else decides. */
typedef struct {
    cp_order_state_t  state;
    cp_order_event_t  event;
    unsigned          actors;
    unsigned          condition;
    cp_order_state_t  next;
} cp_order_rule_t;

extern const cp_order_rule_t cp_order_rules[];
extern const size_t          cp_order_rule_count;

/* The row that allows it, NULL when none does. `actor` is one bit, `facts` the bits that hold. Pure. */
const cp_order_rule_t *cp_order_rule(cp_order_state_t state, cp_order_event_t event, unsigned actor, unsigned facts);

/* True in the state from which the certificate may be issued: paid, reviewed. Pure. */
bool cp_order_is_ready(cp_order_state_t state, unsigned facts);

const char *cp_order_state_name(cp_order_state_t state);
const char *cp_order_event_name(cp_order_event_t event);
bool        cp_order_state_of(cp_str_t name, cp_order_state_t *state);

typedef struct {
    int64_t           id;
    cp_str_t          no;
    cp_str_t          hall;
    cp_str_t          project;
    cp_str_t          product;
    cp_str_t          service;
    int64_t           account;
    int64_t           unit;
    int64_t           person;            /* the agent */
    cp_str_t          agent_index;       /* blind index of the agent's ID number */
    cp_order_state_t  state;
    int64_t           version;           /* counts every change */
    unsigned          facts;             /* CP_IF_… */
    int64_t           amount_fen;
    int64_t           paid_fen;
    cp_str_t          sale;              /* JSON: what was sold, see cp_sale_json() */
    cp_str_t          details;           /* sealed JSON: e-mail, address, invoice, delivery */
    cp_str_t          agreement_version; /* {0, NULL}: not accepted */
    cp_str_t          agreement_sha256;
    cp_str_t          csr;               /* DER, {0, NULL}: none */
    cp_str_t          csr_by;            /* "holder" or "station" */
    cp_str_t          profile;
    int64_t           years;
    int64_t           claim_staff;       /* 0: free */
    int64_t           claim_until_ms;
    cp_str_t          reasons;           /* JSON: of the last rejection */
    cp_str_t          courier;
    cp_str_t          tracking;
    int64_t           created_ms;
    int64_t           updated_ms;
    int64_t           submitted_ms;
} cp_order_t;

/*
 * Loads the calling account's order, if so asked locked until the transaction ends; CP_E_NOT_FOUND for others', and for
 * orders of units that the account acts for no more.
 */
cp_code_t cp_order_own(cp_call_t *call, cp_str_t no, bool lock, cp_order_t *order);

/* The same for staff and system: any order, by number or by id. */
cp_code_t cp_order_any(cp_call_t *call, cp_str_t no, bool lock, cp_order_t *order);
cp_code_t cp_order_by_id(cp_call_t *call, int64_t id, bool lock, cp_order_t *order);

/* CP_E_WRONG_STATE unless a rule allows the event now for whoever is calling (their roles, the owner, the system). */
cp_code_t cp_order_may(cp_call_t *call, const cp_order_t *order, cp_order_event_t event);

/*
 * Makes the event happen in the open transaction, on an order loaded with its lock: state, version, one order_event
 * row, one audit row. `public_reason` (reference taken, NULL: none) is shown to the applicant in the history.
 * CP_E_WRONG_STATE as cp_order_may(). order->state and version are brought up to date.
 */
cp_code_t cp_order_apply(cp_call_t *call, cp_order_t *order, cp_order_event_t event, json_t *public_reason);

/* Records an accepted request (DER) in the order: called by the CSR operations after their checks. */
cp_code_t cp_order_set_csr(cp_call_t *call, cp_order_t *order, cp_str_t der, cp_str_t spki_sha256, const char *by);

/* Adds `fen` to what was paid; called by finance's confirmation before cp_order_apply(). */
cp_code_t cp_order_add_paid(cp_call_t *call, cp_order_t *order, int64_t fen);

/* Lets the unit apply for the project again: called when the order's only certificate was revoked. */
cp_code_t cp_order_release_hold(cp_call_t *call, int64_t order);

/* Whether the account has an order that is neither completed nor cancelled nor refunded. */
cp_code_t cp_order_is_any_open(cp_call_t *call, int64_t account, bool *any);

/*
 * Hands an account's open orders for a unit to another member of it (whose person is `agent`), in the open transaction:
 * `from` acts for the unit no more. A request of the old holder's key is dropped, an editable order becomes the new
 * agent's own application; an order whose request the signer has stays. *count says how many were handed over.
 */
cp_code_t cp_order_hand_over(cp_call_t *call, int64_t unit, int64_t from, int64_t to, const cp_person_t *agent,
                             int64_t *count);

/* The answer after a change: no, state, version. New reference; NULL when memory is out. */
json_t *cp_order_state_json(const cp_order_t *order);

#endif
