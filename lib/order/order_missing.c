#include <string.h>

#include "material/material.h"
#include "order/order_json.h"


static bool
has(const json_t *details, const char *part)
{
    return json_object_get(details, part) != NULL;
}


/* The hall may have changed its agreement since it was accepted. */
static bool
has_agreement(cp_call_t *call, const cp_order_t *order)
{
    const cp_hall_t *hall = cp_catalog_hall(&call->app->catalog, order->hall);

    return order->agreement_version.data != NULL && hall != NULL
           && cp_str_eq(order->agreement_version, hall->agreement.version)
           && cp_str_eq(order->agreement_sha256, hall->agreement.sha256);
}


static cp_code_t
add_missing(cp_call_t *call, const cp_order_t *order, const json_t *details, cp_str_t applicant, json_t *missing)
{
    cp_order_terms_t terms;
    size_t           i;

    if (!cp_order_terms(order->sale, &terms)) {
        return CP_E_INTERNAL;
    }

    const struct {
        const char *name;
        bool        is_missing;
    } rows[] = {
        { "email", !has(details, "email") },
        { "address", !has(details, "address") },
        { "delivery", terms.deliveries != 0 && !has(details, "delivery") },
        { "invoice", (terms.invoices & ~CP_INVOICE_NONE) != 0 && !has(details, "invoice") },
        { "agreement", !has_agreement(call, order) },
        { "csr", terms.keys == CP_KEY_HOLDER && order->csr.data == NULL },
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].is_missing && json_array_append_new(missing, json_string(rows[i].name)) != 0) {
            return CP_E_NO_MEMORY;
        }
    }

    return cp_material_missing(call, order->id, order->sale, applicant, order->service, missing);
}


cp_code_t
cp_order_missing(cp_call_t *call, const cp_order_t *order, const json_t *details, cp_str_t applicant, json_t **missing)
{
    json_t   *list = json_array();
    cp_code_t code;

    code = list == NULL ? CP_E_NO_MEMORY : add_missing(call, order, details, applicant, list);
    if (code != CP_OK) {
        json_decref(list);
        return code;
    }

    *missing = list;
    return CP_OK;
}
