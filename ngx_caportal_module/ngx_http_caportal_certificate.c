/*
 * The client's certificate on the TLS connection: its bytes, and what the TLS layer says of it in our words. Headers
 * never stand for it: only this connection's own handshake does.
 */
#include "ngx_http_caportal.h"

#include "certificate/certificate.h"
#include "certificate/client_rules.h"

#define FAULT(verdict)  (1u << (verdict))

#define NGX_HTTP_CAPORTAL_VERIFY_ON  1    /* ssl_verify_client on: in its module's table only */


/* What is not listed here makes a certificate one that we do not trust. */
static const struct {
    int               error;
    cp_tls_verdict_t  verdict;
} ngx_http_caportal_tls_errors[] = {
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, CP_TLS_SELF_SIGNED },
    { X509_V_ERR_CERT_REVOKED, CP_TLS_REVOKED },
    { X509_V_ERR_EE_KEY_TOO_SMALL, CP_TLS_WEAK },
    { X509_V_ERR_CA_KEY_TOO_SMALL, CP_TLS_WEAK },
    { X509_V_ERR_CA_MD_TOO_WEAK, CP_TLS_WEAK },
    { X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, CP_TLS_UNSUPPORTED },
    { X509_V_ERR_INVALID_PURPOSE, CP_TLS_PURPOSE },
    { X509_V_ERR_UNABLE_TO_GET_CRL, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_CRL_SIGNATURE_FAILURE, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_CRL_NOT_YET_VALID, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_CRL_HAS_EXPIRED, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_DIFFERENT_CRL_SCOPE, CP_TLS_STATUS_UNKNOWN },
    { X509_V_ERR_CERT_NOT_YET_VALID, CP_TLS_NOT_YET_VALID },
    { X509_V_ERR_CERT_HAS_EXPIRED, CP_TLS_EXPIRED },
};


static cp_tls_verdict_t
ngx_http_caportal_tls_verdict(int error)
{
    size_t  i;

    for (i = 0; i < sizeof(ngx_http_caportal_tls_errors) / sizeof(ngx_http_caportal_tls_errors[0]); i++) {
        if (ngx_http_caportal_tls_errors[i].error == error) {
            return ngx_http_caportal_tls_errors[i].verdict;
        }
    }

    return CP_TLS_UNTRUSTED;
}


/* Goes on after every fault, so that all are seen. */
static int
ngx_http_caportal_note_fault(int ok, X509_STORE_CTX *store_ctx)
{
    unsigned  *faults = X509_STORE_CTX_get_app_data(store_ctx);

    if (!ok) {
        *faults |= FAULT(ngx_http_caportal_tls_verdict(X509_STORE_CTX_get_error(store_ctx)));
    }

    return 1;
}


/* A stranger's certificate that names one of ours as its issuer. */
static ngx_uint_t
ngx_http_caportal_takes_our_name(X509_STORE_CTX *store_ctx, X509 *certificate)
{
    ngx_uint_t       found;
    STACK_OF(X509)  *issuers;

    issuers = X509_STORE_CTX_get1_certs(store_ctx, X509_get_issuer_name(certificate));
    found = issuers != NULL && sk_X509_num(issuers) > 0;
    sk_X509_pop_free(issuers, X509_free);

    return found;
}


static unsigned
ngx_http_caportal_all_faults(SSL *ssl, X509 *certificate)
{
    unsigned           faults = 0;
    X509_STORE_CTX    *store_ctx;
    X509_VERIFY_PARAM *param;

    store_ctx = X509_STORE_CTX_new();
    if (store_ctx == NULL) {
        return 0;
    }

    if (X509_STORE_CTX_init(store_ctx, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), certificate,
                            SSL_get_peer_cert_chain(ssl)) == 1)
    {
        param = X509_STORE_CTX_get0_param(store_ctx);
        X509_STORE_CTX_set_default(store_ctx, "ssl_client");
        X509_VERIFY_PARAM_set1(param, SSL_get0_param(ssl));
        X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(ssl));
        X509_STORE_CTX_set_app_data(store_ctx, &faults);
        X509_STORE_CTX_set_verify_cb(store_ctx, ngx_http_caportal_note_fault);

        (void) X509_verify_cert(store_ctx);

        if ((faults & FAULT(CP_TLS_UNTRUSTED)) && ngx_http_caportal_takes_our_name(store_ctx, certificate)) {
            faults |= FAULT(CP_TLS_FORGED);
        }
    }

    X509_STORE_CTX_free(store_ctx);
    ERR_clear_error();

    return faults;
}


/*
 * The handshake keeps the last fault only, which may be an expired date of a certificate that nobody here issued: so the
 * chain of a refused one is verified once more, and the fault that matters most is told.
 */
static cp_tls_verdict_t
ngx_http_caportal_judge(SSL *ssl, X509 *certificate)
{
    int       i;
    unsigned  faults;

    faults = ngx_http_caportal_all_faults(ssl, certificate);

    if ((faults & FAULT(CP_TLS_UNTRUSTED))
        && X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0)
    {
        return CP_TLS_SELF_SIGNED;
    }

    for (i = CP_TLS_VERIFIED + 1; i < CP_TLS_VERDICTS; i++) {
        if (faults & FAULT(i)) {
            return (cp_tls_verdict_t) i;
        }
    }

    return ngx_http_caportal_tls_verdict((int) SSL_get_verify_result(ssl));
}


/* What was found is kept with the connection: a client must not make us verify its chain with every request. */
static cp_tls_verdict_t
ngx_http_caportal_verdict(SSL *ssl, X509 *certificate)
{
    static int  kept = -1;

    uintptr_t  verdict;

    if (SSL_get_verify_result(ssl) == X509_V_OK) {
        return CP_TLS_VERIFIED;
    }

    if (kept == -1) {
        kept = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    }

    verdict = kept == -1 ? 0 : (uintptr_t) SSL_get_ex_data(ssl, kept);
    if (verdict == 0) {
        verdict = ngx_http_caportal_judge(ssl, certificate);
        if (kept != -1) {
            (void) SSL_set_ex_data(ssl, kept, (void *) verdict);
        }
    }

    return (cp_tls_verdict_t) verdict;
}


cp_code_t
ngx_http_caportal_take_certificate(ngx_http_caportal_ctx_t *ctx)
{
    int                        len;
    SSL                       *ssl;
    X509                      *certificate;
    unsigned char             *der = NULL;
    ngx_http_request_t        *r = ctx->request;
    ngx_http_ssl_srv_conf_t   *sscf;

    sscf = ngx_http_get_module_srv_conf(r, ngx_http_ssl_module);

    if (r->connection->ssl == NULL || sscf->verify == 0 || ctx->call.client_tls) {
        return CP_OK;
    }

    ctx->call.client_tls = true;

    ssl = r->connection->ssl->connection;
    certificate = SSL_get_peer_certificate(ssl);
    if (certificate == NULL) {
        return CP_OK;
    }

    ctx->call.tls = ngx_http_caportal_verdict(ssl, certificate);

    len = i2d_X509(certificate, &der);
    X509_free(certificate);
    if (len <= 0) {
        return CP_E_NO_MEMORY;
    }

    ctx->call.certificate = cp_str_dup(ctx->arena, cp_str_n(der, (size_t) len));
    OPENSSL_free(der);

    return ctx->call.certificate.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


cp_code_t
ngx_http_caportal_certificate_fault(ngx_http_caportal_ctx_t *ctx)
{
    cp_code_t                 code;
    cp_shown_t                shown;
    ngx_http_ssl_srv_conf_t  *sscf;

    sscf = ngx_http_get_module_srv_conf(ctx->request, ngx_http_ssl_module);

    code = ngx_http_caportal_take_certificate(ctx);
    if (code != CP_OK || !ctx->call.client_tls) {
        return code;
    }

    if (ctx->call.certificate.data == NULL) {
        return sscf->verify == NGX_HTTP_CAPORTAL_VERIFY_ON ? CP_E_CERT_MISSING : CP_OK;
    }
    if (ctx->call.tls == CP_TLS_VERIFIED) {
        return CP_OK;
    }

    code = cp_certificate_shown(&ctx->call, &shown);

    return code == CP_OK ? cp_client_verdict(ctx->call.tls) : code;
}
