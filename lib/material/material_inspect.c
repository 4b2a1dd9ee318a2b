/* An upload on its way through the cage: its bytes go in, sealed copies and what was found come out. */
#include "material/material_copy.h"

#include <string.h>
#include <unistd.h>

#include "base/metric.h"
#include "inspect/inspect.h"

static const struct {
    int64_t     bit;
    bool        missing;    /* it is told where the bit is not there */
    const char *code;
} hints[] = {
    { CP_HINT_DARK, false, "too_dark" },
    { CP_HINT_BLURRED, false, "blurred" },
    { CP_HINT_SMALL, false, "too_small" },
    { CP_HINT_STAMP, true, "no_stamp" },
    { CP_HINT_LANDSCAPE, false, "landscape" },
};


static bool
add_hint(json_t *list, const char *code)
{
    return json_array_append_new(list, json_string(code)) == 0;
}


static json_t *
hints_json(const cp_inspected_t *inspected)
{
    json_t *list = json_array();
    size_t  i;
    bool    good = list != NULL;

    if (inspected->pages == 0) {
        return list;    /* nobody has looked */
    }

    for (i = 0; i < sizeof(hints) / sizeof(hints[0]) && good; i++) {
        if (((inspected->hints & hints[i].bit) == 0) == hints[i].missing) {
            good = add_hint(list, hints[i].code);
        }
    }
    if (good && inspected->orientation != 1) {
        good = add_hint(list, "rotated");
    }

    if (!good) {
        json_decref(list);
        return NULL;
    }

    return list;
}


cp_code_t
cp_inspected_tell(const cp_inspected_t *inspected, json_t *json)
{
    return json != NULL && json_object_set_new(json, "pages", json_integer(inspected->pages)) == 0
           && json_object_set_new(json, "hints", hints_json(inspected)) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


/* Seals one copy into the store; it counts from then on. */
static cp_code_t
keep(cp_call_t *call, cp_inspected_t *inspected, unsigned page, const cp_inspect_copy_t *from)
{
    cp_copy_t *copy = &inspected->copies[inspected->count];

    copy->page = page;
    copy->width = from->width;
    copy->height = from->height;
    CP_TRY(cp_stored_write(call, from->bytes, cp_type_of_mime(cp_str(from->type)), &copy->stored));

    inspected->size += copy->stored.size;
    inspected->count++;

    return CP_OK;
}


static cp_code_t
keep_all(cp_call_t *call, cp_inspected_t *inspected, const cp_inspection_t *result)
{
    unsigned i;

    CP_TRY(keep(call, inspected, CP_COPY_THUMBNAIL, &result->thumbnail));
    if (result->page_count == 0) {
        return keep(call, inspected, 1, &result->copy);
    }

    for (i = 0; i < result->page_count; i++) {
        CP_TRY(keep(call, inspected, i + 1, &result->pages[i]));
    }

    return CP_OK;
}


static void
remove_copies(cp_call_t *call, cp_inspected_t *inspected)
{
    for ( ; inspected->count > 0; inspected->count--) {
        cp_stored_remove(call, inspected->copies[inspected->count - 1].stored.file);
    }
}


static cp_code_t
refuse(cp_call_t *call, cp_inspect_reason_t reason)
{
    const cp_inspect_text_t *text = cp_inspect_text(reason);

    cp_problem(call, "reason", json_string(text->word));
    cp_problem(call, "detail", json_string(call->lang == CP_LANG_EN ? text->en : text->zh));

    return CP_E_BAD_FILE;
}


/* The verdict is there: a refusal, or copies. */
static cp_code_t
take(cp_call_t *call, const cp_inspection_t *result, cp_inspected_t **inspected)
{
    cp_inspected_t *made;
    cp_code_t       code;

    if (result->reason != CP_INSPECT_OK) {
        return refuse(call, result->reason);
    }

    made = cp_calloc(call->arena, 1, sizeof(*made));
    if (made == NULL) {
        return CP_E_NO_MEMORY;
    }

    made->width = result->width;
    made->height = result->height;
    made->orientation = result->orientation;
    made->hints = result->hints;
    made->pages = result->page_count == 0 ? 1 : result->page_count;
    made->copies = cp_calloc(call->arena, (size_t) made->pages + 1, sizeof(cp_copy_t));
    if (made->copies == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = keep_all(call, made, result);
    if (code != CP_OK) {
        remove_copies(call, made);
        return code;
    }

    *inspected = made;

    return CP_OK;
}


/*
 * Written, not mapped: out of memory is an error here and a signal there, and pages that are filled whole need not be
 * cleared first.
 */
static cp_code_t
append(void *data, const void *bytes, size_t len)
{
    const int *fd = data;

    return cp_inspect_write(*fd, cp_str_n(bytes, len)) ? CP_OK : CP_E_NO_MEMORY;
}


/*
 * The server's limits, or those of the material where they are narrower: a PDF's pages are known only when it is read,
 * and its pixels are what it is rendered with, which no applicant chose.
 */
static cp_inspect_request_t
request_of(const cp_call_t *call, const cp_upload_t *upload, unsigned type)
{
    cp_inspect_request_t request = call->app->inspection;
    cp_gate_limits_t     limits = cp_upload_limits(upload);

    request.type = type;
    if (type != CP_TYPE_PDF && limits.max_pixels != 0 && (uint64_t) limits.max_pixels < request.max_pixels) {
        request.max_pixels = (uint64_t) limits.max_pixels;
    }
    if (limits.max_pages != 0 && limits.max_pages < request.max_pages) {
        request.max_pages = (unsigned) limits.max_pages;
    }

    return request;
}


static void
count(cp_code_t code, const cp_inspection_t *result)
{
    if (code == CP_E_BUSY) {
        cp_metric(CP_METRIC_INSPECTOR_AWAY);
    } else if (code == CP_OK) {
        cp_metric(result->reason == CP_INSPECT_OK ? CP_METRIC_FILE_INSPECTED : CP_METRIC_FILE_REFUSED);
    }
}


static cp_code_t
inspect(cp_call_t *call, cp_upload_t *upload, cp_inspected_t **inspected)
{
    cp_inspect_request_t request;
    cp_inspection_t      result;
    cp_stored_t          stored;
    cp_code_t            code;
    int                  fd;

    memset(&result, 0, sizeof(result));
    cp_upload_describe(upload, &stored);
    request = request_of(call, upload, stored.type);
    if (stored.size > CP_INSPECT_INPUT_MAX) {
        return CP_E_TOO_LARGE;
    }

    /* The plain bytes in a memfd, which is what the inspector takes: they are gone with the descriptor. */
    fd = cp_inspect_open();
    if (fd == -1) {
        return CP_E_NO_MEMORY;
    }

    code = cp_upload_plain(upload, append, &fd);
    if (code == CP_OK) {
        code = cp_inspect_fd(&call->app->inspector, &request, fd, &result);
        count(code, &result);
    }
    close(fd);

    if (code == CP_OK) {
        code = take(call, &result, inspected);
    }
    cp_inspection_free(&result);

    return code;
}


cp_code_t
cp_upload_inspect(cp_call_t *call, cp_upload_t *upload, const cp_inspected_t **inspected)
{
    cp_inspected_t **made = cp_upload_inspected(upload);

    if (*made == NULL) {
        CP_TRY(inspect(call, upload, made));
    }
    *inspected = *made;

    return CP_OK;
}


cp_code_t
cp_upload_fits(cp_call_t *call, const cp_upload_t *upload, unsigned type, int64_t pages)
{
    return pages <= request_of(call, upload, type).max_pages ? CP_OK : refuse(call, CP_INSPECT_TOO_MANY_PAGES);
}


void
cp_upload_drop_copies(cp_call_t *call, cp_upload_t *upload)
{
    cp_inspected_t **made = cp_upload_inspected(upload);

    if (*made != NULL) {
        remove_copies(call, *made);
        *made = NULL;
    }
}
