#include "order/order_details.h"

#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "identity/identity.h"
#include "order/order_store.h"

#define COLUMN  "certificate_order.details"

/* Limits in bytes of GBK: what the tax platform takes for a title, and for address and phone together. */
#define INVOICE_TITLE_MAX    100
#define INVOICE_CONTACT_MAX  100

#define ROWS(table)  (sizeof(table) / sizeof((table)[0]))

typedef struct {
    cp_str_t  email;
    json_t   *address;
    json_t   *invoice;
    json_t   *delivery;
    int64_t   version;
} body_t;

typedef struct {
    cp_str_t  province;
    cp_str_t  city;
    cp_str_t  county;
    cp_str_t  street;
} address_t;

typedef struct {
    unsigned  type;
    cp_str_t  title;
    cp_str_t  tax_number;
    cp_str_t  email;
    cp_str_t  address;
    cp_str_t  phone;
    cp_str_t  bank;
    cp_str_t  account;
} invoice_t;

typedef struct {
    unsigned  method;
    cp_str_t  recipient;
    cp_str_t  phone;
    cp_str_t  address;
    cp_str_t  courier;
    cp_str_t  place;
} delivery_t;


static bool
made_of(cp_str_t value, const char *alphabet)
{
    size_t i;

    for (i = 0; i < value.len; i++) {
        if (strchr(alphabet, value.data[i]) == NULL) {
            return false;
        }
    }

    return true;
}


static cp_field_code_t
check_phone(const cp_call_t *call, cp_str_t value)
{
    (void) call;
    return made_of(value, "0123456789-+() ") ? CP_F_END : CP_F_FORMAT;
}


static cp_field_code_t
check_account(const cp_call_t *call, cp_str_t value)
{
    (void) call;
    return made_of(value, "0123456789- ") ? CP_F_END : CP_F_FORMAT;
}


static cp_field_code_t
check_tax_number(const cp_call_t *call, cp_str_t value)
{
    (void) call;
    return made_of(value, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") ? CP_F_END : CP_F_FORMAT;
}


/* Bytes in GBK: one for ASCII, two for the rest. */
static size_t
gbk_size(cp_str_t value)
{
    size_t i, ascii = 0;

    for (i = 0; i < value.len; i++) {
        ascii += (unsigned char) value.data[i] < 0x80;
    }

    return ascii + 2 * (cp_str_chars(value) - ascii);
}


static cp_field_code_t
check_title(const cp_call_t *call, cp_str_t value)
{
    (void) call;
    return gbk_size(value) <= INVOICE_TITLE_MAX ? CP_F_END : CP_F_TOO_LONG;
}


static const cp_field_t body_fields[] = {
    { "email",    CP_FIELD_TEXT,   false, 3, 100, offsetof(body_t, email), cp_field_email, NULL },
    { "address",  CP_FIELD_OBJECT, false, 0, 0, offsetof(body_t, address), NULL, NULL },
    { "invoice",  CP_FIELD_OBJECT, false, 0, 0, offsetof(body_t, invoice), NULL, NULL },
    { "delivery", CP_FIELD_OBJECT, false, 0, 0, offsetof(body_t, delivery), NULL, NULL },
    { "version",  CP_FIELD_NUMBER, false, 1, INT64_MAX, offsetof(body_t, version), NULL, NULL },
};

/* Some cities have no counties. */
static const cp_field_t address_fields[] = {
    { "province", CP_FIELD_TEXT, true,  1, 40, offsetof(address_t, province), NULL, NULL },
    { "city",     CP_FIELD_TEXT, true,  1, 40, offsetof(address_t, city), NULL, NULL },
    { "county",   CP_FIELD_TEXT, false, 0, 40, offsetof(address_t, county), NULL, NULL },
    { "street",   CP_FIELD_TEXT, true,  1, 200, offsetof(address_t, street), NULL, NULL },
};

static const cp_field_t invoice_fields[] = {
    { "type",       CP_FIELD_CHOICE, true,  0, 0, offsetof(invoice_t, type), NULL, cp_invoice_words },
    { "title",      CP_FIELD_TEXT, false, 1, 100, offsetof(invoice_t, title), check_title, NULL },
    { "tax_number", CP_FIELD_TEXT, false, 15, 20, offsetof(invoice_t, tax_number), check_tax_number, NULL },
    { "email",      CP_FIELD_TEXT, false, 3, 100, offsetof(invoice_t, email), cp_field_email, NULL },
    { "address",    CP_FIELD_TEXT, false, 1, 100, offsetof(invoice_t, address), NULL, NULL },
    { "phone",      CP_FIELD_TEXT, false, 7, 20, offsetof(invoice_t, phone), check_phone, NULL },
    { "bank",       CP_FIELD_TEXT, false, 1, 100, offsetof(invoice_t, bank), NULL, NULL },
    { "account",    CP_FIELD_TEXT, false, 4, 40, offsetof(invoice_t, account), check_account, NULL },
};

static const cp_field_t delivery_fields[] = {
    { "method",    CP_FIELD_CHOICE, true, 0, 0, offsetof(delivery_t, method), NULL, cp_delivery_words },
    { "recipient", CP_FIELD_TEXT, false, 1, 50, offsetof(delivery_t, recipient), NULL, NULL },
    { "phone",     CP_FIELD_TEXT, false, 7, 20, offsetof(delivery_t, phone), check_phone, NULL },
    { "address",   CP_FIELD_TEXT, false, 1, 200, offsetof(delivery_t, address), NULL, NULL },
    { "courier",   CP_FIELD_TEXT, false, 1, 40, offsetof(delivery_t, courier), NULL, NULL },
    { "place",     CP_FIELD_TEXT, false, 1, 100, offsetof(delivery_t, place), NULL, NULL },
};

/* What a choice asks for besides itself. */
typedef struct {
    unsigned     choice;
    const char  *field;
} demand_t;

static const demand_t invoice_demands[] = {
    { CP_INVOICE_ORDINARY | CP_INVOICE_SPECIAL, "title" },
    { CP_INVOICE_ORDINARY | CP_INVOICE_SPECIAL, "tax_number" },
    { CP_INVOICE_SPECIAL, "email" },
    { CP_INVOICE_SPECIAL, "address" },
    { CP_INVOICE_SPECIAL, "phone" },
    { CP_INVOICE_SPECIAL, "bank" },
    { CP_INVOICE_SPECIAL, "account" },
};

static const demand_t delivery_demands[] = {
    { CP_DELIVERY_MAIL, "recipient" },
    { CP_DELIVERY_MAIL, "phone" },
    { CP_DELIVERY_MAIL, "address" },
};


static void
mark(cp_call_t *call, const char *part, const char *field, cp_field_code_t why)
{
    cp_str_t name = cp_str_printf(call->arena, "%s.%s", part, field);

    cp_bad_field(call, name.data == NULL ? cp_str(field) : name, why);
}


static void
check_demands(cp_call_t *call, const char *part, const json_t *given, unsigned choice, const demand_t *demands,
              size_t rows)
{
    size_t i;

    for (i = 0; i < rows; i++) {
        const json_t *value = json_object_get(given, demands[i].field);

        if ((demands[i].choice & choice) != 0 && (value == NULL || json_is_null(value))) {
            mark(call, part, demands[i].field, CP_F_REQUIRED);
        }
    }
}


/* A part's texts as they were read, with its choice ({NULL, 0}: none) in words. NULL when memory is out. */
static json_t *
part_json(const cp_field_t *table, size_t rows, const void *from)
{
    json_t *part = json_object();
    size_t  i;
    int     failed = 0;

    for (i = 0; i < rows; i++) {
        const void *member = (const char *) from + table[i].offset;

        if (table[i].kind == CP_FIELD_CHOICE) {
            const char *word = cp_word_name(table[i].words, *(const unsigned *) member);

            failed |= word != NULL && json_object_set_new(part, table[i].name, json_string(word)) != 0;
            continue;
        }
        if (((const cp_str_t *) member)->data != NULL) {
            failed |= json_object_set_new(part, table[i].name, cp_json(*(const cp_str_t *) member)) != 0;
        }
    }

    if (failed) {
        json_decref(part);
        return NULL;
    }

    return part;
}


static cp_code_t
put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0 ? CP_OK : CP_E_NO_MEMORY;
}


static cp_code_t
read_address(cp_call_t *call, const json_t *given, json_t *change)
{
    address_t address;

    (void) cp_fields_read(call, given, "address.", address_fields, ROWS(address_fields), &address, sizeof(address));

    return put(change, "address", part_json(address_fields, ROWS(address_fields), &address));
}


static cp_code_t
read_invoice(cp_call_t *call, const json_t *given, unsigned offered, json_t *change)
{
    invoice_t invoice;

    (void) cp_fields_read(call, given, "invoice.", invoice_fields, ROWS(invoice_fields), &invoice, sizeof(invoice));

    if (invoice.type != 0 && (invoice.type & offered) == 0) {
        mark(call, "invoice", "type", CP_F_NOT_SOLD);
    }

    check_demands(call, "invoice", given, invoice.type, invoice_demands, ROWS(invoice_demands));

    if (gbk_size(invoice.address) + gbk_size(invoice.phone) > INVOICE_CONTACT_MAX) {
        mark(call, "invoice", "address", CP_F_TOO_LONG);
    }

    if (invoice.type == CP_INVOICE_NONE) {
        memset(&invoice, 0, sizeof(invoice));
        invoice.type = CP_INVOICE_NONE;
    }

    return put(change, "invoice", part_json(invoice_fields, ROWS(invoice_fields), &invoice));
}


static cp_code_t
read_delivery(cp_call_t *call, const json_t *given, unsigned offered, json_t *change)
{
    delivery_t delivery;

    (void) cp_fields_read(call, given, "delivery.", delivery_fields, ROWS(delivery_fields), &delivery,
                          sizeof(delivery));

    if (delivery.method != 0 && (delivery.method & offered) == 0) {
        mark(call, "delivery", "method", CP_F_NOT_SOLD);
    }

    check_demands(call, "delivery", given, delivery.method, delivery_demands, ROWS(delivery_demands));

    return put(change, "delivery", part_json(delivery_fields, ROWS(delivery_fields), &delivery));
}


static cp_code_t
read_parts(cp_call_t *call, const cp_order_terms_t *terms, const body_t *body, json_t *change)
{
    if (body->email.data != NULL) {
        CP_TRY(put(change, "email", cp_json(body->email)));
    }
    if (body->address != NULL) {
        CP_TRY(read_address(call, body->address, change));
    }
    if (body->invoice != NULL) {
        CP_TRY(read_invoice(call, body->invoice, terms->invoices == 0 ? CP_INVOICE_NONE : terms->invoices, change));
    }
    if (body->delivery != NULL) {
        CP_TRY(read_delivery(call, body->delivery, terms->deliveries, change));
    }

    return cp_fields_verdict(call);
}


cp_code_t
cp_order_read_edit(cp_call_t *call, const cp_order_terms_t *terms, cp_order_edit_t *edit)
{
    body_t    body;
    cp_code_t code;

    edit->change = NULL;

    /* The parts are read although a field beside them is bad: all faults are told at once. */
    code = cp_body_read(call, body_fields, &body);
    if (code != CP_OK && code != CP_E_INVALID) {
        return code;
    }

    edit->version = body.version;
    edit->change = json_object();

    code = edit->change == NULL ? CP_E_NO_MEMORY : read_parts(call, terms, &body, edit->change);
    if (code != CP_OK) {
        json_decref(edit->change);
        edit->change = NULL;
    }

    return code;
}


cp_code_t
cp_order_details(cp_call_t *call, const cp_order_t *order, json_t **details)
{
    cp_str_t plain;

    if (order->details.data == NULL) {
        *details = json_object();
        return *details == NULL ? CP_E_NO_MEMORY : CP_OK;
    }

    CP_TRY(cp_column_open(call->app->keys, call->arena, COLUMN, order->details, &plain));

    *details = json_loadb(plain.data, plain.len, 0, NULL);

    return *details == NULL ? CP_E_INTERNAL : CP_OK;
}


cp_code_t
cp_order_save_details(cp_call_t *call, cp_order_t *order, json_t *details, json_t *change)
{
    cp_str_t    sealed, method = CP_STR_NULL;
    const char *word;
    cp_code_t   code;
    char       *text;

    if (json_object_update(details, change) != 0 || (text = json_dumps(details, JSON_COMPACT)) == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = cp_column_seal(call->app->keys, call->arena, COLUMN, cp_str(text), &sealed);
    free(text);
    CP_TRY(code);

    word = json_string_value(json_object_get(json_object_get(details, "delivery"), "method"));
    if (word != NULL) {
        method = cp_str_dup(call->arena, cp_str(word));
    }

    CP_TRY(cp_order_update_details(call, order->id, sealed, method));

    order->details = sealed;
    order->facts &= ~(CP_IF_MAIL | CP_IF_PICKUP);
    order->facts |= cp_str_is(method, "mail") ? CP_IF_MAIL : cp_str_is(method, "pickup") ? CP_IF_PICKUP : 0;

    return CP_OK;
}
