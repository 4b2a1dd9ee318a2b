/* The issuers' keys: a PEM file, or a token through PKCS#11. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <libp11.h>
#include <openssl/pem.h>

#include "base/random.h"
#include "signer.h"

#define SIGNATURE_MAX  1024


signer_issuer_t *
signer_issuer_find(signer_t *signer, cp_str_t name)
{
    size_t i;

    for (i = 0; i < signer->issuer_count; i++) {
        if (cp_str_eq(signer->issuers[i].name, name)) {
            return &signer->issuers[i];
        }
    }

    return NULL;
}


/* DER of a certificate file, PEM or DER; at start only, so OpenSSL's decoder is fine. */
static const char *
read_certificate(cp_arena_t *arena, const char *path, cp_str_t *der)
{
    FILE          *file;
    X509          *x509;
    unsigned char *bytes = NULL;
    int            n;

    file = fopen(path, "re");
    if (file == NULL) {
        return "its certificate cannot be opened";
    }

    x509 = PEM_read_X509(file, NULL, NULL, NULL);
    if (x509 == NULL) {
        rewind(file);
        x509 = d2i_X509_fp(file, NULL);
    }
    fclose(file);

    if (x509 == NULL) {
        return "its certificate cannot be read";
    }

    n = i2d_X509(x509, &bytes);
    X509_free(x509);
    *der = n <= 0 ? CP_STR_NULL : cp_str_dup(arena, cp_str_n(bytes, (size_t) n));
    OPENSSL_free(bytes);

    return der->data == NULL ? "out of memory" : NULL;
}


static const char *
open_file_key(signer_issuer_t *issuer)
{
    FILE       *file;
    struct stat st;
    const char *why = NULL;

    file = fopen(issuer->key_conf.file, "re");
    if (file == NULL) {
        return "its key cannot be opened";
    }

    if (fstat(fileno(file), &st) != 0 || (st.st_mode & 0027) != 0) {
        why = "its key must not be writable by the group nor open to others";
    } else {
        issuer->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        why = issuer->key == NULL ? "its key cannot be read" : NULL;
    }
    fclose(file);

    return why;
}


static PKCS11_SLOT *
find_token(signer_issuer_t *issuer)
{
    PKCS11_SLOT *slots = issuer->slots;
    unsigned     i;

    for (i = 0; i < issuer->slot_count; i++) {
        if (slots[i].token != NULL && slots[i].token->label != NULL
            && strcmp(slots[i].token->label, issuer->key_conf.token) == 0)
        {
            return &slots[i];
        }
    }

    return NULL;
}


static EVP_PKEY *
find_key(PKCS11_TOKEN *token, const char *label)
{
    PKCS11_KEY *keys;
    unsigned    count, i;

    if (PKCS11_enumerate_keys(token, &keys, &count) != 0) {
        return NULL;
    }
    for (i = 0; i < count; i++) {
        if (keys[i].isPrivate && keys[i].label != NULL && strcmp(keys[i].label, label) == 0) {
            return PKCS11_get_private_key(&keys[i]);
        }
    }

    return NULL;
}


static const char *
open_token_key(cp_arena_t *arena, signer_issuer_t *issuer)
{
    PKCS11_SLOT *slots = NULL, *slot;
    const char  *why;
    cp_str_t     pin;

    why = signer_secret(arena, issuer->key_conf.pin_file, &pin);
    if (why != NULL) {
        return why;
    }

    issuer->token = PKCS11_CTX_new();
    if (issuer->token == NULL || PKCS11_CTX_load(issuer->token, issuer->key_conf.module) != 0) {
        return "its PKCS#11 module cannot be loaded";
    }

    if (PKCS11_enumerate_slots(issuer->token, &slots, &issuer->slot_count) != 0) {
        return "its PKCS#11 module shows no slots";
    }
    issuer->slots = slots;

    slot = find_token(issuer);
    if (slot == NULL) {
        return "its token is not there";
    }
    if (PKCS11_login(slot, 0, pin.data) != 0) {
        return "its token refuses the PIN";
    }

    issuer->key = find_key(slot->token, issuer->key_conf.object);

    return issuer->key == NULL ? "its token has no such private key" : NULL;
}


void
signer_issuer_close(signer_issuer_t *issuer)
{
    EVP_PKEY_free(issuer->key);
    issuer->key = NULL;

    if (issuer->slots != NULL) {
        PKCS11_release_all_slots(issuer->token, issuer->slots, issuer->slot_count);
        issuer->slots = NULL;
    }
    if (issuer->token != NULL) {
        PKCS11_CTX_unload(issuer->token);
        PKCS11_CTX_free(issuer->token);
        issuer->token = NULL;
    }
}


static const char *
open_key(cp_arena_t *arena, signer_issuer_t *issuer)
{
    return issuer->key_conf.file != NULL ? open_file_key(issuer) : open_token_key(arena, issuer);
}


/* One signature with the open key, verified under the certificate's. */
static bool
sign_once(cp_arena_t *arena, signer_issuer_t *issuer, cp_str_t data, cp_str_t *signature)
{
    unsigned char bytes[SIGNATURE_MAX];
    EVP_MD_CTX   *ctx;
    size_t        size = sizeof(bytes);
    bool          done;

    ctx = EVP_MD_CTX_new();
    done = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, issuer->key) == 1
           && EVP_DigestSign(ctx, bytes, &size, (unsigned char *) data.data, data.len) == 1;
    EVP_MD_CTX_free(ctx);

    if (!done) {
        return false;
    }

    *signature = cp_str_dup(arena, cp_str_n(bytes, size));

    return signature->data != NULL
           && cp_public_key_verify(&issuer->issuer.key, issuer->issuer.algorithm, data, *signature) == CP_CSR_GOOD;
}


cp_code_t
signer_sign(cp_arena_t *arena, signer_issuer_t *issuer, cp_str_t data, cp_str_t *signature)
{
    const char *why;

    if (issuer->key != NULL && sign_once(arena, issuer, data, signature)) {
        return CP_OK;
    }

    /* A token that was pulled, restarted or logged out: opened anew, once. */
    signer_issuer_close(issuer);
    why = open_key(arena, issuer);
    if (why == NULL && sign_once(arena, issuer, data, signature)) {
        return CP_OK;
    }

    cp_log(CP_LOG_ALERT, "issuer %s cannot sign: %s", issuer->name.data,
           why != NULL ? why : "the signature fails or does not verify");

    return CP_E_BUSY;
}


const char *
signer_issuer_load(cp_arena_t *arena, signer_issuer_t *issuer)
{
    unsigned char challenge[32];
    const char   *why;
    cp_str_t      der, signature;

    why = read_certificate(arena, issuer->certificate_file, &der);
    why = why != NULL ? why : cp_issuer_read(issuer->name, der, &issuer->issuer);
    why = why != NULL ? why : open_key(arena, issuer);
    if (why != NULL) {
        return why;
    }

    cp_random(challenge, sizeof(challenge));

    return sign_once(arena, issuer, cp_str_n(challenge, sizeof(challenge)), &signature)
           ? NULL : "its key is not the one of its certificate";
}
