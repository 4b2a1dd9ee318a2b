#include "staff/staff.h"

#include "base/clock.h"
#include "certificate/client_rules.h"
#include "staff/staff_store.h"

const cp_word_t cp_role_words[] = {
    { "reviewer", CP_ROLE_REVIEWER },
    { "finance", CP_ROLE_FINANCE },
    { "producer", CP_ROLE_PRODUCER },
    { "shipper", CP_ROLE_SHIPPER },
    { "auditor", CP_ROLE_AUDITOR },
    { "administrator", CP_ROLE_ADMINISTRATOR },
    { NULL, 0 },
};

static const char *const duty_names[] = {
    [CP_DUTY_REVIEW] = "review",
    [CP_DUTY_FINANCE] = "finance",
    [CP_DUTY_PRODUCTION] = "production",
};


cp_code_t
cp_staff_of_shown(cp_call_t *call, const cp_shown_t *shown)
{
    cp_staff_member_t member;
    cp_code_t         code;

    code = cp_staff_by_certificate(call, cp_str_n(shown->sha256, sizeof(shown->sha256)), &member);
    if (code == CP_E_NOT_FOUND) {
        return CP_E_CERT_UNBOUND;
    }
    CP_TRY(code);

    if (!cp_str_is(member.state, "active")) {
        return CP_E_CERT_DISABLED;
    }
    if (cp_str_is(member.certificate_state, "superseded")) {
        return CP_E_CERT_SUPERSEDED;
    }
    if (member.certificate_state.data != NULL && !cp_str_is(member.certificate_state, "valid")) {
        return CP_E_CERT_REVOKED;
    }

    /* An issuer may have run out while the certificate has not. */
    CP_TRY(cp_client_dates(&shown->x509, cp_now_ms()));
    CP_TRY(cp_client_verdict(call->tls));

    call->who.staff_certificate = cp_str_dup(call->arena, cp_str_n(shown->sha256, sizeof(shown->sha256)));
    if (call->who.staff_certificate.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    call->who.staff = member.id;
    call->who.staff_id = member.public_id;
    call->who.staff_version = member.changed_ms;
    call->who.roles = (unsigned) member.roles & CP_ROLES_ALL;

    return CP_OK;
}


cp_code_t
cp_staff_authenticate(cp_call_t *call)
{
    cp_shown_t shown;
    cp_code_t  code;

    call->who.staff = 0;
    call->who.roles = 0;

    CP_TRY(cp_certificate_shown(call, &shown));

    code = cp_staff_of_shown(call, &shown);
    if (code == CP_E_CERT_UNBOUND) {
        CP_TRY(cp_client_dates(&shown.x509, cp_now_ms()));
    }

    return code;
}


cp_code_t
cp_staff_take_duty(cp_call_t *call, int64_t order, cp_str_t agent_index, cp_duty_t duty)
{
    cp_staff_duty_t done;

    CP_TRY(cp_staff_find_duty(call, order, &done));

    if (done.person_index.data != NULL && cp_str_eq(done.person_index, agent_index)) {
        return CP_E_SAME_PERSON;
    }
    if (done.duty.data != NULL) {
        return cp_str_is(done.duty, duty_names[duty]) ? CP_OK : CP_E_SAME_PERSON;
    }

    return cp_staff_insert_duty(call, order, duty_names[duty]);
}
