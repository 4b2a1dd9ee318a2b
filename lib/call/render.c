/* The body that leaves: the answer, or the problem document (RFC 9457) of what went wrong. */
#include <stdlib.h>
#include <string.h>

#include "call/call.h"


static cp_str_t
dump(cp_arena_t *arena, json_t *json)
{
    char    *text;
    cp_str_t out;

    text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    if (text == NULL) {
        return CP_STR_NULL;
    }

    out = cp_str_dup(arena, cp_str(text));
    free(text);

    return out;
}


/* {"name", "code", "detail"} of one bad field. */
static json_t *
field_json(const cp_call_t *call, const cp_bad_field_t *bad)
{
    const cp_field_error_t *row = cp_field_error(bad->why);

    return json_pack("{s:o, s:s, s:o}", "name", cp_json(bad->name), "code", row->code, "detail",
                     bad->text.data != NULL ? cp_json(bad->text)
                                            : json_string(call->lang == CP_LANG_EN ? row->en : row->zh));
}


static json_t *
problem(const cp_call_t *call, const cp_error_t *row)
{
    json_t *document, *fields;
    size_t  i;

    document = json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "code", row->code, "status", row->status,
                         "detail", call->lang == CP_LANG_EN ? row->en : row->zh, "request_id",
                         cp_json(call->request_id));
    if (document != NULL && call->retry_after_s != 0) {
        json_object_set_new(document, "retry_after_s", json_integer(call->retry_after_s));
    }
    if (document != NULL && call->members != NULL) {
        json_object_update(document, call->members);
    }
    if (document == NULL || call->bad_count == 0) {
        return document;
    }

    fields = json_array();
    for (i = 0; i < call->bad_count; i++) {
        json_array_append_new(fields, field_json(call, &call->bad[i]));
    }
    json_object_set_new(document, "fields", fields);

    return document;
}


/* What a person reads to whom the browser shows it. All of it is ours: nothing that came in stands in it. */
static cp_str_t
page(const cp_call_t *call, const cp_error_t *row)
{
    bool        en = call->lang == CP_LANG_EN;
    bool        certificate = strncmp(row->code, "certificate_", 12) == 0;
    const char *text = en ? row->en : row->zh;
    const char *more = !certificate ? ""
                       : en ? "<p>To choose another certificate, close all windows of the browser first.</p>\n"
                            : "<p>更换证书前，请先关闭浏览器的所有窗口。</p>\n";

    return cp_str_printf(call->arena,
                         "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n</head>\n"
                         "<body>\n<main>\n<h1>%s</h1>\n%s<p><small>%d %s · %.*s</small></p>\n</main>\n</body>\n"
                         "</html>\n",
                         en ? "en" : "zh-CN", text, text, more, row->status, row->code,
                         (int) call->request_id.len, call->request_id.data);
}


cp_str_t
cp_call_render(cp_call_t *call, const char **content_type)
{
    json_t  *document;
    cp_str_t text;

    if (call->code != CP_OK && call->page) {
        text = page(call, cp_error(call->code));
        if (text.data != NULL) {
            *content_type = "text/html; charset=utf-8";
            return text;
        }
    }

    if (call->code != CP_OK) {
        *content_type = "application/problem+json; charset=utf-8";
        document = problem(call, cp_error(call->code));
        text = dump(call->arena, document);
        json_decref(document);
        return text.data != NULL ? text : CP_STR("{\"code\":\"no_memory\",\"status\":503}");
    }

    if (call->raw.data != NULL) {
        *content_type = call->raw_type;
        return call->raw;
    }

    *content_type = "application/json; charset=utf-8";
    return call->answer == NULL ? CP_STR("") : dump(call->arena, call->answer);
}
