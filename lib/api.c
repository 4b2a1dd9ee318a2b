/* THE TABLE of operations. A row here is the whole of what makes a URL exist. */
#include "api.h"

#include "account/account_ops.h"
#include "account/desk_ops.h"
#include "audit/audit_ops.h"
#include "captcha/captcha_ops.h"
#include "certificate/certificate_ops.h"
#include "identity/identity_ops.h"
#include "issuance/issuance_ops.h"
#include "material/material_ops.h"
#include "member/member_ops.h"
#include "order/desk_ops.h"
#include "order/order_ops.h"
#include "payment/payment_ops.h"
#include "portal/portal_ops.h"
#include "scan/scan_ops.h"
#include "session/challenge_ops.h"
#include "session/session_ops.h"
#include "staff/staff_ops.h"

#define KB    1024u
#define JSON  (32 * KB)

/* Who may call, short. */
#define ANYBODY   CP_BY_PUBLIC
#define ACCOUNT   CP_BY_ACCOUNT
#define REVIEWER  CP_ROLE_REVIEWER
#define FINANCE   CP_ROLE_FINANCE
#define PRODUCER  CP_ROLE_PRODUCER
#define SHIPPER   CP_ROLE_SHIPPER
#define AUDITOR   CP_ROLE_AUDITOR
#define ADMIN     CP_ROLE_ADMINISTRATOR
#define ANY_ROLE  CP_ROLES_ALL

/*
 * The usual shapes of a row: a read, one that the inspector marks, a change with a JSON body, the same with a pool of its
 * own, an upload as it is and in a form.
 */
#define READ(id, path, callers, run)                                                                                   \
    { id, "GET", path, callers, CP_POOL_DATABASE, CP_BODY_NONE, 0, 0, NULL, run, NULL }
#define MARKED(id, path, callers, run)                                                                                 \
    { id, "GET", path, callers, CP_POOL_INSPECTOR, CP_BODY_NONE, 0, 0, NULL, run, NULL }
#define REMOVE(id, path, callers, run)  REMOVE_IF(id, path, callers, 0, run)
#define REMOVE_IF(id, path, callers, flags, run)                                                                       \
    { id, "DELETE", path, callers, CP_POOL_DATABASE, CP_BODY_NONE, 0, flags, NULL, run, NULL }
#define CHANGE(id, method, path, callers, flags, run)                                                                  \
    { id, method, path, callers, CP_POOL_DATABASE, CP_BODY_JSON, JSON, flags, NULL, run, NULL }
#define POOLED(id, method, path, callers, pool, flags, run)                                                            \
    { id, method, path, callers, pool, CP_BODY_JSON, JSON, flags, NULL, run, NULL }
#define CHOOSES(id, path, callers, pool, choose, run)                                                                  \
    { id, "POST", path, callers, pool, CP_BODY_JSON, JSON, 0, NULL, run, choose }
#define BYTES(id, path, callers, max, run)                                                                             \
    { id, "POST", path, callers, CP_POOL_DATABASE, CP_BODY_RAW, max, 0, NULL, run, NULL }
#define UPLOAD(id, path, callers, kind, run)                                                                           \
    { id, "PUT", path, callers, CP_POOL_INSPECTOR, CP_BODY_UPLOAD, 0, 0, kind, run, NULL }
#define FORM(id, path, callers, kind, run)                                                                             \
    { id, "POST", path, callers, CP_POOL_INSPECTOR, CP_BODY_FORM, 0, 0, kind, run, NULL }

const cp_operation_t cp_operations[] = {

    /* the installation */
    READ("getCatalog", "/api/catalog", ANYBODY, cp_op_catalog),
    READ("getHealth", "/healthz", ANYBODY, cp_op_health),

    /* sign-in */
    READ("getCaptcha", "/api/captcha", ANYBODY, cp_op_captcha_create),
    POOLED("sendSmsCode", "POST", "/api/sms-codes", ANYBODY, CP_POOL_EGRESS, 0, cp_op_sms_code_create),
    CHANGE("createChallenge", "POST", "/api/challenges", ANYBODY, 0, cp_op_challenge_create),
    CHOOSES("createSession", "/api/sessions", ANYBODY, CP_POOL_PASSWORD, cp_session_pool, cp_op_session_create),
    READ("getSession", "/api/session", ACCOUNT, cp_op_session_show),
    REMOVE("endSession", "/api/session", ACCOUNT, cp_op_session_end),
    READ("listSessions", "/api/sessions", ACCOUNT, cp_op_session_list),
    REMOVE("endOtherSession", "/api/sessions/{session}", ACCOUNT, cp_op_session_end_one),
    REMOVE("endSessions", "/api/sessions", ACCOUNT, cp_op_session_end_all),
    CHOOSES("proveSession", "/api/session/proof", ACCOUNT, CP_POOL_PASSWORD, cp_session_pool, cp_op_session_prove),
    CHANGE("createScan", "POST", "/api/scans", ANYBODY, 0, cp_op_scan_create),
    CHANGE("getScanState", "POST", "/api/scans/{scan}/state", ANYBODY, 0, cp_op_scan_state),
    READ("getScan", "/api/scans/{scan}", ACCOUNT, cp_op_scan_look),
    CHANGE("approveScan", "POST", "/api/scans/{scan}/approve", ACCOUNT, 0, cp_op_scan_approve),
    CHANGE("refuseScan", "POST", "/api/scans/{scan}/refuse", ACCOUNT, 0, cp_op_scan_refuse),
    POOLED("setPassword", "PUT", "/api/account/password", ACCOUNT, CP_POOL_PASSWORD, 0, cp_op_account_password),

    CHANGE("beginReset", "POST", "/api/password-resets", ANYBODY, 0, cp_op_reset_create),
    POOLED("finishReset", "PUT", "/api/password-resets/{reset}", ANYBODY, CP_POOL_PASSWORD, 0, cp_op_reset_finish),

    /* the account: its logins, its end */
    POOLED("createAccount", "POST", "/api/accounts", ANYBODY, CP_POOL_PASSWORD, 0, cp_op_account_create),
    CHANGE("setEmail", "PUT", "/api/account/email", ACCOUNT, CP_FRESH, cp_op_account_email),
    REMOVE_IF("removeEmail", "/api/account/email", ACCOUNT, CP_FRESH, cp_op_account_email_remove),
    CHANGE("setUserName", "PUT", "/api/account/user-name", ACCOUNT, CP_FRESH, cp_op_account_user_name),
    REMOVE_IF("removeUserName", "/api/account/user-name", ACCOUNT, CP_FRESH, cp_op_account_user_name_remove),
    CHANGE("setCompany", "PUT", "/api/account/company", ACCOUNT, CP_FRESH, cp_op_account_company),
    REMOVE_IF("removeCompany", "/api/account/company", ACCOUNT, CP_FRESH, cp_op_account_company_remove),
    CHANGE("setPhone", "PUT", "/api/account/phone", ACCOUNT, CP_FRESH, cp_op_account_phone),
    CHANGE("setSignInWays", "PUT", "/api/account/sign-in-ways", ACCOUNT, CP_FRESH, cp_op_account_ways),
    REMOVE_IF("removeSignInWays", "/api/account/sign-in-ways", ACCOUNT, CP_FRESH, cp_op_account_ways_remove),
    CHANGE("applyPhoneChange", "POST", "/api/phone-changes", ANYBODY, 0, cp_op_phone_change_create),
    READ("getPhoneChange", "/api/phone-changes/{change}", ANYBODY, cp_op_phone_change_show),
    CHANGE("closeAccount", "POST", "/api/account/close", ACCOUNT, CP_FRESH, cp_op_account_close),

    /* identity */
    POOLED("verifyPerson", "POST", "/api/identity/person", ACCOUNT, CP_POOL_EGRESS, CP_IDEMPOTENT,
           cp_op_identity_person),
    POOLED("verifyOrganization", "POST", "/api/identity/organization", ACCOUNT, CP_POOL_EGRESS, CP_IDEMPOTENT,
           cp_op_identity_organization),
    READ("listUnits", "/api/units", ACCOUNT, cp_op_units_list),

    /* who acts for a unit */
    CHANGE("switchUnit", "PUT", "/api/session/unit", ACCOUNT, 0, cp_op_session_unit),
    READ("listMembers", "/api/units/{unit}/members", ACCOUNT, cp_op_member_list),
    CHANGE("inviteMember", "POST", "/api/units/{unit}/members", ACCOUNT, CP_IDEMPOTENT, cp_op_invitation_create),
    REMOVE("removeMember", "/api/units/{unit}/members/{account}", ACCOUNT, cp_op_member_remove),
    CHANGE("handOverUnit", "POST", "/api/units/{unit}/administrator", ACCOUNT, CP_FRESH, cp_op_member_administrator),
    READ("listUnitInvitations", "/api/units/{unit}/invitations", ACCOUNT, cp_op_invitation_of_unit),
    REMOVE("withdrawInvitation", "/api/units/{unit}/invitations/{invitation}", ACCOUNT, cp_op_invitation_withdraw),
    READ("listInvitations", "/api/invitations", ACCOUNT, cp_op_invitation_list),
    CHANGE("acceptInvitation", "POST", "/api/invitations/{invitation}/accept", ACCOUNT, 0, cp_op_invitation_accept),
    CHANGE("refuseInvitation", "POST", "/api/invitations/{invitation}/refuse", ACCOUNT, 0, cp_op_invitation_refuse),
    CHANGE("askToJoin", "POST", "/api/units/requests", ACCOUNT, CP_IDEMPOTENT, cp_op_request_create),
    READ("listRequests", "/api/units/requests", ACCOUNT, cp_op_request_list),
    READ("listUnitRequests", "/api/units/{unit}/requests", ACCOUNT, cp_op_request_of_unit),
    CHANGE("approveRequest", "POST", "/api/units/{unit}/requests/{request}/approve", ACCOUNT, 0,
           cp_op_request_approve),
    CHANGE("refuseRequest", "POST", "/api/units/{unit}/requests/{request}/refuse", ACCOUNT, 0, cp_op_request_refuse),

    /* orders */
    CHANGE("createOrder", "POST", "/api/orders", ACCOUNT, CP_IDEMPOTENT, cp_op_order_create),
    READ("listOrders", "/api/orders", ACCOUNT, cp_op_order_list),
    READ("getOrder", "/api/orders/{no}", ACCOUNT, cp_op_order_get),
    CHANGE("editOrder", "PATCH", "/api/orders/{no}", ACCOUNT, 0, cp_op_order_edit),
    REMOVE("cancelOrder", "/api/orders/{no}", ACCOUNT, cp_op_order_cancel),
    CHANGE("acceptAgreement", "POST", "/api/orders/{no}/agreement", ACCOUNT, 0, cp_op_order_agree),
    CHANGE("submitOrder", "POST", "/api/orders/{no}/submit", ACCOUNT, CP_IDEMPOTENT, cp_op_order_submit),
    READ("getOrderHistory", "/api/orders/{no}/history", ACCOUNT, cp_op_order_history),
    CHANGE("receiveOrder", "POST", "/api/orders/{no}/complete", ACCOUNT, CP_IDEMPOTENT, cp_op_order_receive),

    /* materials */
    READ("listMaterials", "/api/orders/{no}/materials", ACCOUNT, cp_op_material_list),
    UPLOAD("putMaterial", "/api/orders/{no}/materials/{kind}", ACCOUNT, NULL, cp_op_material_put),
    FORM("postMaterial", "/api/orders/{no}/materials/{kind}", ACCOUNT, NULL, cp_op_material_put),
    READ("getMaterial", "/api/orders/{no}/materials/{kind}", ACCOUNT, cp_op_material_view),
    READ("getThumbnail", "/api/orders/{no}/materials/{kind}/thumbnail", ACCOUNT, cp_op_material_thumbnail),
    REMOVE("removeMaterial", "/api/orders/{no}/materials/{kind}", ACCOUNT, cp_op_material_remove),
    READ("getTemplate", "/api/templates/{hall}/{kind}", ANYBODY, cp_op_template_get),
    READ("getSample", "/api/samples/{hall}/{kind}", ANYBODY, cp_op_sample_get),

    /* payment */
    CHANGE("createPayment", "POST", "/api/orders/{no}/payments", ACCOUNT, CP_IDEMPOTENT, cp_op_payment_create),
    READ("getPayment", "/api/orders/{no}/payments/{id}", ACCOUNT, cp_op_payment_get),
    UPLOAD("putVoucher", "/api/orders/{no}/payments/{id}/voucher", ACCOUNT, "voucher", cp_op_payment_voucher),
    FORM("postVoucher", "/api/orders/{no}/payments/{id}/voucher", ACCOUNT, "voucher", cp_op_payment_voucher),

    /* certificates */
    BYTES("putRequest", "/api/orders/{no}/csr", ACCOUNT, 16 * KB, cp_op_order_csr),
    READ("listCertificates", "/api/certificates", ACCOUNT, cp_op_certificate_list),
    READ("getCertificate", "/api/certificates/{serial}", ACCOUNT, cp_op_certificate_read),
    CHANGE("revokeOwnCertificate", "POST", "/api/certificates/{serial}/revoke", ACCOUNT, CP_FRESH | CP_IDEMPOTENT,
           cp_op_certificate_revoke),
    READ("getCrl", "/crl/{issuer}.crl", ANYBODY, cp_op_crl),
    READ("getIssuer", "/api/issuers/{issuer}", ANYBODY, cp_op_issuer),

    /* staff: who am I, the queue, one order */
    READ("getStaffSession", "/staff/api/session", ANY_ROLE, cp_op_staff_session),
    REMOVE("endStaffSession", "/staff/api/session", ANY_ROLE, cp_op_staff_session_end),
    READ("listDeskOrders", "/staff/api/orders", ANY_ROLE, cp_op_desk_orders),
    READ("getDeskOrder", "/staff/api/orders/{no}", ANY_ROLE, cp_op_desk_order),
    READ("getDeskHistory", "/staff/api/orders/{no}/history", ANY_ROLE, cp_op_desk_history),
    MARKED("getDeskMaterial", "/staff/api/orders/{no}/materials/{kind}", REVIEWER | AUDITOR, cp_op_material_view),
    MARKED("getDeskThumbnail", "/staff/api/orders/{no}/materials/{kind}/thumbnail", REVIEWER | AUDITOR,
           cp_op_material_thumbnail),
    READ("getDeskOriginal", "/staff/api/orders/{no}/materials/{kind}/original", AUDITOR, cp_op_material_original),
    READ("getDeskDelivery", "/staff/api/orders/{no}/delivery", PRODUCER | SHIPPER, cp_op_desk_delivery),

    /* staff: review */
    CHANGE("claimOrder", "POST", "/staff/api/orders/{no}/claim", REVIEWER, 0, cp_op_desk_claim),
    CHANGE("approveOrder", "POST", "/staff/api/orders/{no}/approve", REVIEWER, CP_IDEMPOTENT, cp_op_desk_approve),
    CHANGE("rejectOrder", "POST", "/staff/api/orders/{no}/reject", REVIEWER, CP_IDEMPOTENT, cp_op_desk_reject),

    /* staff: finance */
    READ("listPayments", "/staff/api/payments", FINANCE | AUDITOR | ADMIN, cp_op_desk_payments),
    MARKED("getVoucher", "/staff/api/payments/{id}/voucher", FINANCE, cp_op_desk_voucher),
    READ("getVoucherOriginal", "/staff/api/payments/{id}/voucher/original", AUDITOR, cp_op_desk_voucher_original),
    CHANGE("confirmPayment", "POST", "/staff/api/payments/{id}/confirm", FINANCE, CP_IDEMPOTENT, cp_op_desk_confirm),
    CHANGE("refusePayment", "POST", "/staff/api/payments/{id}/refuse", FINANCE, CP_IDEMPOTENT, cp_op_desk_refuse),
    CHANGE("refundOrder", "POST", "/staff/api/orders/{no}/refund", FINANCE, CP_IDEMPOTENT, cp_op_desk_refund),
    CHANGE("concludeRefund", "POST", "/staff/api/orders/{no}/refunded", FINANCE, CP_IDEMPOTENT, cp_op_desk_refunded),

    /* staff: production and shipping */
    BYTES("putStationRequest", "/staff/api/orders/{no}/csr", PRODUCER, 16 * KB, cp_op_desk_csr),
    CHANGE("shipOrder", "POST", "/staff/api/orders/{no}/ship", PRODUCER | SHIPPER, CP_IDEMPOTENT, cp_op_desk_ship),
    CHANGE("completeOrder", "POST", "/staff/api/orders/{no}/complete", PRODUCER | SHIPPER, CP_IDEMPOTENT,
           cp_op_desk_complete),

    /* staff: accounts */
    READ("listPhoneChanges", "/staff/api/phone-changes", REVIEWER | AUDITOR, cp_op_desk_phone_changes),
    READ("getDeskPhoneChange", "/staff/api/phone-changes/{change}", REVIEWER | AUDITOR, cp_op_desk_phone_change),
    CHANGE("approvePhoneChange", "POST", "/staff/api/phone-changes/{change}/approve", REVIEWER, CP_IDEMPOTENT,
           cp_op_desk_phone_change_approve),
    CHANGE("rejectPhoneChange", "POST", "/staff/api/phone-changes/{change}/reject", REVIEWER, CP_IDEMPOTENT,
           cp_op_desk_phone_change_reject),
    CHANGE("findAccount", "POST", "/staff/api/account-search", ADMIN, 0, cp_op_desk_account_find),
    READ("getAccount", "/staff/api/accounts/{account}", ADMIN, cp_op_desk_account),
    CHANGE("disableAccount", "POST", "/staff/api/accounts/{account}/disable", ADMIN, CP_IDEMPOTENT,
           cp_op_desk_account_disable),
    CHANGE("enableAccount", "POST", "/staff/api/accounts/{account}/enable", ADMIN, CP_IDEMPOTENT,
           cp_op_desk_account_enable),

    /* staff: revocation, units, audit */
    CHANGE("revokeCertificate", "POST", "/staff/api/certificates/{serial}/revoke", REVIEWER | ADMIN, CP_IDEMPOTENT,
           cp_op_desk_certificate_revoke),
    READ("listDeskUnits", "/staff/api/units", ADMIN | AUDITOR, cp_op_desk_units),
    CHANGE("appointAdministrator", "POST", "/staff/api/units/{unit}/administrator", ADMIN, CP_IDEMPOTENT,
           cp_op_desk_administrator),
    READ("listAudit", "/staff/api/audit", AUDITOR | ADMIN, cp_op_audit_list),

};

const size_t cp_operation_count = sizeof(cp_operations) / sizeof(cp_operations[0]);
