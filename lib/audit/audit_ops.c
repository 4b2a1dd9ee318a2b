#include "audit/audit_ops.h"

#include "audit/audit_store.h"


static json_t *
line_json(cp_call_t *call, const cp_audit_line_t *l)
{
    json_t *detail = l->row.detail.data == NULL ? json_null()
                                                : json_loadb(l->row.detail.data, l->row.detail.len, 0, NULL);

    return json_pack("{s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:b}", "at",
                     cp_json_time(call, l->row.created_ms), "actor", "kind", cp_json(l->row.actor_kind), "id",
                     cp_json(l->actor), "address", cp_json(l->row.address), "request_id", cp_json(l->row.request_id),
                     "action", cp_json(l->row.action), "object", "kind", cp_json(l->row.object_kind), "id",
                     cp_json(l->row.object_id), "detail", detail, "sealed", (int) (l->seal != 0));
}


cp_code_t
cp_op_audit_list(cp_call_t *call)
{
    static const char *const names[] = { "after", "limit", NULL };

    cp_audit_line_t line;
    cp_page_t       page;
    cp_rows_t      *rows;
    json_t         *items;
    int64_t         count = 0, last = 0;

    (void) cp_query_only(call, names);
    CP_TRY(cp_page_read(call, "audit", &page));

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_audit_page(call->db, &page, &rows));

    items = json_array();
    while (cp_audit_next_line(rows, &line) == CP_OK) {
        if (count++ == page.limit) {
            return cp_page_answer(call, "audit", items, last);
        }
        if (json_array_append_new(items, line_json(call, &line)) != 0) {
            json_decref(items);
            return CP_E_NO_MEMORY;
        }
        last = line.row.id;
    }

    return cp_page_answer(call, "audit", items, 0);
}
