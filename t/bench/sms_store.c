/*
 * What many sign-ins by SMS need to be there, by the portal's own functions.
 *
 *   sms_store RING REDIS-SOCKET USER PASSWORD codes COUNT             stores the code 123456 for the first numbers
 *   sms_store RING REDIS-SOCKET USER PASSWORD accounts COUNT MYSQL-SOCKET DATABASE
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "account/sms_code.h"
#include "call/operation.h"

#define CODE   "123456"
#define BATCH  100

static cp_app_t             app;
static const cp_operation_t operation = { .id = "bench", .callers = CP_BY_PUBLIC };


void
cp_log(cp_log_level_t level, const char *format, ...)
{
    va_list args;

    if (level >= CP_LOG_ERROR) {
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
    }
}


static void
fail(const char *what, cp_code_t code)
{
    fprintf(stderr, "sms_store: %s: %s\n", what, cp_error(code)->code);
    exit(1);
}


static cp_str_t
phone_of(cp_arena_t *arena, long number)
{
    return cp_str_printf(arena, "139%08ld", number);
}


static void
begin(cp_call_t *call)
{
    *call = (cp_call_t) { .app = &app, .operation = &operation, .arena = cp_arena_new(0) };
    call->client_ip = CP_STR("127.0.0.1");
    call->request_id = CP_STR("bench");
    if (call->arena == NULL) {
        fail("a call", CP_E_NO_MEMORY);
    }
}


static void
end(cp_call_t *call)
{
    cp_call_end(call);
    cp_arena_free(call->arena);
}


static cp_limit_code_t
claim_of(cp_call_t *call, long number)
{
    cp_limit_code_t claim;
    cp_code_t       code;

    code = cp_sms_code_claim(call, phone_of(call->arena, number), CP_SMS_FOR_LOGIN, CP_STR(""), CP_STR(CODE), &claim);
    if (code != CP_OK) {
        fail("a code's claim", code);
    }

    return claim;
}


/* Many at once: this is no part of what is measured. */
static void
store_codes(long count)
{
    static const char script[] =
        "for i, key in ipairs(KEYS) do redis.call('HSET', key, 'mac', ARGV[i]) redis.call('EXPIRE', key, 300) end "
        "return 1";

    long i, n;

    for (i = 0; i < count; i += n) {
        cp_str_t    keys[BATCH], macs[BATCH];
        redisReply *reply;
        cp_call_t   call;
        cp_code_t   code;

        begin(&call);
        for (n = 0; n < BATCH && i + n < count; n++) {
            cp_limit_code_t claim = claim_of(&call, i + n);

            keys[n] = claim.key;
            macs[n] = claim.mac;
        }
        code = cp_redis_script(&app.redis, script, keys, (size_t) n, macs, (size_t) n, &reply);
        if (code != CP_OK) {
            fail("storing codes", code);
        }
        freeReplyObject(reply);
        end(&call);
    }
}


static void
make_accounts(long count)
{
    cp_account_t account;
    cp_call_t    call;
    cp_code_t    code;
    long         i;

    for (i = 0; i < count; i++) {
        begin(&call);
        code = cp_account_register(&call, phone_of(call.arena, i), &account);
        if (code != CP_OK) {
            fail("an account", code);
        }
        end(&call);
    }
}


int
main(int argc, char **argv)
{
    const char *why;
    unsigned    line;
    long        count = argc > 6 ? strtol(argv[6], NULL, 10) : 0;

    if (count <= 0) {
        fprintf(stderr, "Usage: sms_store RING REDIS-SOCKET USER PASSWORD codes|accounts COUNT …\n");
        return 2;
    }

    app.keys = cp_keyring_read(argv[1], &why, &line);
    if (app.keys == NULL) {
        fprintf(stderr, "sms_store: %s: %s\n", argv[1], why);
        return 1;
    }
    app.redis = (cp_redis_conf_t) { .socket = argv[2], .user = argv[3], .password = argv[4], .prefix = "caportal:",
                                    .timeout_ms = 5000 };

    if (strcmp(argv[5], "codes") == 0) {
        store_codes(count);
    } else if (strcmp(argv[5], "accounts") == 0 && argc == 9 && cp_db_library_init() == CP_OK) {
        app.db = (cp_db_conf_t) { .socket = argv[7], .user = "root", .password = "", .database = argv[8],
                                  .connect_ms = 5000, .io_ms = 30000 };
        make_accounts(count);
        cp_db_close_thread();
    }

    cp_redis_close_thread();
    cp_keyring_free(app.keys);

    return 0;
}
