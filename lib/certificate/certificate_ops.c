#include "certificate/certificate_ops.h"

#include <string.h>

#include "certificate/certificate_rules.h"
#include "certificate/certificate_store.h"
#include "certificate/tbs.h"
#include "member/member.h"


static json_t *
line_json(cp_call_t *call, const cp_certificate_line_t *line)
{
    const char *reason = line->revoked_ms == 0 ? NULL : cp_reason_name(line->reason);

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:o, s:o, s:o, s:{s:o, s:o}}",
                     "serial", cp_json(line->serial), "issuer", cp_json(line->issuer), "state", cp_json(line->state),
                     "not_before", cp_json_time(call, line->not_before_ms),
                     "not_after", cp_json_time(call, line->not_after_ms),
                     "revoked_at", cp_json_time(call, line->revoked_ms), "reason", reason,
                     "order", cp_json(line->order), "project", cp_json(line->project),
                     "product", cp_json(line->product),
                     "unit", "id", cp_json(line->unit), "name", cp_json(line->unit_name));
}


/* The caller's own, or those of a unit that the caller administers. */
static cp_code_t
find_lines(cp_call_t *call, cp_page_t *page, cp_rows_t **rows)
{
    static const char *const names[] = { "unit", "after", "limit", NULL };

    cp_membership_t unit;
    cp_str_t        unit_id;

    (void) cp_query_only(call, names);
    (void) cp_query_param(call, "unit", &unit_id);
    if (unit_id.data != NULL && (unit_id.len == 0 || unit_id.len > 32)) {
        cp_bad_field(call, CP_STR("unit"), CP_F_FORMAT);
    }
    CP_TRY(cp_page_read(call, "certificates", page));

    CP_TRY(cp_call_db(call));
    if (unit_id.data == NULL) {
        return cp_certificate_lines(call, call->who.account, page, rows);
    }
    CP_TRY(cp_administration(call, unit_id, CP_HOLD_NOT, &unit));

    return cp_certificate_lines_of_unit(call, unit.unit, page, rows);
}


cp_code_t
cp_op_certificate_list(cp_call_t *call)
{
    cp_certificate_line_t line;
    cp_page_t             page;
    cp_rows_t            *rows;
    json_t               *items;
    int64_t               count = 0, last = 0;

    CP_TRY(find_lines(call, &page, &rows));

    items = json_array();
    while (cp_certificate_next_line(rows, &line) == CP_OK) {
        if (count++ == page.limit) {
            return cp_page_answer(call, "certificates", items, last);
        }
        if (json_array_append_new(items, line_json(call, &line)) != 0) {
            json_decref(items);
            return CP_E_NO_MEMORY;
        }
        last = line.id;
    }

    return cp_page_answer(call, "certificates", items, 0);
}


/* The `format` of a download; marks what is none. */
static cp_code_t
read_form(cp_call_t *call, cp_form_t *form)
{
    static const char *const names[] = { "format", NULL };

    cp_str_t word;

    (void) cp_query_only(call, names);
    (void) cp_query_param(call, "format", &word);

    *form = cp_form_of(word);
    if (*form == CP_FORM_UNKNOWN) {
        cp_bad_field(call, CP_STR("format"), CP_F_CHOICE);
    }

    return call->bad_count == 0 ? CP_OK : CP_E_BAD_QUERY;
}


/* The first of the chain in PEM or DER, all of it in a PKCS#7 container. */
static cp_code_t
answer_form(cp_call_t *call, cp_form_t form, const cp_str_t *chain, size_t count)
{
    cp_str_t p7b = CP_STR_NULL;

    switch (form) {
    case CP_FORM_DER:
        return cp_answer_raw(call, 200, "application/pkix-cert", chain[0]);
    case CP_FORM_P7B:
        CP_TRY(cp_p7b_write(chain, count, call->arena, &p7b));
        return cp_answer_raw(call, 200, "application/x-pkcs7-certificates", p7b);
    default:
        return cp_answer_raw(call, 200, "application/x-pem-file",
                             cp_pem_write(call->arena, "CERTIFICATE", chain[0]));
    }
}


static void
name_file(cp_call_t *call, cp_str_t name, cp_form_t form)
{
    static const char *const endings[] = { [CP_FORM_PEM] = "pem", [CP_FORM_DER] = "cer", [CP_FORM_P7B] = "p7b",
                                           [CP_FORM_UNKNOWN] = "bin" };

    cp_answer_header(call, "Content-Disposition",
                     cp_str_printf(call->arena, "attachment; filename=\"%.*s.%s\"", (int) name.len, name.data,
                                   endings[form]));
}


cp_code_t
cp_op_certificate_read(cp_call_t *call)
{
    cp_form_t form;
    cp_str_t  chain[2] = { CP_STR_NULL, CP_STR_NULL };

    CP_TRY(read_form(call, &form));
    CP_TRY(cp_call_db(call));
    CP_TRY(cp_certificate_download(call, call->who.account, call->params[0], &chain[0], &chain[1]));

    CP_TRY(answer_form(call, form, chain, 2));
    name_file(call, call->params[0], form);

    return CP_OK;
}


cp_code_t
cp_op_issuer(cp_call_t *call)
{
    cp_form_t form;
    cp_str_t  der;

    CP_TRY(read_form(call, &form));
    CP_TRY(cp_call_db(call));
    CP_TRY(cp_issuer_certificate(call, call->params[0], &der));

    return answer_form(call, form, &der, 1);
}


cp_code_t
cp_op_crl(cp_call_t *call)
{
    cp_str_t issuer = call->params[0], der;

    /* The template of the path ends in ".crl"; a parameter that still has it is cut. */
    if (issuer.len > 4 && memcmp(issuer.data + issuer.len - 4, ".crl", 4) == 0) {
        issuer.len -= 4;
    }

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_crl_newest(call, issuer, &der));

    cp_answer_header(call, "Cache-Control", CP_STR("public, max-age=60"));

    return cp_answer_raw(call, 200, "application/pkix-crl", der);
}
