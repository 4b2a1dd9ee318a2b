/* What is signed to sign in, byte for byte, and by which signatures: one for each kind of key and form, and each spoilt. */
#include "seams.h"

#include "keys.h"
#include "session/challenge.h"

#define MESSAGE  CP_STR("caportal challenge v1\nnonce: x\n")

static cp_arena_t *arena;


static void
message(void **state)
{
    cp_challenge_t challenge = {
        .nonce = CP_STR("8Ff0a1mUq3sVt5wXz7yB9dC2eG4hJ6kL8nP0rT2uW4Y"), .origin = CP_STR("https://hall.example.cn"),
        .expires_ms = 1767323045000,
    };

    (void) state;

    assert_string_equal(cp_challenge_message(arena, &challenge).data,
                        "caportal challenge v1\n"
                        "nonce: 8Ff0a1mUq3sVt5wXz7yB9dC2eG4hJ6kL8nP0rT2uW4Y\n"
                        "origin: https://hall.example.cn\n"
                        "expires: 2026-01-02T11:04:05+08:00\n");
}


/* The Host is the client's to choose: what it names must be configured. */
static void
origins(void **state)
{
    static const cp_str_t known[] = {
        { 23, (char *) (uintptr_t) "https://hall.example.cn" }, { 27, (char *) (uintptr_t) "https://key.example.cn:8444" },
    };
    static const struct { const char *host; int which; } rows[] = {
        { "hall.example.cn", 0 }, { "HALL.Example.CN", 0 }, { "key.example.cn:8444", 1 },
        { "key.example.cn", -1 }, { "hall.example.cn:443", -1 }, { "hall.example.cn.", -1 }, { "hall.example.c", -1 },
        { "evil.example", -1 }, { "hall.example.cn.evil.example", -1 }, { "", -1 }, { NULL, -1 },
    };
    cp_app_t  app = { .origins = known, .origin_count = 2 }, none = { .origins = NULL, .origin_count = 0 };
    cp_call_t call = { .arena = arena };
    cp_str_t  own;
    size_t    i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        call.host = cp_str(rows[i].host);
        call.app = &app;
        assert_int_equal(cp_own_origin(&call, &own), rows[i].which < 0 ? CP_E_BAD_ORIGIN : CP_OK);
        if (rows[i].which >= 0) {
            assert_ptr_equal(own.data, known[rows[i].which].data);
        }
        call.app = &none;
        assert_int_equal(cp_own_origin(&call, &own), CP_E_BAD_ORIGIN);
    }
}


static cp_public_key_t
public_of(EVP_PKEY *pkey)
{
    unsigned char  *der = NULL;
    int             n = i2d_PUBKEY(pkey, &der);
    cp_public_key_t key;

    assert_int_equal(cp_public_key_read(cp_str_dup(arena, cp_str_n(der, (size_t) n)), &key), CP_CSR_GOOD);
    OPENSSL_free(der);

    return key;
}


typedef struct {
    const char *id;         /* of SM2's signer; NULL: another kind of key */
    const char *md;
    int         padding;    /* of RSA; 0: none */
    int         salt;
} form_t;


static cp_str_t
sign(EVP_PKEY *pkey, const form_t *form, cp_str_t text)
{
    EVP_MD_CTX   *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = EVP_PKEY_CTX_new(pkey, NULL);
    unsigned char bytes[1024];
    size_t        len = sizeof(bytes);

    if (form->id != NULL && form->id[0] != '\0') {
        assert_true(EVP_PKEY_CTX_set1_id(key, form->id, (int) strlen(form->id)) > 0);
    }
    EVP_MD_CTX_set_pkey_ctx(ctx, key);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_get_digestbyname(form->md), NULL, pkey), 1);
    if (form->padding != 0) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(key, form->padding) > 0);
    }
    if (form->padding == RSA_PKCS1_PSS_PADDING) {
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(key, form->salt) > 0);
    }
    assert_int_equal(EVP_DigestSign(ctx, bytes, &len, (unsigned char *) text.data, text.len), 1);

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_CTX_free(key);

    return cp_str_dup(arena, cp_str_n(bytes, len));
}


/* r and s behind each other. */
static cp_str_t
raw(cp_str_t der)
{
    const unsigned char *p = (unsigned char *) der.data;
    ECDSA_SIG           *sig = d2i_ECDSA_SIG(NULL, &p, (long) der.len);
    cp_str_t             out = { 64, cp_alloc(arena, 64) };

    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), (unsigned char *) out.data, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), (unsigned char *) out.data + 32, 32), 32);
    ECDSA_SIG_free(sig);

    return out;
}


/* Good as it is, and not when a bit of the message or of the signature is turned or a byte is missing or too many. */
static void
expect_good(const cp_public_key_t *key, cp_str_t text, cp_str_t signature, const char *what)
{
    cp_str_t other = cp_str_dup(arena, text), spoilt = cp_str_dup(arena, signature);
    size_t   i;

    if (cp_public_key_verify_message(key, arena, text, signature) != CP_CSR_GOOD) {
        fail_msg("%s is refused", what);
    }

    other.data[other.len - 1] ^= 1;
    assert_int_equal(cp_public_key_verify_message(key, arena, other, signature), CP_CSR_SIGNATURE);

    for (i = 0; i < spoilt.len; i += spoilt.len / 16 + 1) {
        spoilt.data[i] ^= 1;
        assert_int_equal(cp_public_key_verify_message(key, arena, text, spoilt), CP_CSR_SIGNATURE);
        spoilt.data[i] ^= 1;
    }

    assert_int_equal(cp_public_key_verify_message(key, arena, text, cp_str_n(signature.data, signature.len - 1)),
                     CP_CSR_SIGNATURE);
    assert_int_equal(cp_public_key_verify_message(key, arena, text, cp_str_n(spoilt.data, spoilt.len + 1)),
                     CP_CSR_SIGNATURE);
    assert_int_equal(cp_public_key_verify_message(key, arena, text, CP_STR("")), CP_CSR_SIGNATURE);
    memset(spoilt.data, 0, spoilt.len);
    assert_int_equal(cp_public_key_verify_message(key, arena, text, spoilt), CP_CSR_SIGNATURE);
}


static void
p256(void **state)
{
    static const form_t good = { .md = "SHA256" }, sha1 = { .md = "SHA1" }, sha384 = { .md = "SHA384" };
    EVP_PKEY           *pkey = EVP_EC_gen("P-256"), *another = EVP_EC_gen("P-256");
    cp_public_key_t     key = public_of(pkey);

    (void) state;

    expect_good(&key, MESSAGE, sign(pkey, &good, MESSAGE), "DER");
    expect_good(&key, MESSAGE, raw(sign(pkey, &good, MESSAGE)), "r and s");
    assert_int_equal(cp_public_key_verify_message(&key, arena, MESSAGE, sign(pkey, &sha1, MESSAGE)), CP_CSR_SIGNATURE);
    assert_int_equal(cp_public_key_verify_message(&key, arena, MESSAGE, sign(pkey, &sha384, MESSAGE)),
                     CP_CSR_SIGNATURE);
    assert_int_equal(cp_public_key_verify_message(&key, arena, MESSAGE, sign(another, &good, MESSAGE)),
                     CP_CSR_SIGNATURE);

    EVP_PKEY_free(pkey);
    EVP_PKEY_free(another);
}


static void
rsa(void **state)
{
    static const struct { const char *what; form_t form; } good[] = {
        { "PKCS #1 v1.5", { .md = "SHA256", .padding = RSA_PKCS1_PADDING } },
        { "PSS, salt as long as the digest", { .md = "SHA256", .padding = RSA_PKCS1_PSS_PADDING, .salt = 32 } },
        { "PSS without salt", { .md = "SHA256", .padding = RSA_PKCS1_PSS_PADDING, .salt = 0 } },
        { "PSS, longest salt", { .md = "SHA256", .padding = RSA_PKCS1_PSS_PADDING, .salt = -3 } },
    };
    static const form_t bad[] = {
        { .md = "SHA1", .padding = RSA_PKCS1_PADDING }, { .md = "MD5", .padding = RSA_PKCS1_PADDING },
        { .md = "SHA512", .padding = RSA_PKCS1_PSS_PADDING, .salt = 64 },
    };
    EVP_PKEY       *pkey = rsa_key(2048, 65537);
    cp_public_key_t key = public_of(pkey);
    size_t          i;

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        expect_good(&key, MESSAGE, sign(pkey, &good[i].form, MESSAGE), good[i].what);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(cp_public_key_verify_message(&key, arena, MESSAGE, sign(pkey, &bad[i], MESSAGE)),
                         CP_CSR_SIGNATURE);
    }

    EVP_PKEY_free(pkey);
}


static cp_str_t
unhex(const char *hex)
{
    cp_str_t bytes;

    assert_true(cp_str_unhex(arena, cp_str(hex), &bytes));
    return bytes;
}


/* The example of GM/T 0003.5 with the default id: the same r and s for whoever implements it. */
static void
sm2_vector(void **state)
{
    cp_str_t spki = unhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004"
                          "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
                          "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13");
    cp_str_t r_s = unhex("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
                         "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa");
    cp_str_t der = unhex("3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
                         "022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa");
    cp_public_key_t key;

    (void) state;

    assert_int_equal(cp_public_key_read(spki, &key), CP_CSR_GOOD);
    assert_int_equal(key.kind, CP_KEY_SM2);
    expect_good(&key, CP_STR("message digest"), r_s, "r and s");
    expect_good(&key, CP_STR("message digest"), der, "DER");
}


static void
sm2(void **state)
{
    static const form_t good = { .md = "SM3", .id = "1234567812345678" }, no_id = { .md = "SM3", .id = "" },
                        other_id = { .md = "SM3", .id = "8765432187654321" };
    EVP_PKEY       *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
    cp_public_key_t key = public_of(pkey);

    (void) state;

    expect_good(&key, MESSAGE, sign(pkey, &good, MESSAGE), "DER");
    expect_good(&key, MESSAGE, raw(sign(pkey, &good, MESSAGE)), "r and s");
    assert_int_equal(cp_public_key_verify_message(&key, arena, MESSAGE, sign(pkey, &no_id, MESSAGE)),
                     CP_CSR_SIGNATURE);
    assert_int_equal(cp_public_key_verify_message(&key, arena, MESSAGE, sign(pkey, &other_id, MESSAGE)),
                     CP_CSR_SIGNATURE);

    EVP_PKEY_free(pkey);
}


static int
start(void **state)
{
    (void) state;

    arena = cp_arena_new(0);
    return arena == NULL ? -1 : 0;
}


static int
finish(void **state)
{
    (void) state;

    cp_arena_free(arena);
    return 0;
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message), cmocka_unit_test(origins), cmocka_unit_test(p256), cmocka_unit_test(rsa),
        cmocka_unit_test(sm2_vector), cmocka_unit_test(sm2),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, start, finish);
}
