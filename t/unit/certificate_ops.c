/*
 * Requests, the ledger, downloads, revocation and certificate sign-in against a MariaDB with the schema loaded, given
 * by CAPORTAL_TEST_MYSQL_SOCKET (user root, database CAPORTAL_TEST_MYSQL_DATABASE or "caportal"); skipped without it.
 */
#include "seams.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/random.h"
#include "call/operation.h"
#include "certificate/certificate.h"
#include "certificate/certificate_ops.h"
#include "certificate/tbs.h"
#include "issuance/issuance.h"
#include "issuance/issuance_ops.h"
#include "keyring.h"
#include "keys.h"
#include "order/order_rules.h"

#define HOLDER   "{\"project\":{},\"product\":{\"keys\":[\"holder\"]}}"
#define STATION  "{\"project\":{},\"product\":{\"keys\":[\"station\"]}}"

static cp_app_t  app;
static cp_call_t call;
static int64_t   account, stranger_account, unit, person, producer;
static char      issuer[32];
static cp_str_t  issuer_der;


static void
sql(const char *text)
{
    cp_code_t code = cp_db_script(call.db, cp_str(text));

    if (code != CP_OK) {
        fail_msg("%s: %s", cp_db_message(call.db), text);
    }
}


static int64_t
one(const char *text)
{
    static char  *texts[64];
    static size_t count;

    int64_t value = -1;

    /* The statements of a connection are kept by address: each text stays where it is. */
    assert_true(count < sizeof(texts) / sizeof(texts[0]));
    texts[count] = strdup(text);
    assert_int_equal(cp_db_row(call.db, texts[count++], ">i", &value), CP_OK);
    return value;
}


#define SQL(...)  sql(cp_str_printf(call.arena, __VA_ARGS__).data)
#define ONE(...)  one(cp_str_printf(call.arena, __VA_ARGS__).data)


static cp_code_t
run(cp_operation_fn operation)
{
    static const cp_operation_t row = { .id = "test" };
    cp_code_t                   code;

    call.operation = &row;
    call.request_id = CP_STR("test");
    cp_call_reset(&call);
    code = operation(&call);
    cp_db_rollback(call.db);

    return code;
}


static void
as_holder(void)
{
    memset(&call.who, 0, sizeof(call.who));
    call.who.account = account;
    call.query = CP_STR_NULL;
}


static void
as_producer(void)
{
    memset(&call.who, 0, sizeof(call.who));
    call.who.staff = producer;
    call.who.roles = CP_ROLE_PRODUCER;
    call.query = CP_STR_NULL;
}


static const char *
seal(const char *column, const char *value)
{
    cp_str_t sealed;

    assert_int_equal(cp_column_seal(app.keys, call.arena, column, cp_str(value), &sealed), CP_OK);
    return cp_str_hex(call.arena, sealed).data;
}


static int
start(void **state)
{
    const char *tag;
    cp_code_t   code;

    (void) state;

    app.keys = keyring_start();
    app.db = (cp_db_conf_t) { .socket = getenv("CAPORTAL_TEST_MYSQL_SOCKET"), .user = "root", .password = "",
                              .database = getenv("CAPORTAL_TEST_MYSQL_DATABASE"), .connect_ms = 2000, .io_ms = 5000 };
    app.db.database = app.db.database == NULL ? "caportal" : app.db.database;

    app.redis = (cp_redis_conf_t) { .socket = getenv("CAPORTAL_TEST_REDIS_SOCKET"), .prefix = "certificate-test:",
                                    .timeout_ms = 2000 };

    call.app = &app;
    call.arena = cp_arena_new(65536);
    if (app.keys == NULL || cp_db_library_init() != CP_OK) {
        return -1;
    }
    call.db = cp_db_use(&app.db, call.arena, &code);
    if (call.db == NULL) {
        return -1;
    }

    tag = cp_random_digits(call.arena, 9).data;
    snprintf(issuer, sizeof(issuer), "test-%s", tag);

    SQL("INSERT INTO person (id_number_index, id_number_sealed, name_sealed, mobile_sealed, created_at) "
        "VALUES (UNHEX(SHA2('p%s', 256)), 'x', 'x', 'x', 1)", tag);
    person = ONE("SELECT LAST_INSERT_ID()");
    SQL("INSERT INTO account (public_id, phone_index, phone_sealed, state, created_at, updated_at) "
        "VALUES ('a%s', UNHEX(SHA2('a%s', 256)), UNHEX('%s'), 'active', 1, 1)", tag, tag,
        seal("account.phone", "13947100208"));
    account = ONE("SELECT LAST_INSERT_ID()");
    SQL("INSERT INTO account (public_id, phone_index, phone_sealed, state, created_at, updated_at) "
        "VALUES ('b%s', NULL, NULL, 'active', 1, 1)", tag);
    stranger_account = ONE("SELECT LAST_INSERT_ID()");
    SQL("INSERT INTO unit (public_id, kind, name, uscc, legal_name_sealed, legal_id_sealed, verified, created_at, "
        "updated_at) VALUES ('u%s', 'enterprise', 'Unit %s', '91150000MA0000007P', UNHEX('%s'), UNHEX('%s'), 1, 1, 1)",
        tag, tag, seal("unit.legal_name", "x"), seal("unit.legal_id", "x"));
    unit = ONE("SELECT LAST_INSERT_ID()");
    SQL("INSERT INTO unit_member (unit_id, account_id, role, created_at) VALUES (%lld, %lld, 'agent', 1)",
        (long long) unit, (long long) account);
    SQL("INSERT INTO staff (public_id, name_sealed, roles, certificate_sha256, state, created_at, updated_at) "
        "VALUES ('s%s', 'x', 4, UNHEX(SHA2('s%s', 256)), 'active', 1, 1)", tag, tag);
    producer = ONE("SELECT LAST_INSERT_ID()");

    return 0;
}


static int
finish(void **state)
{
    (void) state;

    cp_call_end(&call);
    cp_db_close_thread();
    cp_redis_close_thread();
    cp_keyring_free(app.keys);
    cp_arena_free(call.arena);

    return 0;
}


/* An order of the test's unit; its number is the call's first parameter. */
static int64_t
new_order(const char *state, const char *flow, const char *sale)
{
    cp_str_t no = cp_order_number(call.arena, test_now_ms, cp_random_digits(call.arena, CP_ORDER_NUMBER_RANDOM));

    SQL("INSERT INTO certificate_order (no, hall, project, product, service, account_id, unit_id, person_id, "
        "agent_index, state, version, flow, amount_fen, paid_fen, profile, years, sale, created_at, updated_at) "
        "VALUES ('%s', 'h', 'p', 'x', 'new', %lld, %lld, %lld, REPEAT('i', 32), '%s', 1, '%s', 26000, 26000, "
        "'unit-sign', 2, '%s', 1, 1)", no.data, (long long) account, (long long) unit, (long long) person, state, flow,
        sale);
    call.params[0] = no;

    return ONE("SELECT id FROM certificate_order WHERE no = '%s'", no.data);
}


static cp_str_t
request(void)
{
    EVP_PKEY      *pkey = EVP_EC_gen("P-256");
    X509_REQ      *req = X509_REQ_new();
    unsigned char *der = NULL;
    cp_str_t       copy;
    int            n;

    X509_REQ_set_pubkey(req, pkey);
    X509_REQ_sign(req, pkey, EVP_sha256());
    n = i2d_X509_REQ(req, &der);
    copy = cp_str_dup(call.arena, cp_str_n(der, (size_t) n));
    OPENSSL_free(der);
    X509_REQ_free(req);
    EVP_PKEY_free(pkey);

    return copy;
}


static void
holders_request(void **state)
{
    int64_t order;

    (void) state;

    as_holder();
    order = new_order("draft", "review_first", HOLDER);

    call.body = request();
    call.content_type = CP_STR("application/json");
    assert_int_equal(run(cp_op_order_csr), CP_E_MEDIA_TYPE);

    call.content_type = CP_STR("application/pkcs10");
    assert_int_equal(run(cp_op_order_csr), CP_OK);
    assert_int_equal(call.status, 200);
    assert_string_equal(json_string_value(json_object_get(json_object_get(call.answer, "csr"), "key")), "P-256");
    assert_int_equal(ONE("SELECT COUNT(*) FROM certificate_order WHERE id = %lld AND csr_by = 'holder' "
                         "AND spki_sha256 IS NOT NULL", (long long) order), 1);
    assert_int_equal(ONE("SELECT COUNT(*) FROM order_event WHERE order_id = %lld AND event = 'edit'",
                         (long long) order), 1);

    call.content_type = CP_STR("Application/X-PEM-File; charset=us-ascii");
    call.body = cp_pem_write(call.arena, "CERTIFICATE REQUEST", call.body);
    assert_int_equal(run(cp_op_order_csr), CP_OK);

    call.body = CP_STR("nonsense");
    assert_int_equal(run(cp_op_order_csr), CP_E_BAD_CSR);
    assert_int_equal(call.bad_count, 1);

    call.who.account = stranger_account;
    assert_int_equal(run(cp_op_order_csr), CP_E_NOT_FOUND);

    as_holder();
    SQL("UPDATE certificate_order SET state = 'submitted' WHERE id = %lld", (long long) order);
    assert_int_equal(run(cp_op_order_csr), CP_E_WRONG_STATE);
}


static void
key_used_twice(void **state)
{
    int64_t first;

    (void) state;

    as_holder();
    call.content_type = CP_STR("application/pkcs10");
    call.body = request();
    first = new_order("draft", "review_first", HOLDER);
    assert_int_equal(run(cp_op_order_csr), CP_OK);

    new_order("draft", "review_first", HOLDER);
    assert_int_equal(run(cp_op_order_csr), CP_E_BAD_CSR);
    assert_non_null(call.bad[0].text.data);

    SQL("UPDATE certificate_order SET state = 'cancelled' WHERE id = %lld", (long long) first);
    assert_int_equal(run(cp_op_order_csr), CP_OK);

    new_order("draft", "review_first", STATION);
    call.body = request();
    assert_int_equal(run(cp_op_order_csr), CP_E_CONFLICT);
}


static void
stations_request(void **state)
{
    int64_t order;

    (void) state;

    call.content_type = CP_STR("application/pkcs10");
    call.body = request();
    as_producer();

    new_order("approved", "review_first", STATION);
    assert_int_equal(run(cp_op_desk_csr), CP_E_WRONG_STATE);

    new_order("paid", "review_first", HOLDER);
    assert_int_equal(run(cp_op_desk_csr), CP_E_CONFLICT);

    order = new_order("paid", "review_first", STATION);
    assert_int_equal(run(cp_op_desk_csr), CP_OK);
    assert_non_null(call.push.data);
    assert_int_equal(ONE("SELECT COUNT(*) FROM issuance WHERE id = %s AND order_id = %lld AND state = 'queued' "
                         "AND subject LIKE '%%91150000MA0000007P%%'", call.push.data, (long long) order), 1);
    assert_int_equal(ONE("SELECT COUNT(*) FROM order_duty WHERE order_id = %lld AND duty = 'production'",
                         (long long) order), 1);

    /* The row is alive: neither another request nor another row. */
    call.body = request();
    assert_int_equal(run(cp_op_desk_csr), CP_E_CONFLICT);
    assert_int_equal(ONE("SELECT COUNT(*) FROM issuance WHERE order_id = %lld", (long long) order), 1);

    SQL("UPDATE issuance SET state = 'failed', item = NULL WHERE order_id = %lld", (long long) order);
    assert_int_equal(run(cp_op_desk_csr), CP_OK);
    assert_int_equal(ONE("SELECT COUNT(item) FROM issuance WHERE order_id = %lld", (long long) order), 1);
    assert_int_equal(ONE("SELECT COUNT(*) FROM issuance WHERE order_id = %lld", (long long) order), 2);
}


/* A certificate of the account as the signer would store it; with or without clientAuth. */
static cp_str_t
store_certificate(const char *serial, const char *purposes)
{
    int64_t  order = new_order("issued", "review_first", HOLDER);
    cp_str_t copy = certificate_of(call.arena, (certificate_t) { .serial = serial, .purposes = purposes });

    SQL("INSERT INTO issuance (order_id, state, profile, years, subject, csr, next_try_at, created_at, updated_at) "
        "VALUES (%lld, 'issued', 'unit-sign', 2, '{}', 'x', 1, 1, 1)", (long long) order);
    SQL("INSERT INTO certificate (issuance_id, order_id, account_id, unit_id, issuer, serial, sha256, spki_sha256, der, "
        "not_before, not_after, state, created_at) VALUES (LAST_INSERT_ID(), %lld, %lld, %lld, '%s', '%s', "
        "UNHEX(SHA2(UNHEX('%s'), 256)), UNHEX(SHA2('%s', 256)), UNHEX('%s'), %lld, %lld, 'valid', 1)",
        (long long) order, (long long) account, (long long) unit, issuer, serial, cp_str_hex(call.arena, copy).data,
        serial, cp_str_hex(call.arena, copy).data, (long long) (test_now_ms - DAY_MS),
        (long long) (test_now_ms + DAY_MS));

    issuer_der = issuer_der.data == NULL ? copy : issuer_der;
    SQL("INSERT IGNORE INTO issuer VALUES ('%s', UNHEX('%s'), 1)", issuer, cp_str_hex(call.arena, issuer_der).data);

    return copy;
}


static cp_str_t
new_serial(void)
{
    return cp_str_printf(call.arena, "1%s%s", cp_random_digits(call.arena, 9).data,
                         cp_random_digits(call.arena, 9).data);
}


static void
lists_and_downloads(void **state)
{
    const unsigned char *p;
    cp_str_t             serial = new_serial(), der, next;
    PKCS7               *p7;

    (void) state;

    as_holder();
    store_certificate(new_serial().data, "clientAuth");
    der = store_certificate(serial.data, "clientAuth");

    call.query = CP_STR("limit=1");
    assert_int_equal(run(cp_op_certificate_list), CP_OK);
    assert_int_equal(json_array_size(json_object_get(call.answer, "items")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(call.answer, "items"), 0),
                                                          "serial")), serial.data);
    next = cp_str_dup(call.arena, cp_str(json_string_value(json_object_get(call.answer, "next"))));
    call.query = cp_str_printf(call.arena, "limit=1&after=%s", next.data);
    assert_int_equal(run(cp_op_certificate_list), CP_OK);
    assert_string_not_equal(json_string_value(json_object_get(json_array_get(json_object_get(call.answer, "items"), 0),
                                                              "serial")), serial.data);
    call.query = CP_STR("limit=0&colour=red");
    assert_int_equal(run(cp_op_certificate_list), CP_E_BAD_QUERY);

    call.params[0] = serial;
    call.query = CP_STR_NULL;
    assert_int_equal(run(cp_op_certificate_read), CP_OK);
    assert_true(cp_str_starts(call.raw, "-----BEGIN CERTIFICATE-----\n"));

    call.query = CP_STR("format=der");
    assert_int_equal(run(cp_op_certificate_read), CP_OK);
    assert_true(cp_str_eq(call.raw, der));

    call.query = CP_STR("format=p7b");
    assert_int_equal(run(cp_op_certificate_read), CP_OK);
    p = (const unsigned char *) call.raw.data;
    p7 = d2i_PKCS7(NULL, &p, (long) call.raw.len);
    assert_non_null(p7);
    assert_int_equal(sk_X509_num(p7->d.sign->cert), 2);
    PKCS7_free(p7);

    call.query = CP_STR("format=pfx");
    assert_int_equal(run(cp_op_certificate_read), CP_E_BAD_QUERY);
    assert_int_equal(call.bad_count, 1);

    call.query = CP_STR_NULL;
    call.who.account = stranger_account;
    assert_int_equal(run(cp_op_certificate_read), CP_E_NOT_FOUND);

    call.params[0] = cp_str(issuer);
    assert_int_equal(run(cp_op_issuer), CP_OK);
    assert_int_equal(run(cp_op_crl), CP_E_NOT_FOUND);
    SQL("INSERT INTO crl VALUES ('%s', 1, 1, 2, 0, 'old'), ('%s', 2, 1, 2, 0, 'new')", issuer, issuer);
    call.params[0] = cp_str_printf(call.arena, "%s.crl", issuer);
    assert_int_equal(run(cp_op_crl), CP_OK);
    assert_true(cp_str_is(call.raw, "new"));
}


static void
revocation(void **state)
{
    cp_str_t serial = new_serial();

    (void) state;

    store_certificate(serial.data, "clientAuth");
    SQL("UPDATE certificate_order SET hold_key = '%s' WHERE id = (SELECT order_id FROM certificate WHERE serial = '%s')",
        serial.data, serial.data);

    as_producer();
    call.who.roles = CP_ROLE_ADMINISTRATOR;
    call.params[0] = serial;
    call.content_type = CP_STR("application/json");

    call.body = CP_STR("{\"reason\":\"boredom\"}");
    assert_int_equal(run(cp_op_desk_certificate_revoke), CP_E_INVALID);
    call.body = CP_STR("{\"reason\":\"cessation\"}");
    assert_int_equal(run(cp_op_desk_certificate_revoke), CP_OK);
    assert_true(cp_str_is(call.push, "crl"));
    assert_int_equal(ONE("SELECT COUNT(*) FROM certificate c JOIN certificate_order o ON o.id = c.order_id "
                         "WHERE c.serial = '%s' AND c.state = 'revoked' AND c.reason = 5 AND c.revoked_at = %lld "
                         "AND o.hold_key IS NULL", serial.data, (long long) test_now_ms), 1);
    assert_int_equal(ONE("SELECT COUNT(*) FROM audit WHERE action = 'certificate.revoke' AND object_id = '%s'",
                         serial.data), 1);

    assert_int_equal(run(cp_op_desk_certificate_revoke), CP_E_CONFLICT);
    call.params[0] = CP_STR("00");
    assert_int_equal(run(cp_op_desk_certificate_revoke), CP_E_NOT_FOUND);
}


/* Each way in which a certificate does not sign in has a code of its own. */
static void
sign_in(void **state)
{
    static const struct { cp_tls_verdict_t tls; cp_code_t code; } verdicts[] = {
        { CP_TLS_NO_CERTIFICATE, CP_E_CERT_MISSING }, { CP_TLS_EXPIRED, CP_E_CERT_EXPIRED },
        { CP_TLS_NOT_YET_VALID, CP_E_CERT_NOT_YET }, { CP_TLS_UNTRUSTED, CP_E_CERT_UNTRUSTED },
        { CP_TLS_PURPOSE, CP_E_CERT_PURPOSE }, { CP_TLS_FORGED, CP_E_CERT_FORGED },
        { CP_TLS_SELF_SIGNED, CP_E_CERT_SELF_SIGNED }, { CP_TLS_REVOKED, CP_E_CERT_REVOKED },
        { CP_TLS_WEAK, CP_E_CERT_WEAK }, { CP_TLS_UNSUPPORTED, CP_E_CERT_UNSUPPORTED },
        { CP_TLS_STATUS_UNKNOWN, CP_E_CERT_STATUS }, { CP_TLS_VERIFIED, CP_OK },
    };
    cp_certificate_t certificate;
    cp_str_t         serial = new_serial(), other = new_serial();
    size_t           i;

    (void) state;

    call.client_tls = true;
    call.certificate = store_certificate(serial.data, "clientAuth,emailProtection");

    for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        call.tls = verdicts[i].tls;
        assert_int_equal(cp_certificate_of_tls(&call, &certificate), verdicts[i].code);
    }
    assert_int_equal(certificate.account, account);
    assert_true(cp_str_eq(certificate.serial, serial));

    test_now_ms += 2 * DAY_MS;
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_EXPIRED);
    test_now_ms -= 4 * DAY_MS;
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_NOT_YET);
    test_now_ms += 2 * DAY_MS;

    SQL("UPDATE account SET state = 'disabled' WHERE id = %lld", (long long) account);
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_DISABLED);
    SQL("UPDATE account SET state = 'active' WHERE id = %lld", (long long) account);
    SQL("UPDATE unit_member SET account_id = %lld WHERE unit_id = %lld", (long long) stranger_account,
        (long long) unit);
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_NOT_MEMBER);
    SQL("UPDATE unit_member SET account_id = %lld WHERE unit_id = %lld", (long long) account, (long long) unit);
    assert_int_equal(cp_certificate_still_good(&call, certificate.id, &certificate), CP_OK);
    assert_int_equal(cp_certificate_still_good(&call, INT64_MAX, &certificate), CP_E_CERT_UNBOUND);

    /* What a renewal does not mend is told before the dates. */
    SQL("UPDATE certificate SET state = 'superseded', not_after = 1 WHERE serial = '%s'", serial.data);
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_SUPERSEDED);
    SQL("UPDATE certificate SET state = 'revoked' WHERE serial = '%s'", serial.data);
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_REVOKED);
    SQL("UPDATE certificate SET state = 'valid', sha256 = REPEAT('x', 32) WHERE serial = '%s'", serial.data);
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_UNBOUND);
    SQL("UPDATE certificate SET sha256 = UNHEX(SHA2('%s', 256)) WHERE serial = '%s'", serial.data, serial.data);

    call.certificate = store_certificate(other.data, "emailProtection");
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_PURPOSE);
    call.certificate = CP_STR("nonsense");
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_UNSUPPORTED);
    call.client_tls = false;
    assert_int_equal(cp_certificate_of_tls(&call, &certificate), CP_E_CERT_MISSING);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holders_request),
        cmocka_unit_test(key_used_twice),
        cmocka_unit_test(stations_request),
        cmocka_unit_test(lists_and_downloads),
        cmocka_unit_test(revocation),
        cmocka_unit_test(sign_in),
    };

    if (getenv("CAPORTAL_TEST_MYSQL_SOCKET") == NULL || getenv("CAPORTAL_TEST_REDIS_SOCKET") == NULL) {
        puts("1..0 # SKIP needs CAPORTAL_TEST_MYSQL_SOCKET and CAPORTAL_TEST_REDIS_SOCKET");
        return 0;
    }

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, start, finish);
}
