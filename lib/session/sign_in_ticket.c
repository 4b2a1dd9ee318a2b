/* By a ticket that the server for client certificates gave: see ticket.h. */
#include "session/sign_in.h"

#include <stddef.h>

#include "call/fields.h"
#include "catalog/catalog.h"
#include "session/ticket.h"

typedef struct {
    cp_str_t  method;
    cp_str_t  ticket;
    cp_str_t  state;
} input_t;

static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "ticket", CP_FIELD_TEXT, true, 1, 64, offsetof(input_t, ticket), NULL, NULL },
    { "state", CP_FIELD_TEXT, true, CP_TICKET_STATE_MIN, CP_TICKET_STATE_MAX, offsetof(input_t, state),
      cp_ticket_state_check, NULL },
};


/* The certificate may have been revoked while the ticket was on its way. */
static cp_code_t
holder_of(cp_call_t *call, const input_t *in, cp_certificate_t *certificate)
{
    int64_t id;

    CP_TRY(cp_ticket_redeem(call, in->ticket, in->state, &id));

    return cp_certificate_still_good(call, id, certificate);
}


cp_code_t
cp_sign_in_by_ticket(cp_call_t *call)
{
    input_t          in;
    cp_account_t     account;
    cp_certificate_t certificate;
    cp_code_t        code;

    CP_TRY(cp_body_read(call, fields, &in));
    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_CERTIFICATE));

    code = holder_of(call, &in, &certificate);
    if (code != CP_OK) {
        return cp_sign_in_refusal(call, "ticket", code);
    }
    CP_TRY(cp_account_by_id(call, certificate.account, &account));

    return cp_sign_in(call, &account, "certificate", &certificate);
}
