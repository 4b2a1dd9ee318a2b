#include "staff/staff.h"

#include "base/clock.h"
#include "base/crypto.h"
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

static const cp_code_t verdicts[] = {
    [CP_TLS_NO_CERTIFICATE] = CP_E_CERT_MISSING,
    [CP_TLS_VERIFIED] = CP_OK,
    [CP_TLS_EXPIRED] = CP_E_CERT_EXPIRED,
    [CP_TLS_NOT_YET_VALID] = CP_E_CERT_NOT_YET,
    [CP_TLS_UNTRUSTED] = CP_E_CERT_UNTRUSTED,
    [CP_TLS_PURPOSE] = CP_E_CERT_PURPOSE,
};

static const char *const duty_names[] = {
    [CP_DUTY_REVIEW] = "review",
    [CP_DUTY_FINANCE] = "finance",
    [CP_DUTY_PRODUCTION] = "production",
};


cp_code_t
cp_staff_authenticate(cp_call_t *call)
{
    unsigned char     digest[CP_SHA256_SIZE];
    cp_staff_member_t member;
    cp_code_t         code;

    call->who.staff = 0;
    call->who.roles = 0;

    if ((size_t) call->tls >= sizeof(verdicts) / sizeof(verdicts[0])) {
        return CP_E_CERT_UNTRUSTED;
    }
    CP_TRY(verdicts[call->tls]);

    if (call->certificate.len == 0) {
        return CP_E_CERT_MISSING;
    }
    CP_TRY(cp_sha256(call->certificate, digest));

    code = cp_staff_by_certificate(call, cp_str_n(digest, sizeof(digest)), &member);
    if (code == CP_E_NOT_FOUND) {
        return CP_E_CERT_UNBOUND;
    }
    CP_TRY(code);

    if (!cp_str_is(member.state, "active")) {
        return CP_E_CERT_UNBOUND;
    }
    if (member.certificate_state.data != NULL && !cp_str_is(member.certificate_state, "valid")) {
        return CP_E_CERT_REVOKED;
    }

    call->who.staff = member.id;
    call->who.staff_id = member.public_id;
    call->who.roles = (unsigned) member.roles & CP_ROLES_ALL;

    return CP_OK;
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
