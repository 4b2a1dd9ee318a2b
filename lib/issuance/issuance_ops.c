#include "issuance/issuance_ops.h"

#include <string.h>
#include <strings.h>

#include "certificate/csr.h"
#include "certificate/profile.h"
#include "issuance/issuance.h"
#include "issuance/issuance_store.h"
#include "order/order_rules.h"
#include "staff/staff.h"


/* DER as application/pkcs10 (RFC 5967), PEM as application/x-pem-file; the check itself tells which it is. */
static bool
is_request_type(cp_str_t type)
{
    static const char *const names[] = { "application/pkcs10", "application/x-pem-file" };

    size_t i, n;

    for (n = 0; n < type.len && type.data[n] != ';' && type.data[n] != ' '; ) {
        n++;
    }
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (n == strlen(names[i]) && strncasecmp(type.data, names[i], n) == 0) {
            return true;
        }
    }

    return false;
}


/* The refusal, with what is wrong in the caller's language. */
static cp_code_t
refuse(cp_call_t *call, cp_csr_fault_t fault)
{
    const cp_csr_fault_row_t *row = cp_csr_fault(fault);

    cp_bad_field(call, CP_STR("csr"), CP_F_FORMAT);
    call->bad[call->bad_count - 1].text = cp_str(call->lang == CP_LANG_EN ? row->en : row->zh);

    return row->code;
}


/* Checks the body as the order's request: form, proof of possession, strength, the profile's keys, no second use. */
static cp_code_t
check_request(cp_call_t *call, const cp_order_t *order, cp_csr_t *csr)
{
    const cp_profile_t *profile;
    cp_csr_fault_t      fault;
    cp_code_t           code;

    fault = cp_csr_check(call->body, call->arena, csr);
    if (fault != CP_CSR_GOOD) {
        return refuse(call, fault);
    }

    profile = call->app->profiles == NULL ? NULL : cp_profile_find(call->app->profiles, order->profile);
    if (profile != NULL && (profile->keys & csr->key.kind) == 0) {
        return refuse(call, CP_CSR_KEY_PROFILE);
    }

    code = cp_ledger_find_key(call->db, csr->spki_sha256, order->id, order->unit);
    if (code == CP_OK) {
        return refuse(call, CP_CSR_KEY_USED);
    }

    return code == CP_E_NOT_FOUND ? CP_OK : code;
}


static cp_code_t
answer(cp_call_t *call, const cp_order_t *order, const cp_csr_t *csr)
{
    return cp_answer(call, 200,
                     json_pack("{s:o, s:I, s:{s:s, s:o}}", "no", cp_json(order->no), "version",
                               (json_int_t) order->version, "csr", "key", cp_key_kind_title(csr->key.kind),
                               "spki_sha256", cp_json(cp_str_hex(call->arena, csr->spki_sha256))));
}


cp_code_t
cp_op_order_csr(cp_call_t *call)
{
    cp_order_terms_t terms;
    cp_order_t       order;
    cp_csr_t         csr;

    if (!is_request_type(call->content_type)) {
        return CP_E_MEDIA_TYPE;
    }

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_order_own(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_EDIT));

    if (!cp_order_terms(order.sale, &terms) || (terms.keys & CP_KEY_HOLDER) == 0) {
        return CP_E_CONFLICT;
    }
    CP_TRY(check_request(call, &order, &csr));

    CP_TRY(cp_order_set_csr(call, &order, csr.der, csr.spki_sha256, "holder"));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_EDIT, NULL));

    CP_TRY(answer(call, &order, &csr));

    return cp_call_commit(call);
}


/* A request that the signer has, or made a certificate of, stays; after one that was put aside any key may follow. */
static cp_code_t
station_may(cp_call_t *call, const cp_order_t *order)
{
    cp_order_terms_t terms;
    int64_t          alive, aside;

    CP_TRY(cp_ledger_count(call->db, order->id, &alive, &aside));
    if (alive != 0) {
        return CP_E_CONFLICT;
    }

    if (!cp_order_terms(order->sale, &terms) || ((terms.keys & CP_KEY_STATION) == 0 && aside == 0)) {
        return CP_E_CONFLICT;
    }

    return CP_OK;
}


cp_code_t
cp_op_desk_csr(cp_call_t *call)
{
    cp_order_t order;
    cp_csr_t   csr;

    if (!is_request_type(call->content_type)) {
        return CP_E_MEDIA_TYPE;
    }

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_order_any(call, call->params[0], true, &order));
    CP_TRY(cp_order_may(call, &order, CP_ORDER_ON_KEY));
    CP_TRY(cp_staff_take_duty(call, order.id, order.agent_index, CP_DUTY_PRODUCTION));
    CP_TRY(station_may(call, &order));
    CP_TRY(check_request(call, &order, &csr));

    CP_TRY(cp_order_set_csr(call, &order, csr.der, csr.spki_sha256, "station"));
    CP_TRY(cp_order_apply(call, &order, CP_ORDER_ON_KEY, NULL));
    CP_TRY(cp_issuance_request(call, &order));

    CP_TRY(answer(call, &order, &csr));

    return cp_call_commit(call);
}
