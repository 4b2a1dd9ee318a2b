/* A copy on its way to somebody's eyes. */
#include "material/material_copy.h"

#include <string.h>

#include "base/clock.h"
#include "base/metric.h"
#include "material/material_rules.h"
#include "staff/staff_store.h"

#define NAME_BYTES  90    /* bytes of a name in a mark, whole characters of UTF-8 */


cp_code_t
cp_copy_page(cp_call_t *call, unsigned *page)
{
    static const char *const names[] = { "page", NULL };

    cp_str_t text;
    int64_t  number = 1;

    (void) cp_query_only(call, names);
    (void) cp_query_param(call, "page", &text);
    if (text.data != NULL && (!cp_str_number(text, &number) || number < 1 || number > CP_INSPECT_PAGES)) {
        cp_bad_field(call, CP_STR("page"), CP_F_RANGE);
    }
    *page = (unsigned) number;

    return call->bad_count == 0 ? CP_OK : CP_E_BAD_QUERY;
}


/* "licence.jpg", "contract-2.jpg", "licence-thumbnail.jpg" */
static cp_str_t
name_of(cp_call_t *call, cp_str_t stem, const cp_copy_t *copy)
{
    if (stem.data == NULL) {
        return stem;
    }
    if (copy->page == CP_COPY_THUMBNAIL) {
        stem = cp_str_printf(call->arena, "%.*s-thumbnail", (int) stem.len, stem.data);
    } else if (copy->page > 1) {
        stem = cp_str_printf(call->arena, "%.*s-%u", (int) stem.len, stem.data, copy->page);
    }

    return stem.data == NULL ? stem : cp_download_name(call->arena, stem, cp_type_ending(copy->stored.type));
}


cp_code_t
cp_file_headers(cp_call_t *call, const char *how, cp_str_t name)
{
    cp_str_t disposition;

    if (name.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    disposition = cp_str_printf(call->arena, "%s; filename=\"%.*s\"", how, (int) name.len, name.data);
    if (disposition.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    cp_answer_header(call, "Content-Disposition", disposition);
    cp_answer_header(call, "X-Content-Type-Options", CP_STR("nosniff"));
    cp_answer_header(call, "Content-Security-Policy", CP_STR("sandbox; default-src 'none'"));
    cp_answer_header(call, "Cache-Control", CP_STR("private, no-store"));
    call->in_parts = true;

    return CP_OK;
}


/* "name number 2026-01-02 03:04": to the minute, so that parts fetched one by one are of the same bytes. */
static cp_code_t
mark_of(cp_call_t *call, cp_str_t *mark)
{
    cp_str_t name, now = cp_time_text(call->arena, cp_now_ms());

    CP_TRY(cp_staff_name(call, &name));
    if (now.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (name.len > NAME_BYTES) {
        name.len = NAME_BYTES;
        while (name.len > 0 && ((unsigned char) name.data[name.len] & 0xc0) == 0x80) {
            name.len--;
        }
    }

    *mark = cp_str_printf(call->arena, "%.*s %.*s %.10s %.5s", (int) name.len, name.data,
                          (int) call->who.staff_id.len, call->who.staff_id.data, now.data, now.data + 11);

    return mark->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


/* What staff see says in its pixels who saw it. The copy is ours, but of a stranger's making: into the cage again. */
static cp_code_t
add_mark(cp_call_t *call, cp_copy_t *copy, cp_str_t *bytes)
{
    cp_inspect_request_t request = call->app->inspection;
    cp_inspection_t      result;
    cp_str_t             mark;
    cp_code_t            code;

    CP_TRY(mark_of(call, &mark));
    request.type = copy->stored.type;
    request.mark = mark.data;
    request.max_pixels = (uint64_t) copy->width * copy->height;

    code = cp_inspect(&call->app->inspector, &request, *bytes, &result);
    if (code != CP_OK) {
        cp_metric(CP_METRIC_INSPECTOR_AWAY);
        return code;
    }

    if (result.reason == CP_INSPECT_OK) {
        copy->stored.type = cp_type_of_mime(cp_str(result.copy.type));
        *bytes = cp_str_dup(call->arena, result.copy.bytes);
        code = bytes->data == NULL ? CP_E_NO_MEMORY : CP_OK;
    } else {
        cp_log(CP_LOG_ERROR, "a copy cannot be marked: %s", cp_inspect_text(result.reason)->word);
        code = CP_E_BUSY;
    }
    cp_inspection_free(&result);

    return code;
}


/* Parts that are fetched one by one must be of the same bytes (RFC 9110 section 13.1.5). */
static cp_code_t
add_tag(cp_call_t *call, cp_str_t bytes)
{
    cp_str_t digest = cp_sha256_hex(call->arena, bytes), tag;

    tag = digest.data == NULL ? digest : cp_str_printf(call->arena, "\"%.32s\"", digest.data);
    if (tag.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    cp_answer_header(call, "ETag", tag);

    return CP_OK;
}


cp_code_t
cp_copy_show(cp_call_t *call, cp_str_t original, unsigned page, cp_str_t stem)
{
    cp_copy_t copy;
    cp_str_t  bytes;

    CP_TRY(cp_copy_find(call, original, page, &copy));
    CP_TRY(cp_stored_read(call, &copy.stored, &bytes));
    if (call->who.staff != 0) {
        CP_TRY(add_mark(call, &copy, &bytes));
    }

    CP_TRY(cp_file_headers(call, "inline", name_of(call, stem, &copy)));
    CP_TRY(add_tag(call, bytes));

    return cp_answer_raw(call, 200, cp_type_mime(copy.stored.type), bytes);
}
