/*
 * Signing in and real-name checks against a MariaDB with the schema loaded and a Redis, both given by
 * CAPORTAL_TEST_MYSQL_SOCKET (user root, database CAPORTAL_TEST_MYSQL_DATABASE or "caportal") and
 * CAPORTAL_TEST_REDIS_SOCKET; skipped without them. The outside parties are a thread of this program.
 */
#include "seams.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "account/account_ops.h"
#include "account/sms_code.h"
#include "base/random.h"
#include "call/operation.h"
#include "identity/identity.h"
#include "identity/identity_ops.h"
#include "keyring.h"
#include "keys.h"
#include "session/session.h"
#include "session/session_ops.h"

#define PASSWORD  "a long enough secret"

static char       folder[] = "/tmp/caportal-account-XXXXXX";
static cp_app_t   app;
static cp_call_t  call;
static char       egress_path[64];
static int        listener = -1;
static char       asked[8192];          /* what the outside party was asked last */
static int        reply_status = 200;
static char       reply_body[1024];
static char       last_code[8];
static char       phone[12];


/* Answers one request after the other: SMS with OK (its code is kept), identity with `reply_body`, in which @ stands
 * for the request's id. */
static void
answer_one(int fd)
{
    char        body[2048], text[4096], id[64] = "";
    const char *p;
    size_t      have = 0;
    ssize_t     n;

    memset(asked, 0, sizeof(asked));
    while ((n = read(fd, asked + have, sizeof(asked) - have - 1)) > 0) {
        have += (size_t) n;
        p = strstr(asked, "\r\n\r\n");
        if (p != NULL) {
            const char *length = strstr(asked, "Content-Length: ");

            if (length == NULL || have >= (size_t) (p + 4 - asked) + strtoul(length + 16, NULL, 10)) {
                break;
            }
        }
    }

    p = strstr(asked, "%22code%22%3A%22");
    if (p != NULL) {
        snprintf(last_code, sizeof(last_code), "%.6s", p + 16);
    }
    p = strstr(asked, "\"requestId\":\"");
    if (p != NULL) {
        sscanf(p + 13, "%63[^\"]", id);
    }

    p = strchr(reply_body, '@');
    snprintf(body, sizeof(body), "%.*s%s%s", p == NULL ? (int) strlen(reply_body) : (int) (p - reply_body), reply_body,
             p == NULL ? "" : id, p == NULL ? "" : p + 1);
    snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", reply_status,
             strlen(body), body);
    if (write(fd, text, strlen(text)) < 0) {
        perror("write");
    }
}


static void *
outside(void *data)
{
    int fd;

    (void) data;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        answer_one(fd);
        close(fd);
    }

    return NULL;
}


static int
start_outside(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    pthread_t          thread;

    snprintf(egress_path, sizeof(egress_path), "%s/egress", folder);
    strcpy(address.sun_path, egress_path);

    listener = socket(AF_UNIX, SOCK_STREAM, 0);

    return bind(listener, (struct sockaddr *) &address, sizeof(address)) == 0 && listen(listener, 8) == 0
           && pthread_create(&thread, NULL, outside, NULL) == 0 ? 0 : -1;
}


static int
start(void **state)
{
    (void) state;

    if (mkdtemp(folder) == NULL) {
        return -1;
    }

    app.keys = keyring_start();
    app.db = (cp_db_conf_t) { .socket = getenv("CAPORTAL_TEST_MYSQL_SOCKET"), .user = "root", .password = "",
                              .database = getenv("CAPORTAL_TEST_MYSQL_DATABASE"), .connect_ms = 2000, .io_ms = 5000 };
    app.db.database = app.db.database == NULL ? "caportal" : app.db.database;
    app.redis = (cp_redis_conf_t) { .socket = getenv("CAPORTAL_TEST_REDIS_SOCKET"), .prefix = "account-test:",
                                    .timeout_ms = 2000 };
    app.egress = (cp_egress_conf_t) { egress_path, 2000 };
    app.sms = (cp_sms_conf_t) { CP_STR("/sms/"), CP_STR("dysmsapi.aliyuncs.com"), CP_STR("id"), CP_STR("secret"),
                                CP_STR("内蒙古CA"), CP_STR("SMS_1"), CP_STR_NULL };
    app.identity = (cp_identity_conf_t) { CP_STR("/identity/verify"), CP_STR("id"), CP_STR("secret") };
    app.sms_limits = (cp_sms_limits_t) { .number_minute = 1, .number_hour = 5, .number_day = 10 };
    app.session = (cp_session_conf_t) { 1800, 43200 };

    return app.keys != NULL && cp_db_library_init() == CP_OK && cp_egress_library_init() == CP_OK ? start_outside()
                                                                                                  : -1;
}


static int
finish(void **state)
{
    (void) state;

    cp_call_end(&call);
    cp_arena_free(call.arena);
    cp_db_close_thread();
    cp_redis_close_thread();
    cp_keyring_free(app.keys);
    unlink(egress_path);
    rmdir(folder);

    return 0;
}


/* Runs an operation as the call's present principal; the body is text with ' for ". */
static cp_code_t
run(cp_operation_fn operation, const char *format, ...) __attribute__((format(printf, 2, 3)));

static cp_code_t
run(cp_operation_fn operation, const char *format, ...)
{
    static const cp_operation_t row = { .id = "test" };

    char      body[2048], *p;
    va_list   args;
    cp_code_t code;

    va_start(args, format);
    vsnprintf(body, sizeof(body), format, args);
    va_end(args);
    for (p = body; (p = strchr(p, '\'')) != NULL; p++) {
        *p = '"';
    }

    call.app = &app;
    call.operation = &row;
    call.body = cp_str_dup(call.arena, cp_str(body));
    call.content_type = CP_STR("application/json");
    call.client_ip = CP_STR("192.0.2.7");
    call.request_id = CP_STR("test");

    call.came_as = call.who;
    cp_call_reset(&call);
    code = operation(&call);
    if (call.db != NULL) {
        cp_db_rollback(call.db);
    }

    return code;
}


/* A call of a stranger with a new number in a new arena. */
static int
stranger(void **state)
{
    (void) state;

    cp_call_end(&call);
    cp_arena_free(call.arena);
    call = (cp_call_t) { .arena = cp_arena_new(0) };
    reply_status = 200;
    strcpy(reply_body, "{\"Code\":\"OK\"}");
    snprintf(phone, sizeof(phone), "138%s", cp_random_digits(call.arena, 8).data);

    return 0;
}


#define SEND()           run(cp_op_sms_code_create, "{'phone':'%s','purpose':'login'}", phone)
#define SIGN_IN(code)    run(cp_op_session_create, "{'method':'sms','phone':'%s','code':'%s'}", phone, code)
#define BY_PASSWORD(pw)  run(cp_op_session_create, "{'method':'password','login':'%s','password':'%s'}", phone, pw)


static void
expire(const char *kind)
{
    redisReply *keys, *reply;
    size_t      i;
    char        pattern[80];

    snprintf(pattern, sizeof(pattern), "account-test:%s:*", kind);
    assert_int_equal(cp_redis(&app.redis, &keys, CP_STR("KEYS"), cp_str(pattern)), CP_OK);
    for (i = 0; i < keys->elements; i++) {
        assert_int_equal(cp_redis(&app.redis, &reply, CP_STR("DEL"), cp_str(keys->element[i]->str)), CP_OK);
        freeReplyObject(reply);
    }
    freeReplyObject(keys);
}


/* How many codes the number of the test was sent, as rows have it. */
static int64_t
rows_of_number(void)
{
    cp_str_t index;
    int64_t  count;

    assert_int_equal(cp_call_db(&call), CP_OK);
    assert_int_equal(cp_blind_index(app.keys, call.arena, "account.phone", cp_str(phone), &index), CP_OK);
    assert_int_equal(cp_db_row(call.db, "SELECT COUNT(*) FROM sms_code WHERE phone_index = ?", "s>i", index, &count),
                     CP_OK);

    return count;
}


static bool
session_exists(cp_str_t key)
{
    redisReply *reply;
    bool        found;

    assert_int_equal(cp_redis(&app.redis, &reply, CP_STR("HEXISTS"),
                              cp_redis_key(&app.redis, call.arena, CP_SESSION_KIND, call.who.account_id), key), CP_OK);
    found = reply->integer == 1;
    freeReplyObject(reply);

    return found;
}


static void
register_now(void)
{
    expire("sms-minute");
    assert_int_equal(SEND(), CP_OK);
    assert_int_equal(SIGN_IN(last_code), CP_OK);
}


static void
sms_sign_in(void **state)
{
    cp_str_t first;
    int64_t  account;

    (void) state;

    assert_int_equal(SEND(), CP_OK);
    assert_int_equal(call.status, 202);
    assert_int_equal(json_integer_value(json_object_get(call.answer, "resend_after")), 60);
    assert_int_equal(json_integer_value(json_object_get(call.answer, "expires_in")), 300);
    assert_non_null(strstr(asked, "POST /sms/?PhoneNumbers=138"));

    assert_int_equal(SEND(), CP_E_RATE_LIMITED);
    assert_in_range(call.retry_after_s, 58, 60);

    assert_int_equal(SIGN_IN("000000x"), CP_E_BAD_CODE);
    assert_int_equal(SIGN_IN(last_code), CP_OK);
    assert_int_equal(call.status, 201);
    assert_string_equal(call.headers[0].name, "Set-Cookie");
    assert_true(cp_str_starts(call.headers[0].value, "__Host-caportal="));
    assert_non_null(strstr(call.headers[0].value.data, "; Path=/; Secure; HttpOnly; SameSite=Lax"));
    first = call.who.session_key;
    account = call.who.account;
    assert_true(session_exists(first));

    assert_int_equal(SIGN_IN(last_code), CP_E_BAD_CODE);        /* once */

    register_now();                                             /* again: the same account, the old session ended */
    assert_int_equal(call.who.account, account);
    assert_false(session_exists(first));
    assert_true(session_exists(call.who.session_key));

    assert_int_equal(run(cp_op_session_show, "%s", ""), CP_OK);
    assert_int_equal(json_array_size(json_object_get(json_object_get(call.answer, "account"), "units")), 0);

    assert_int_equal(run(cp_op_session_end, "%s", ""), CP_OK);
    assert_int_equal(call.status, 204);
    assert_false(session_exists(call.who.session_key));
}


static void
five_tries(void **state)
{
    char code[8];
    int  i;

    (void) state;

    assert_int_equal(SEND(), CP_OK);
    strcpy(code, last_code);
    code[5] = (char) (code[5] == '9' ? '0' : code[5] + 1);

    for (i = 0; i < 5; i++) {
        assert_int_equal(SIGN_IN(code), CP_E_BAD_CODE);
    }
    assert_int_equal(SIGN_IN(last_code), CP_E_BAD_CODE);
}


static void
bound_to_number_and_purpose(void **state)
{
    char own[12];

    (void) state;

    assert_int_equal(SEND(), CP_OK);
    expire("sms-minute");
    assert_int_equal(cp_sms_code_send(&call, cp_str(phone), CP_SMS_FOR_RESET_PASSWORD, CP_STR("")), CP_OK);
    assert_int_equal(SIGN_IN(last_code), CP_E_BAD_CODE);

    expire("sms-minute");
    assert_int_equal(SEND(), CP_OK);
    strcpy(own, phone);
    phone[10] = (char) (phone[10] == '9' ? '0' : phone[10] + 1);
    assert_int_equal(SIGN_IN(last_code), CP_E_BAD_CODE);
    strcpy(phone, own);
    assert_int_equal(SIGN_IN(last_code), CP_OK);
}


static void
provider_fails(void **state)
{
    static const struct { int status; const char *body; cp_code_t code; } rows[] = {
        { 503, "{\"Code\":\"ServiceUnavailable\"}", CP_E_EGRESS },
        { 502, "<html>bad gateway</html>", CP_E_EGRESS },
        { 200, "{\"Code\":\"isv.AMOUNT_NOT_ENOUGH\"}", CP_E_EGRESS },
        { 200, "{\"Code\":\"isv.BUSINESS_LIMIT_CONTROL\"}", CP_E_RATE_LIMITED },
        { 200, "[]", CP_E_EGRESS },
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reply_status = rows[i].status;
        strcpy(reply_body, rows[i].body);
        assert_int_equal(SEND(), rows[i].code);
        assert_int_equal(SIGN_IN(last_code), CP_E_BAD_CODE);    /* what was not sent must not work */
    }
    assert_int_equal(rows_of_number(), 2);                      /* the gateway's may have been */

    reply_status = 200;
    strcpy(reply_body, "{\"Code\":\"OK\"}");
    assert_int_equal(SEND(), CP_OK);                            /* at once */
}


static void
redis_away(void **state)
{
    const char *socket_path = app.redis.socket;

    (void) state;

    register_now();
    memset(asked, 0, sizeof(asked));

    cp_redis_close_thread();
    app.redis.socket = "/nonexistent/redis.sock";
    assert_int_equal(SEND(), CP_E_REDIS);
    assert_int_equal(asked[0], '\0');                           /* none was sent */
    assert_int_equal(SIGN_IN("123456"), CP_E_REDIS);
    app.redis.socket = socket_path;
}


static void
per_address_limits(void **state)
{
    (void) state;

    expire("sms-address-hour");
    call.app = &app;
    assert_int_equal(cp_call_db(&call), CP_OK);
    assert_int_equal(cp_db_exec(call.db, "DELETE FROM sms_code", ""), CP_OK);
    app.sms_limits.address_hour = 2;
    assert_int_equal(SEND(), CP_OK);
    stranger(NULL);
    assert_int_equal(SEND(), CP_OK);
    stranger(NULL);
    assert_int_equal(SEND(), CP_E_RATE_LIMITED);
    assert_in_range(call.retry_after_s, 3500, 3601);
    expire("sms-address-hour");                                 /* what Redis forgets stands in rows */
    assert_int_equal(SEND(), CP_E_RATE_LIMITED);
    assert_int_equal(rows_of_number(), 0);
    app.sms_limits.address_hour = 0;
    assert_int_equal(SEND(), CP_OK);                            /* the refused one was not counted for the number */
}


static void
passwords(void **state)
{
    cp_str_t other, own;
    int      i;

    (void) state;

    register_now();
    other = call.who.session_key;
    call.who.session_key = CP_STR_NULL;                         /* another browser */
    register_now();
    own = call.who.session_key;

    assert_int_equal(run(cp_op_account_password, "{'password':'password123'}"), CP_E_INVALID);
    assert_int_equal(call.bad[0].why, CP_F_COMMON);
    assert_int_equal(run(cp_op_account_password, "{'password':'%s'}", phone), CP_E_INVALID);
    assert_int_equal(call.bad[0].why, CP_F_COMMON);
    assert_int_equal(run(cp_op_account_password, "{'password':'short'}"), CP_E_INVALID);

    assert_int_equal(run(cp_op_account_password, "{'password':'%s'}", PASSWORD), CP_OK);
    assert_int_equal(call.status, 200);
    assert_string_equal(json_string_value(json_object_get(call.answer, "strength")), "strong");
    assert_false(session_exists(other));
    assert_true(session_exists(own));

    assert_int_equal(run(cp_op_account_password, "{'password':'another-secret-7'}"), CP_E_INVALID);
    assert_int_equal(call.bad[0].why, CP_F_REQUIRED);
    assert_int_equal(run(cp_op_account_password, "{'password':'another-secret-7','current_password':'x'}"), CP_E_INVALID);
    assert_int_equal(call.bad[0].why, CP_F_MISMATCH);

    assert_int_equal(BY_PASSWORD(PASSWORD), CP_OK);
    assert_int_equal(run(cp_op_account_password, "{'password':'another-secret-7','current_password':'%s'}", PASSWORD),
                     CP_OK);
    assert_int_equal(BY_PASSWORD(PASSWORD), CP_E_BAD_CREDENTIALS);
    assert_int_equal(BY_PASSWORD("another-secret-7"), CP_OK);

    for (i = 0; i < 5; i++) {
        assert_int_equal(BY_PASSWORD(PASSWORD), CP_E_BAD_CREDENTIALS);
    }
    assert_int_equal(BY_PASSWORD("another-secret-7"), CP_E_RATE_LIMITED);     /* who fails again and again must wait */
    assert_int_equal(call.retry_after_s, 1);
}


static void
unknown_logins(void **state)
{
    (void) state;

    assert_int_equal(BY_PASSWORD(PASSWORD), CP_E_BAD_CREDENTIALS);
    assert_int_equal(call.bad_count, 0);
    register_now();
    assert_int_equal(BY_PASSWORD(PASSWORD), CP_E_BAD_CREDENTIALS);    /* there is one, without a password */
}


static void
bad_bodies(void **state)
{
    static const struct { const char *body; size_t bad; cp_code_t code; } rows[] = {
        { "{}", 1, CP_E_INVALID },
        { "{'method':'magic'}", 1, CP_E_INVALID },
        { "{'method':7}", 1, CP_E_INVALID },
        { "{'method':'sms'}", 2, CP_E_INVALID },
        { "{'method':'sms','phone':'12345','code':'1','password':'x'}", 2, CP_E_INVALID },
        { "{'method':'password'}", 2, CP_E_INVALID },
        { "{'method':'sms','method':'sms'}", 0, CP_E_MALFORMED },
        { "[]", 0, CP_E_MALFORMED },
    };
    size_t i;

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(run(cp_op_session_create, "%s", rows[i].body), rows[i].code);
        assert_int_equal(call.bad_count, rows[i].bad);
    }
}


static void
all_sessions(void **state)
{
    cp_str_t keys[25];
    size_t   i, alive = 0;

    (void) state;

    register_now();
    assert_int_equal(run(cp_op_account_password, "{'password':'%s'}", PASSWORD), CP_OK);
    for (i = 0; i < 25; i++) {
        call.who.session_key = CP_STR_NULL;
        test_now_ms += 10;
        assert_int_equal(BY_PASSWORD(PASSWORD), CP_OK);
        keys[i] = call.who.session_key;
    }
    for (i = 0; i < 25; i++) {
        alive += session_exists(keys[i]);
    }
    assert_int_equal(alive, 20);
    assert_false(session_exists(keys[4]));

    assert_int_equal(run(cp_op_session_end_all, "%s", ""), CP_OK);
    for (i = 0; i < 25; i++) {
        assert_false(session_exists(keys[i]));
    }
}


#define PERSON(name, id)  run(cp_op_identity_person, "{'name':'" name "','id_number':'%s','mobile':'%s'}", id, phone)

/* An ID number that no run has used before. */
static void
new_id_number(char id_number[19])
{
    static const char checks[] = "0123456789X";

    size_t i;

    snprintf(id_number, 19, "11%s19%s%02d%02d%s0", cp_random_digits(call.arena, 4).data,
             cp_random_digits(call.arena, 2).data, 1 + cp_random_digits(call.arena, 1).data[0] % 9,
             10 + cp_random_digits(call.arena, 1).data[0] % 10, cp_random_digits(call.arena, 3).data);
    for (i = 0; i < sizeof(checks) - 1; i++) {
        id_number[17] = checks[i];
        if (cp_id_number_check(cp_str(id_number), test_now_ms) == CP_F_END) {
            return;
        }
    }
}


static void
verdict(const char *text)
{
    snprintf(reply_body, sizeof(reply_body), "{\"requestId\":\"@\",\"vendorSerial\":\"V1\",\"verdict\":\"%s\","
             "\"billed\":true,\"fields\":{\"orgName\":\"MATCH\",\"legalName\":\"MISMATCH\"}}", text);
}


static const char *
answered(const char *member)
{
    const char *text = json_string_value(json_object_get(call.answer, member));

    return text == NULL ? "" : text;
}


static int64_t
count(const char *sql)
{
    int64_t n = -1;

    assert_int_equal(cp_db_row(call.db, sql, "i>i", call.who.account, &n), CP_OK);

    return n;
}


#define VERIFICATIONS  count("SELECT COUNT(*) FROM verification WHERE account_id = ?")


static void
people(void **state)
{
    char id[19], second[19];

    (void) state;

    register_now();
    new_id_number(id);
    new_id_number(second);

    assert_int_equal(run(cp_op_identity_person, "{'name':'1','id_number':'110101199003070000','mobile':'1','x':1}"),
                     CP_E_INVALID);
    assert_int_equal(call.bad_count, 4);

    verdict("MISMATCH");
    assert_int_equal(PERSON("张三", id), CP_OK);
    assert_string_equal(answered("verdict"), "mismatch");
    verdict("NO_RECORD");
    assert_int_equal(PERSON("张三", id), CP_OK);
    assert_string_equal(answered("verdict"), "no_record");
    assert_int_equal(count("SELECT COUNT(person_id) FROM account WHERE id = ?"), 0);
    assert_non_null(strstr(asked, "Authorization: HMAC-SHA256 keyId=id,timestamp="));

    verdict("PENDING");
    assert_int_equal(PERSON("张三", id), CP_E_EGRESS);
    reply_status = 500;
    assert_int_equal(PERSON("张三", id), CP_E_EGRESS);
    reply_status = 200;
    assert_int_equal(VERIFICATIONS, 4);

    verdict("MATCH");
    assert_int_equal(PERSON("张三", id), CP_OK);
    assert_string_equal(answered("verdict"), "match");
    assert_int_equal(count("SELECT COUNT(person_id) FROM account WHERE id = ?"), 1);
    assert_int_equal(PERSON("张三", id), CP_OK);                /* again */
    assert_int_equal(PERSON("张三", second), CP_E_ALREADY_EXISTS);
    assert_int_equal(VERIFICATIONS, 6);                         /* nobody was asked about the second */
    assert_int_equal(PERSON("李四", id), CP_E_CONFLICT);
    assert_int_equal(VERIFICATIONS, 7);

    assert_int_equal(run(cp_op_session_show, "%s", ""), CP_OK);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(call.answer, "account"),
                                                                          "person"), "name")), "张*");
}


#define ORGANIZATION(kind, uscc)                                                                                       \
    run(cp_op_identity_organization,                                                                                   \
        "{'kind':'" kind "','name':'单位%s','uscc':'%s','legal_name':'王五','legal_id_number':'%s'}", phone, uscc, id)


static void
organizations(void **state)
{
    char id[19], unit[40];

    (void) state;

    register_now();
    new_id_number(id);
    assert_int_equal(ORGANIZATION("enterprise", "91110000802100433B"), CP_E_NOT_VERIFIED);
    verdict("MATCH");
    assert_int_equal(PERSON("张三", id), CP_OK);

    assert_int_equal(run(cp_op_identity_organization, "{'kind':'person','uscc':'9111'}"), CP_E_INVALID);
    assert_int_equal(call.bad_count, 5);

    verdict("MISMATCH");
    assert_int_equal(ORGANIZATION("enterprise", "91110000802100433B"), CP_OK);
    assert_string_equal(answered("unit"), "");
    assert_string_equal(json_string_value(json_object_get(json_object_get(call.answer, "fields"), "legal_name")),
                        "mismatch");
    verdict("NO_RECORD");
    assert_int_equal(ORGANIZATION("enterprise", "91110000802100433B"), CP_OK);
    assert_string_equal(answered("unit"), "");

    assert_int_equal(ORGANIZATION("institution", "123502001549897397"), CP_OK);
    assert_string_equal(answered("verdict"), "no_record");
    snprintf(unit, sizeof(unit), "%s", answered("unit"));
    assert_true(unit[0] != '\0');
    assert_string_equal(call.who.unit_id.data, unit);

    verdict("MATCH");
    assert_int_equal(ORGANIZATION("institution", "123502001549897397"), CP_OK);
    assert_string_equal(answered("unit"), unit);                /* the same unit, now verified */

    assert_int_equal(ORGANIZATION("enterprise", "91110000802100433b"), CP_OK);
    assert_string_not_equal(answered("unit"), unit);

    /* Wrong check digits: only the register's word overrides them. */
    assert_int_equal(ORGANIZATION("enterprise", "91350100M0001TGQXM"), CP_OK);
    assert_string_equal(answered("verdict"), "match");
    verdict("NO_RECORD");
    assert_int_equal(ORGANIZATION("institution", "91110000802100433A"), CP_E_INVALID);
    assert_int_equal(call.bad[0].why, CP_F_CHECK_DIGIT);

    assert_int_equal(run(cp_op_units_list, "%s", ""), CP_OK);
    assert_int_equal(json_array_size(json_object_get(call.answer, "units")), 3);
    assert_int_equal(count("SELECT SUM(u.check_digit_overridden) FROM unit u JOIN unit_member m ON m.unit_id = u.id "
                           "WHERE m.account_id = ?"), 1);
    assert_int_equal(count("SELECT SUM(u.verified) FROM unit u JOIN unit_member m ON m.unit_id = u.id "
                           "WHERE m.account_id = ?"), 3);
}


static void
staff_by_certificate(void **state)
{
    static const char insert[] =
        "INSERT INTO staff (public_id, name_sealed, roles, certificate_sha256, state, created_at, updated_at) "
        "VALUES (?, 'x', 5, ?, 'active', 0, 0)";

    unsigned char digest[CP_SHA256_SIZE];
    cp_str_t      id;

    (void) state;

    assert_int_equal(run(cp_op_session_create, "{'method':'certificate'}"), CP_E_CERT_MISSING);

    call.client_tls = true;
    call.tls = CP_TLS_VERIFIED;
    call.certificate = CP_STR("nonsense");
    assert_int_equal(run(cp_op_session_create, "{'method':'certificate'}"), CP_E_CERT_UNSUPPORTED);
    call.certificate = certificate_of(call.arena, (certificate_t) { 0 });
    assert_int_equal(run(cp_op_session_create, "{'method':'certificate'}"), CP_E_CERT_UNBOUND);

    id = cp_random_id(call.arena, 9);
    assert_int_equal(cp_sha256(call.certificate, digest), CP_OK);
    assert_int_equal(cp_db_exec(call.db, insert, "ss", id, cp_str_n(digest, sizeof(digest))), CP_OK);

    assert_int_equal(run(cp_op_session_create, "{'method':'certificate'}"), CP_OK);
    assert_int_equal(call.status, 201);
    assert_int_equal(call.header_count, 0);                     /* no cookie: no session */
    assert_null(json_object_get(call.answer, "account"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(call.answer, "staff"), "id")), id.data);
    assert_int_equal(json_array_size(json_object_get(json_object_get(call.answer, "staff"), "roles")), 2);
}


/* A stranger's claim without evidence must not change the legal person of somebody else's unit. */
static void
unverified_claims(void **state)
{
    char id[19], first_phone[12], own[12];

    (void) state;

    register_now();
    new_id_number(id);
    verdict("MATCH");
    assert_int_equal(PERSON("张三", id), CP_OK);
    verdict("NO_RECORD");
    assert_int_equal(ORGANIZATION("institution", "123502001549897397"), CP_OK);
    strcpy(first_phone, phone);

    stranger(NULL);
    register_now();
    new_id_number(id);
    verdict("MATCH");
    assert_int_equal(PERSON("赵六", id), CP_OK);
    verdict("NO_RECORD");
    strcpy(own, phone);
    strcpy(phone, first_phone);                                 /* names the same unit, with another legal person */
    assert_int_equal(ORGANIZATION("institution", "123502001549897397"), CP_E_ALREADY_EXISTS);
    strcpy(phone, own);
}


#define TEST(function)  cmocka_unit_test_setup(function, stranger)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sms_sign_in),    TEST(five_tries),         TEST(bound_to_number_and_purpose), TEST(provider_fails),
        TEST(redis_away),     TEST(per_address_limits), TEST(passwords),                   TEST(unknown_logins),
        TEST(bad_bodies),     TEST(all_sessions),       TEST(people),                      TEST(organizations),
        TEST(staff_by_certificate), TEST(unverified_claims),
    };

    if (getenv("CAPORTAL_TEST_MYSQL_SOCKET") == NULL || getenv("CAPORTAL_TEST_REDIS_SOCKET") == NULL) {
        puts("1..0 # SKIP CAPORTAL_TEST_MYSQL_SOCKET and CAPORTAL_TEST_REDIS_SOCKET are not set");
        return 0;
    }

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, start, finish);
}
