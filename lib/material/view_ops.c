/* Looking at materials: copies to owner and staff, the evidence itself only to who audits. Each look is recorded. */
#include "material/material_ops.h"

#include "audit/audit.h"
#include "material/material_copy.h"
#include "material/material_rules.h"
#include "material/material_store.h"
#include "order/order.h"


static cp_code_t
find(cp_call_t *call, cp_str_t *no, cp_material_t *material)
{
    cp_order_t order;

    CP_TRY(call->who.staff == 0 ? cp_order_own(call, call->params[0], false, &order)
                                : cp_order_any(call, call->params[0], false, &order));
    *no = order.no;

    return cp_material_find(call, order.id, call->params[1], material);
}


/* Nothing leaves before its row is there; and no row is held while a file is read or marked. */
static cp_code_t
record(cp_call_t *call, const char *action, cp_str_t no, json_t *detail)
{
    CP_TRY(cp_call_begin(call));
    CP_TRY(cp_audit(call, action, "order", no, detail));

    return cp_call_commit(call);
}


static cp_code_t
show(cp_call_t *call, unsigned page)
{
    cp_material_t material;
    cp_str_t      no;

    CP_TRY(find(call, &no, &material));
    CP_TRY(cp_copy_show(call, material.stored.file, page, material.kind));

    return record(call, "material.view", no,
                  page == CP_COPY_THUMBNAIL
                      ? json_pack("{s:o, s:b}", "kind", cp_json(material.kind), "thumbnail", 1)
                      : json_pack("{s:o, s:i}", "kind", cp_json(material.kind), "page", (int) page));
}


cp_code_t
cp_op_material_view(cp_call_t *call)
{
    unsigned page;

    CP_TRY(cp_copy_page(call, &page));

    return show(call, page);
}


cp_code_t
cp_op_material_thumbnail(cp_call_t *call)
{
    return show(call, CP_COPY_THUMBNAIL);
}


/* Of no type that anything would open by itself: it is a stranger's file. */
cp_code_t
cp_op_material_original(cp_call_t *call)
{
    cp_material_t material;
    cp_str_t      no, bytes;

    CP_TRY(find(call, &no, &material));
    CP_TRY(cp_stored_read(call, &material.stored, &bytes));
    CP_TRY(cp_file_headers(call, "attachment",
                           cp_download_name(call->arena, material.kind, cp_type_ending(material.stored.type))));
    CP_TRY(cp_answer_raw(call, 200, "application/octet-stream", bytes));

    return record(call, "material.download", no, json_pack("{s:o}", "kind", cp_json(material.kind)));
}
