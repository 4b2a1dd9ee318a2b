#include "call/page.h"


static cp_code_t
open_cursor(cp_call_t *call, const char *list, cp_str_t cursor, int64_t *id)
{
    cp_str_t column = cp_str_printf(call->arena, "cursor.%s", list);
    cp_str_t sealed, text;

    if (column.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    if (!cp_str_unhex(call->arena, cursor, &sealed)
        || cp_column_open(call->app->keys, call->arena, column.data, sealed, &text) != CP_OK
        || !cp_str_number(text, id))
    {
        cp_bad_field(call, CP_STR("after"), CP_F_FORMAT);
    }

    return CP_OK;
}


cp_code_t
cp_page_read(cp_call_t *call, const char *list, cp_page_t *page)
{
    cp_str_t after, limit;

    page->after = 0;
    page->limit = CP_PAGE_DEFAULT;

    (void) cp_query_param(call, "limit", &limit);
    if (limit.data != NULL
        && (!cp_str_number(limit, &page->limit) || page->limit < 1 || page->limit > CP_PAGE_MAX))
    {
        cp_bad_field(call, CP_STR("limit"), CP_F_RANGE);
    }

    (void) cp_query_param(call, "after", &after);
    if (after.data != NULL) {
        CP_TRY(open_cursor(call, list, after, &page->after));
    }

    return call->bad_count == 0 ? CP_OK : CP_E_BAD_QUERY;
}


static json_t *
cursor_json(cp_call_t *call, const char *list, int64_t last)
{
    cp_str_t column = cp_str_printf(call->arena, "cursor.%s", list);
    cp_str_t text = cp_str_printf(call->arena, "%lld", (long long) last);
    cp_str_t sealed, hex;

    if (last == 0) {
        return json_null();
    }

    if (column.data == NULL || text.data == NULL
        || cp_column_seal(call->app->keys, call->arena, column.data, text, &sealed) != CP_OK)
    {
        return NULL;
    }

    hex = cp_str_hex(call->arena, sealed);

    return hex.data == NULL ? NULL : cp_json(hex);
}


cp_code_t
cp_page_answer(cp_call_t *call, const char *list, json_t *items, int64_t last)
{
    return cp_answer(call, 200, json_pack("{s:o, s:o}", "items", items, "next", cursor_json(call, list, last)));
}
