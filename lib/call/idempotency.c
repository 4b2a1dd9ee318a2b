/*
 * The operation's transaction and the idempotency key that it may carry.
 *
 * The key's row is the first statement of the transaction: a second request with the same key waits on it until the
 * first has committed and then finds its answer, or goes ahead when the first was rolled back.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "call/operation.h"

#define KEY_MIN  8
#define KEY_MAX  64

static const char sql_claim[] =
    "INSERT INTO idempotency (scope, idem_key, operation, request_sha256, status, answer, created_at) "
    "VALUES (?, ?, ?, ?, 0, NULL, ?)";

static const char sql_find[] =
    "SELECT operation, request_sha256, status, answer FROM idempotency WHERE scope = ? AND idem_key = ?";

static const char sql_store[] =
    "UPDATE idempotency SET status = ?, answer = ? WHERE scope = ? AND idem_key = ?";


static bool
has_key(const cp_call_t *call)
{
    return (call->operation->flags & CP_IDEMPOTENT) != 0 && call->idempotency_key.data != NULL;
}


static bool
key_is_valid(cp_str_t key)
{
    size_t i;

    if (key.len < KEY_MIN || key.len > KEY_MAX) {
        return false;
    }

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            return false;
        }
    }

    return true;
}


/* Keys belong to whoever sends them: two accounts may use the same one. */
static cp_str_t
scope_of(cp_call_t *call)
{
    return call->who.staff != 0 ? cp_str_printf(call->arena, "staff:%lld", (long long) call->who.staff)
                                : cp_str_printf(call->arena, "account:%lld", (long long) call->who.account);
}


/* The path's parameters are part of the request: the same body for another order is another request. */
static cp_code_t
request_digest(cp_call_t *call, unsigned char digest[CP_SHA256_SIZE])
{
    cp_str_t text;
    size_t   i;

    text = cp_str_printf(call->arena, "%.*s", (int) call->body.len, call->body.data == NULL ? "" : call->body.data);
    for (i = 0; i < CP_PARAMS_MAX && text.data != NULL; i++) {
        text = cp_str_printf(call->arena, "%.*s\n%.*s", (int) text.len, text.data, (int) call->params[i].len,
                             call->params[i].data == NULL ? "" : call->params[i].data);
    }

    return text.data == NULL ? CP_E_NO_MEMORY : cp_sha256(text, digest);
}


static cp_code_t
replay(cp_call_t *call, cp_str_t scope, cp_str_t digest)
{
    cp_str_t  operation, seen, answer;
    int64_t   status;
    cp_code_t code;

    code = cp_db_row(call->db, sql_find, "ss>ssis", scope, call->idempotency_key, &operation, &seen, &status, &answer);
    if (code == CP_E_NOT_FOUND) {
        return CP_E_RETRY;
    }
    CP_TRY(code);

    if (!cp_str_is(operation, call->operation->id) || !cp_str_eq(seen, digest)) {
        return CP_E_KEY_REUSED;
    }

    call->status = (int) status;
    if (answer.data != NULL) {
        CP_TRY(cp_answer_raw(call, (int) status, "application/json; charset=utf-8", answer));
    }

    return CP_E_REPLAY;
}


cp_code_t
cp_call_replay(cp_call_t *call)
{
    unsigned char digest[CP_SHA256_SIZE];
    cp_code_t     code;

    if (!has_key(call)) {
        return CP_OK;
    }
    if (!key_is_valid(call->idempotency_key)) {
        return CP_E_BAD_KEY;
    }

    CP_TRY(cp_call_db(call));
    CP_TRY(request_digest(call, digest));

    code = replay(call, scope_of(call), cp_str_n(digest, sizeof(digest)));

    return code == CP_E_RETRY ? CP_OK : code;
}


cp_code_t
cp_call_begin(cp_call_t *call)
{
    unsigned char digest[CP_SHA256_SIZE];
    cp_str_t      scope;
    cp_code_t     code;

    CP_TRY(cp_call_db(call));

    if (has_key(call) && !key_is_valid(call->idempotency_key)) {
        return CP_E_BAD_KEY;
    }

    CP_TRY(cp_db_begin(call->db));

    if (!has_key(call)) {
        return CP_OK;
    }

    scope = scope_of(call);
    CP_TRY(request_digest(call, digest));

    code = cp_db_exec(call->db, sql_claim, "ssssi", scope, call->idempotency_key, cp_str(call->operation->id),
                      cp_str_n(digest, sizeof(digest)), cp_now_ms());
    if (code == CP_E_DUPLICATE) {
        return replay(call, scope, cp_str_n(digest, sizeof(digest)));
    }

    call->ran = code == CP_OK;
    return code;
}


cp_code_t
cp_call_commit(cp_call_t *call)
{
    if (call->ran) {
        char     *text = call->answer == NULL ? NULL : json_dumps(call->answer, JSON_COMPACT);
        cp_code_t code;

        if (text == NULL && call->answer != NULL) {
            return CP_E_NO_MEMORY;
        }

        code = cp_db_exec(call->db, sql_store, "isss", (int64_t) call->status, cp_str(text), scope_of(call),
                          call->idempotency_key);
        free(text);
        CP_TRY(code);
    }

    return cp_db_commit(call->db);
}
