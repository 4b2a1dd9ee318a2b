#include "identity/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *theirs;
    const char *ours;
} verdicts[] = {
    [CP_VERDICT_ERROR] = { "ERROR", "error" },
    [CP_VERDICT_MATCH] = { "MATCH", "match" },
    [CP_VERDICT_MISMATCH] = { "MISMATCH", "mismatch" },
    [CP_VERDICT_NO_RECORD] = { "NO_RECORD", "no_record" },
};

/* The contract's names of what is compared, and the API's. */
static const struct {
    const char *theirs;
    const char *ours;
} field_names[] = {
    { "name",      "name" },
    { "idNo",      "id_number" },
    { "mobile",    "mobile" },
    { "orgName",   "name" },
    { "uscc",      "uscc" },
    { "legalName", "legal_name" },
    { "legalIdNo", "legal_id_number" },
};


/* Anything that is not a known verdict, PENDING among them, decides nothing. */
static cp_verdict_t
verdict_of(const char *name)
{
    size_t i;

    for (i = 0; name != NULL && i < COUNT(verdicts); i++) {
        if (strcmp(verdicts[i].theirs, name) == 0) {
            return (cp_verdict_t) i;
        }
    }

    return CP_VERDICT_ERROR;
}


const char *
cp_verdict_name(cp_verdict_t verdict)
{
    return verdicts[verdict].ours;
}


/* What the provider says of each field, under our names; NULL when it says nothing. */
static json_t *
fields_of(const json_t *theirs)
{
    json_t *fields = json_is_object(theirs) ? json_object() : NULL;
    size_t  i;

    for (i = 0; fields != NULL && i < COUNT(field_names); i++) {
        const char *value = json_string_value(json_object_get(theirs, field_names[i].theirs));

        if (value != NULL) {
            json_object_set_new(fields, field_names[i].ours, json_string(cp_verdict_name(verdict_of(value))));
        }
    }

    return fields;
}


/* The provider checks the HMAC over the time stamp, a newline and the body as it is sent. */
static cp_str_t
authorization(cp_call_t *call, cp_str_t body)
{
    const cp_identity_conf_t *conf = &call->app->identity;
    unsigned char             mac[CP_SHA256_SIZE];
    long long                 now = (long long) (cp_now_ms() / 1000);
    cp_str_t                  text, hex;

    text = cp_str_printf(call->arena, "%lld\n%.*s", now, (int) body.len, body.data);
    if (text.data == NULL || cp_hmac(conf->key_secret, text, mac) != CP_OK) {
        return CP_STR_NULL;
    }

    hex = cp_str_hex(call->arena, cp_str_n(mac, sizeof(mac)));
    if (hex.data == NULL) {
        return hex;
    }

    return cp_str_printf(call->arena, "Authorization: HMAC-SHA256 keyId=%.*s,timestamp=%lld,signature=%s",
                         (int) conf->key_id.len, conf->key_id.data, now, hex.data);
}


/* The row of the verification stands for the consent that the caller gave by asking. */
static cp_code_t
question(cp_call_t *call, const char *product, json_t *subject, cp_str_t request_id, cp_str_t *body)
{
    json_t *document;
    char   *text;

    document = json_pack("{s:o, s:s, s:o, s:o}", "requestId", cp_json(request_id), "product", product, "subject",
                         subject, "consentId", cp_json(request_id));
    text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (text == NULL) {
        return CP_E_NO_MEMORY;
    }

    *body = cp_str_dup(call->arena, cp_str(text));
    explicit_bzero(text, strlen(text));
    free(text);

    return body->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


static cp_code_t
read_answer(cp_call_t *call, const cp_egress_answer_t *received, cp_provider_answer_t *answer)
{
    json_t     *document;
    const char *serial;

    document = received->status != 200 ? NULL : json_loadb(received->body.data, received->body.len, 0, NULL);
    if (document == NULL
        || !cp_str_eq(answer->request_id, cp_str(json_string_value(json_object_get(document, "requestId")))))
    {
        cp_log(CP_LOG_ERROR, "the identity provider answered %d with nothing of use", received->status);
        json_decref(document);
        return CP_OK;
    }

    answer->verdict = verdict_of(json_string_value(json_object_get(document, "verdict")));
    answer->billed = json_is_true(json_object_get(document, "billed"));
    answer->fields = fields_of(json_object_get(document, "fields"));

    serial = json_string_value(json_object_get(document, "vendorSerial"));
    if (serial != NULL) {
        answer->vendor_serial = cp_str_printf(call->arena, "%.64s", serial);
    }
    json_decref(document);

    return CP_OK;
}


cp_code_t
cp_provider_ask(cp_call_t *call, const char *product, json_t *subject, cp_provider_answer_t *answer)
{
    cp_egress_request_t request = { "POST", call->app->identity.path, NULL, 2, CP_STR_NULL };
    cp_egress_answer_t  received;
    cp_str_t            headers[2] = { CP_STR("Content-Type: application/json") };
    cp_code_t           code;

    *answer = (cp_provider_answer_t) { cp_random_id(call->arena, 24), CP_VERDICT_ERROR, CP_STR_NULL, false, NULL };
    CP_TRY(question(call, product, subject, answer->request_id, &request.body));

    headers[1] = authorization(call, request.body);
    if (headers[1].data == NULL) {
        return CP_E_NO_MEMORY;
    }
    request.headers = headers;

    code = cp_egress(&call->app->egress, call->arena, &request, &received);
    if (code != CP_OK) {
        return code == CP_E_EGRESS ? CP_OK : code;
    }

    return read_answer(call, &received, answer);
}


void
cp_provider_answer_end(cp_provider_answer_t *answer)
{
    json_decref(answer->fields);
    answer->fields = NULL;
}
