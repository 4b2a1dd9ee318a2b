/* Aliyun's SendSms (dysmsapi, version 2017-05-25). */
#include "notify/sms.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "notify/sms_aliyun.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

#define THROTTLED_S  60

/* What the provider's answer means where it is not a fault on its side or ours. */
static const struct {
    const char *name;
    cp_code_t   code;
} refusals[] = {
    { "isv.BUSINESS_LIMIT_CONTROL", CP_E_RATE_LIMITED },
    { "isv.DAY_LIMIT_CONTROL",      CP_E_RATE_LIMITED },
    { "isv.MOBILE_NUMBER_ILLEGAL",  CP_E_INVALID },
};


static cp_str_t
utc_time(cp_arena_t *arena)
{
    time_t    now = (time_t) (cp_now_ms() / 1000);
    char      text[32];
    struct tm tm;

    if (gmtime_r(&now, &tm) == NULL || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        return CP_STR_NULL;
    }

    return cp_str_dup(arena, cp_str(text));
}


/* Signs what is asked and sends it; the operator's proxy strips the prefix of the path, so "/" is what is signed. */
static cp_code_t
post(cp_call_t *call, const cp_pair_t *query, size_t query_count, cp_egress_answer_t *answer)
{
    const cp_sms_conf_t *conf = &call->app->sms;
    cp_arena_t          *arena = call->arena;
    cp_str_t             digest = cp_sha256_hex(arena, CP_STR(""));
    cp_pair_t            headers[] = {
        { CP_STR("host"), conf->host },
        { CP_STR("x-acs-action"), CP_STR("SendSms") },
        { CP_STR("x-acs-content-sha256"), digest },
        { CP_STR("x-acs-date"), utc_time(arena) },
        { CP_STR("x-acs-signature-nonce"), cp_random_id(arena, 24) },
        { CP_STR("x-acs-version"), CP_STR("2017-05-25") },
    };
    cp_canonical_t       request = { "POST", CP_STR("/"), query, query_count, headers, COUNT(headers), digest };
    cp_egress_request_t  egress = { "POST", CP_STR_NULL, NULL, 0, CP_STR("") };
    cp_str_t             lines[COUNT(headers) + 2], text;
    size_t               i;

    text = cp_canonical_query(arena, query, query_count);
    if (text.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    egress.path = cp_str_printf(arena, "%.*s?%s", (int) conf->path.len, conf->path.data, text.data);

    for (i = 0; i < COUNT(headers); i++) {
        if (headers[i].value.data == NULL) {
            return CP_E_NO_MEMORY;
        }
        lines[i] = cp_str_printf(arena, "%s: %.*s", headers[i].name.data, (int) headers[i].value.len,
                                 headers[i].value.data);
    }

    text = cp_acs3_authorization(arena, conf->key_id, conf->key_secret, &request);
    if (text.data == NULL || egress.path.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    lines[i++] = cp_str_printf(arena, "Authorization: %s", text.data);
    lines[i++] = CP_STR("Content-Type:");

    egress.headers = lines;
    egress.header_count = i;

    return cp_egress(&call->app->egress, arena, &egress, answer);
}


/* The provider answers with "Code": "OK" or a name; anything else is no answer of the provider's. */
static cp_code_t
judge(cp_call_t *call, const cp_egress_answer_t *answer, cp_sms_fate_t *fate)
{
    json_t     *document;
    const char *name;
    cp_code_t   code = CP_E_EGRESS;
    size_t      i;

    document = json_loadb(answer->body.data, answer->body.len, 0, NULL);
    name = json_string_value(json_object_get(document, "Code"));

    if (name == NULL) {
        /* A gateway's 502 or 504 says nothing about what happened behind it. */
        *fate = answer->status >= 400 && answer->status < 500 ? CP_SMS_REFUSED : CP_SMS_UNKNOWN;
        cp_log(CP_LOG_ERROR, "the SMS provider answered %d without a code", answer->status);
        json_decref(document);
        return CP_E_EGRESS;
    }

    *fate = strcmp(name, "OK") == 0 ? CP_SMS_SENT : CP_SMS_REFUSED;
    if (*fate == CP_SMS_SENT) {
        json_decref(document);
        return CP_OK;
    }

    for (i = 0; i < COUNT(refusals); i++) {
        if (strcmp(refusals[i].name, name) == 0) {
            code = refusals[i].code;
        }
    }
    cp_log(code == CP_E_EGRESS ? CP_LOG_ERROR : CP_LOG_CLIENT, "the SMS provider refused with %.64s", name);
    json_decref(document);

    if (code == CP_E_RATE_LIMITED) {
        call->retry_after_s = THROTTLED_S;
    } else if (code == CP_E_INVALID) {
        cp_bad_field(call, CP_STR("phone"), CP_F_FORMAT);
    }

    return code;
}


static cp_code_t
send(cp_call_t *call, cp_str_t phone, cp_str_t template_code, cp_str_t params, cp_sms_fate_t *fate)
{
    cp_pair_t          query[] = {
        { CP_STR("PhoneNumbers"), phone },
        { CP_STR("SignName"), call->app->sms.sign_name },
        { CP_STR("TemplateCode"), template_code },
        { CP_STR("TemplateParam"), params },
    };
    cp_egress_answer_t answer;
    cp_code_t          result;

    *fate = CP_SMS_REFUSED;
    if (params.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    result = post(call, query, COUNT(query), &answer);
    if (result != CP_OK) {
        *fate = result == CP_E_EGRESS ? CP_SMS_UNKNOWN : CP_SMS_REFUSED;
        return result;
    }

    return judge(call, &answer, fate);
}


cp_code_t
cp_sms_send_code(cp_call_t *call, cp_str_t phone, cp_str_t code, cp_sms_fate_t *fate)
{
    cp_str_t params = cp_str_printf(call->arena, "{\"code\":\"%.*s\"}", (int) code.len, code.data);

    return send(call, phone, call->app->sms.template_code, params, fate);
}


cp_code_t
cp_sms_send_notice(cp_call_t *call, cp_str_t phone, const char *event)
{
    cp_str_t      params = cp_str_printf(call->arena, "{\"event\":\"%s\"}", event);
    cp_sms_fate_t fate;

    return call->app->sms.notice_code.data == NULL ? CP_OK
           : send(call, phone, call->app->sms.notice_code, params, &fate);
}
