#include "scan/scan_ops.h"

#include <stddef.h>

#include "audit/audit.h"
#include "base/random.h"
#include "call/address.h"
#include "call/fields.h"
#include "scan/scan.h"
#include "session/session.h"
#include "session/sign_in.h"

#define SECRET_BYTES  32
#define OF_ADDRESS    60
#define OF_NETWORK    600
#define WINDOW_S      600

typedef struct {
    cp_str_t  hall;
} create_t;

static const cp_field_t create_fields[] = {
    { "hall", CP_FIELD_TEXT, false, 1, 64, offsetof(create_t, hall), NULL, NULL },
};

typedef struct {
    cp_str_t  secret;
} secret_t;

static const cp_field_t secret_fields[] = {
    { "secret", CP_FIELD_SECRET, true, 1, 64, offsetof(secret_t, secret), NULL, NULL },
};


/* The hall that is named, or any, must let people in this way. */
static cp_code_t
check_hall(cp_call_t *call, cp_str_t name)
{
    const cp_hall_t *hall;

    if (name.data == NULL) {
        return cp_sign_in_offered(call, CP_SIGN_IN_SCAN);
    }

    hall = cp_catalog_hall(&call->app->catalog, name);
    if (hall == NULL || (hall->sign_in & CP_SIGN_IN_SCAN) == 0) {
        cp_bad_field(call, CP_STR("hall"), hall == NULL ? CP_F_CHOICE : CP_F_NOT_SOLD);
    }

    return cp_fields_verdict(call);
}


static cp_code_t
count_scan(cp_call_t *call)
{
    const cp_redis_conf_t *redis = &call->app->redis;
    cp_address_t           address;
    cp_limit_t             limits[2];

    CP_TRY(cp_call_address(call, &address));

    limits[0] = (cp_limit_t) { cp_redis_key(redis, call->arena, "scan-address", address.name), OF_ADDRESS, WINDOW_S };
    limits[1] = (cp_limit_t) { cp_redis_key(redis, call->arena, "scan-network", address.network), OF_NETWORK,
                               WINDOW_S };

    return cp_limit_take(redis, call->arena, limits, 2, NULL, &call->retry_after_s);
}


cp_code_t
cp_op_scan_create(cp_call_t *call)
{
    create_t in;
    cp_str_t secret, mac, id, url, image;

    CP_TRY(cp_body_read(call, create_fields, &in));
    CP_TRY(check_hall(call, in.hall));
    CP_TRY(count_scan(call));

    secret = cp_random_id(call->arena, SECRET_BYTES);
    if (secret.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_scan_mac(call, secret, &mac));
    CP_TRY(cp_scan_create(call, in.hall, mac, &id));

    url = cp_str_printf(call->arena, "%.*s/scan/%s", (int) call->app->origin.len, call->app->origin.data, id.data);
    image = url.data == NULL ? url : cp_scan_image(call->arena, url);
    if (image.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    return cp_answer(call, 201, json_pack("{s:o, s:o, s:o, s:o, s:i}", "id", cp_json(id), "secret", cp_json(secret),
                                          "url", cp_json(url), "image", cp_json(image), "expires_in",
                                          CP_SCAN_LIVE_S));
}


cp_code_t
cp_op_scan_state(cp_call_t *call)
{
    secret_t in;
    cp_str_t mac, state;

    CP_TRY(cp_body_read(call, secret_fields, &in));
    CP_TRY(cp_scan_mac(call, in.secret, &mac));
    CP_TRY(cp_scan_state(call, call->params[0], mac, &state));

    return cp_answer(call, 200, json_pack("{s:o}", "state", cp_json(state)));
}


cp_code_t
cp_op_scan_look(cp_call_t *call)
{
    cp_scan_t scan;

    CP_TRY(cp_scan_look(call, call->params[0], &scan));

    return cp_answer(call, 200,
                     json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "id", cp_json(call->params[0]), "state",
                               cp_json(scan.state), "hall", cp_json(scan.hall), "device",
                               cp_json(cp_session_device_text(call->arena, scan.device)), "place",
                               cp_json(scan.place), "asked_at", cp_json_time(call, scan.asked_ms), "expires_in",
                               (json_int_t) (scan.left_ms + 999) / 1000));
}


/* Who let in whom: both sides as they are shown. */
static cp_code_t
record(cp_call_t *call, const char *action, const cp_scan_t *scan)
{
    const cp_principal_t *who = &call->who;

    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, action, "account", who->account_id,
                    json_pack("{s:o, s:{s:o, s:o}, s:{s:o, s:o}}", "scan", cp_json(call->params[0]), "browser",
                              "device", cp_json(scan->device), "place", cp_json(scan->place), "phone", "device",
                              cp_json(who->device), "place", cp_json(who->place))));

    return cp_call_commit(call);
}


/* What is not recorded does not count. */
static cp_code_t
decide(cp_call_t *call, bool approve)
{
    cp_scan_t scan;
    cp_code_t code;

    CP_TRY(cp_body_nothing(call));
    CP_TRY(cp_call_db(call));
    CP_TRY(cp_scan_decide(call, call->params[0], approve, &scan));

    code = record(call, approve ? "scan.approve" : "scan.refuse", &scan);
    if (code != CP_OK && cp_scan_undecide(call, call->params[0]) != CP_OK) {
        cp_log(CP_LOG_ERROR, "a scan that was decided on without a record is left until it ends by itself");
    }
    CP_TRY(code);

    return cp_answer(call, 200, json_pack("{s:o}", "state", cp_json(scan.state)));
}


/* A session that was begun so lets nobody in: otherwise one moment at a phone would make sessions without end. */
cp_code_t
cp_op_scan_approve(cp_call_t *call)
{
    cp_account_t account;

    if (cp_str_is(call->who.method, "scan")) {
        return CP_E_FORBIDDEN;
    }
    CP_TRY(cp_account_by_id(call, call->who.account, &account));

    return cp_sign_in_allowed(&account, "scan") ? decide(call, true) : CP_E_FORBIDDEN;
}


cp_code_t
cp_op_scan_refuse(cp_call_t *call)
{
    return decide(call, false);
}
