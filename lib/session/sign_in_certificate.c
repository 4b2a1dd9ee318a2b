/* By the certificate on the TLS connection: the holder of one that was issued here, or a member of staff. */
#include "session/sign_in.h"

#include <stddef.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "call/fields.h"
#include "catalog/catalog.h"
#include "certificate/certificate.h"
#include "certificate/client_rules.h"
#include "session/sign_in_store.h"
#include "session/staff_session.h"
#include "session/ticket.h"
#include "staff/staff.h"

#define PAGE  "/sign-in#ticket="    /* of the main server; what follows "#" is sent to no server */

typedef struct {
    cp_str_t  method;
    json_t   *handover;
} input_t;

typedef struct {
    cp_str_t  origin;
    cp_str_t  state;
} handover_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "handover", CP_FIELD_OBJECT, false, 0, 0, offsetof(input_t, handover), NULL, NULL },
};

static const cp_field_t handover_fields[] = {
    { "origin", CP_FIELD_TEXT, true, 9, 300, offsetof(handover_t, origin), NULL, NULL },
    { "state", CP_FIELD_TEXT, true, CP_TICKET_STATE_MIN, CP_TICKET_STATE_MAX, offsetof(handover_t, state),
      cp_ticket_state_check, NULL },
};


/* Where the holder is to be signed in instead, or {0, NULL} twice. */
static cp_code_t
read_handover(cp_call_t *call, const json_t *object, handover_t *handover)
{
    *handover = (handover_t) { CP_STR_NULL, CP_STR_NULL };
    if (object == NULL) {
        return CP_OK;
    }

    CP_TRY(cp_fields_read(call, object, "handover.", handover_fields,
                          sizeof(handover_fields) / sizeof(handover_fields[0]), handover, sizeof(*handover)));

    handover->origin = cp_known_origin(call->app, handover->origin);
    if (handover->origin.data == NULL) {
        cp_bad_field(call, CP_STR("handover.origin"), CP_F_CHOICE);
    }

    return cp_fields_verdict(call);
}


/* No cookie: the ticket signs in at the other server. */
static cp_code_t
hand_over(cp_call_t *call, const cp_certificate_t *certificate, const handover_t *to)
{
    cp_str_t ticket, url;

    CP_TRY(cp_ticket_make(call, certificate->id, to->origin, to->state, &ticket));

    url = cp_str_printf(call->arena, "%.*s" PAGE "%s", (int) to->origin.len, to->origin.data, ticket.data);
    CP_TRY(cp_answer(call, 201, json_pack("{s:o, s:o, s:i}", "ticket", cp_json(ticket), "url", cp_json(url),
                                          "expires_in", CP_TICKET_LIVE_S)));

    call->who.account = certificate->account;
    call->who.account_id = certificate->account_id;

    return cp_audit(call, "session.hand_over", "account", certificate->account_id,
                    json_pack("{s:o}", "origin", cp_json(to->origin)));
}


/* A member of staff gets a session only where one is needed: the staff API looks at the certificate at each call. */
static cp_code_t
greet_staff(cp_call_t *call, const handover_t *handover)
{
    json_t *roles;

    if (handover->origin.data != NULL) {
        cp_bad_field(call, CP_STR("handover"), CP_F_NOT_SOLD);
        return CP_E_INVALID;
    }

    roles = cp_words_json(cp_role_words, call->who.roles);
    CP_TRY(cp_answer(call, 201, json_pack("{s:{s:o, s:o}}", "staff", "id", cp_json(call->who.staff_id), "roles",
                                          roles)));

    if (cp_staff_session_wanted(call)) {
        CP_TRY(cp_staff_session_start(call));
    }

    return cp_audit(call, "staff.sign_in", "staff", call->who.staff_id, NULL);
}


/* The account of a row that was found, or of none; CP_E_CERT_… for a certificate that does not sign in. */
static cp_code_t
sign_in(cp_call_t *call, const cp_shown_t *shown, const cp_holder_t *holder, const handover_t *handover)
{
    cp_code_t code;

    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_CERTIFICATE));

    code = cp_certificate_judge(shown, holder == NULL ? NULL : &holder->certificate, cp_now_ms());
    if (code == CP_OK) {
        code = cp_client_verdict(call->tls);
    }
    if (code != CP_OK) {
        return cp_sign_in_refusal(call, "certificate", code);
    }

    return handover->origin.data != NULL ? hand_over(call, &holder->certificate, handover)
                                         : cp_sign_in(call, &holder->account, "certificate", &holder->certificate);
}


/* A member of staff, perhaps by a certificate that was issued here as well; else its holder. */
static cp_code_t
sign_in_shown(cp_call_t *call, const cp_shown_t *shown, const handover_t *handover)
{
    cp_holder_t holder;
    cp_code_t   found, code;

    found = cp_sign_in_holder(call, cp_str_n(shown->sha256, sizeof(shown->sha256)), &holder);
    if (found != CP_OK && found != CP_E_NOT_FOUND) {
        return found;
    }

    code = found == CP_OK && !holder.staff ? CP_E_CERT_UNBOUND : cp_staff_of_shown(call, shown);
    if (code == CP_OK) {
        return greet_staff(call, handover);
    }
    if (code == CP_E_CERT_UNBOUND) {
        return sign_in(call, shown, found == CP_OK ? &holder : NULL, handover);
    }

    return cp_sign_in_refusal(call, "certificate", code);
}


cp_code_t
cp_sign_in_by_certificate(cp_call_t *call)
{
    input_t     in;
    handover_t  handover;
    cp_shown_t  shown;
    cp_code_t   code;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(read_handover(call, in.handover, &handover));

    code = cp_certificate_shown(call, &shown);

    return code == CP_OK ? sign_in_shown(call, &shown, &handover) : cp_sign_in_refusal(call, "certificate", code);
}
