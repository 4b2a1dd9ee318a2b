/* What an applicant may fill in: bodies, and every field that must be found wrong in them. */
#include "seams.h"

#include <stdio.h>
#include <string.h>

#include "order/order_details.h"

#define ADDRESS   "\"address\":{\"province\":\"内蒙古\",\"city\":\"呼和浩特\",\"county\":\"新城区\",\"street\":\"某街1号\"}"
#define TAX       "\"tax_number\":\"91110000802100433B\""
#define SPECIAL   "\"type\":\"special\",\"title\":\"某单位\"," TAX ",\"email\":\"a@example.cn\"," \
                  "\"phone\":\"0471-1234567\",\"bank\":\"某行\",\"account\":\"6217 0001-23\""
#define TEN       "一二三四五六七八九十"
#define FIFTY     TEN TEN TEN TEN TEN

/* Terms: all invoices and deliveries; or an ordinary invoice and pick-up; or no invoice and no delivery. */
static const cp_order_terms_t all = {
    .invoices = CP_INVOICE_NONE | CP_INVOICE_ORDINARY | CP_INVOICE_SPECIAL,
    .deliveries = CP_DELIVERY_MAIL | CP_DELIVERY_PICKUP,
};
static const cp_order_terms_t some = { .invoices = CP_INVOICE_ORDINARY, .deliveries = CP_DELIVERY_PICKUP };
static const cp_order_terms_t none = { .invoices = 0, .deliveries = 0 };

static const struct {
    const cp_order_terms_t *terms;
    const char             *body;
    const char             *bad;      /* "name:why" of each, in the order found */
} rows[] = {
    { &all, "{}", "" },
    { &all, "{\"email\":\"a@example.cn\"," ADDRESS "}", "" },
    { &all, "{\"email\":null}", "" },
    { &all, "{\"email\":\"nobody\"}", "email:format" },
    { &all, "{\"email\":7,\"price\":1,\"version\":0}", "price:unknown email:type version:range" },

    { &all, "{\"address\":{}}", "address.province:required address.city:required address.street:required" },
    { &all, "{\"address\":{\"province\":\"p\",\"city\":\"c\",\"street\":\"s\"}}", "" },
    { &all, "{\"address\":[]}", "address:type" },
    { &all, "{\"address\":{\"province\":\"p\",\"city\":\"c\",\"street\":\" \",\"zip\":\"1\"}}",
      "address.zip:unknown address.street:required" },

    { &all, "{\"invoice\":{\"type\":\"none\"}}", "" },
    { &all, "{\"invoice\":{\"type\":\"paper\"}}", "invoice.type:choice" },
    { &all, "{\"invoice\":{}}", "invoice.type:required" },
    { &all, "{\"invoice\":{\"type\":\"ordinary\"}}", "invoice.title:required invoice.tax_number:required" },
    { &all, "{\"invoice\":{\"type\":\"ordinary\",\"title\":\"某单位\"," TAX "}}", "" },
    { &all, "{\"invoice\":{\"type\":\"ordinary\",\"title\":\"某单位\",\"tax_number\":\"91110000802100433b\"}}",
      "invoice.tax_number:format" },
    { &all, "{\"invoice\":{\"type\":\"ordinary\",\"title\":\"某单位\",\"tax_number\":\"12345678901234\"}}",
      "invoice.tax_number:too_short" },
    { &all, "{\"invoice\":{\"type\":\"ordinary\",\"title\":\"" FIFTY "\"," TAX "}}", "" },
    { &all, "{\"invoice\":{\"type\":\"ordinary\",\"title\":\"" FIFTY "x\"," TAX "}}", "invoice.title:too_long" },
    { &all, "{\"invoice\":{\"type\":\"special\",\"title\":\"某单位\"," TAX "}}",
      "invoice.email:required invoice.address:required invoice.phone:required invoice.bank:required "
      "invoice.account:required" },
    { &all, "{\"invoice\":{" SPECIAL ",\"address\":\"某街1号\"}}", "" },
    { &all, "{\"invoice\":{" SPECIAL ",\"address\":\"" FIFTY "\"}}", "invoice.address:too_long" },
    { &all, "{\"invoice\":{\"type\":\"ordinary\",\"title\":\"某单位\"," TAX ",\"phone\":\"call me\"}}",
      "invoice.phone:format" },

    { &all, "{\"delivery\":{\"method\":\"pickup\"}}", "" },
    { &all, "{\"delivery\":{\"method\":\"mail\"}}",
      "delivery.recipient:required delivery.phone:required delivery.address:required" },
    { &all, "{\"delivery\":{\"method\":\"mail\",\"recipient\":\"张三\",\"phone\":\"13800000000\",\"address\":\"某街\"}}",
      "" },
    { &all, "{\"delivery\":{\"method\":\"pigeon\",\"recipient\":5}}",
      "delivery.method:choice delivery.recipient:type" },

    { &some, "{\"invoice\":{\"type\":\"none\"}}", "invoice.type:not_sold" },
    { &some, "{\"invoice\":{" SPECIAL ",\"address\":\"a\"},\"delivery\":{\"method\":\"mail\",\"recipient\":\"r\","
      "\"phone\":\"13800000000\",\"address\":\"a\"}}",
      "invoice.type:not_sold delivery.method:not_sold" },
    { &none, "{\"invoice\":{\"type\":\"none\"}}", "" },
    { &none, "{\"invoice\":{\"type\":\"ordinary\",\"title\":\"t\"," TAX "}}", "invoice.type:not_sold" },
    { &none, "{\"delivery\":{\"method\":\"pickup\"}}", "delivery.method:not_sold" },

    { &all, "{\"email\":\"x\",\"address\":{\"city\":\"\"},\"invoice\":{\"type\":\"ordinary\"},\"delivery\":7}",
      "email:too_short delivery:type address.province:required address.city:required address.street:required "
      "invoice.title:required invoice.tax_number:required" },
};


static void
read_body(cp_call_t *call, cp_arena_t *arena, const char *body)
{
    memset(call, 0, sizeof(*call));
    call->arena = arena;
    call->body = cp_str(body);
    call->content_type = CP_STR("application/json");
}


static void
test_bad_fields(void **unused)
{
    size_t i, n;

    (void) unused;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cp_arena_t     *arena = cp_arena_new(0);
        cp_order_edit_t edit;
        cp_code_t       code;
        cp_call_t       call;
        char            got[1000] = "";

        read_body(&call, arena, rows[i].body);
        code = cp_order_read_edit(&call, rows[i].terms, &edit);

        for (n = 0; n < call.bad_count; n++) {
            size_t at = strlen(got);

            snprintf(got + at, sizeof(got) - at, "%s%.*s:%s", n == 0 ? "" : " ", (int) call.bad[n].name.len,
                     call.bad[n].name.data, cp_field_error(call.bad[n].why)->code);
        }

        if (strcmp(got, rows[i].bad) != 0) {
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].body, got, rows[i].bad);
        }
        assert_int_equal(code, rows[i].bad[0] == '\0' ? CP_OK : CP_E_INVALID);
        assert_int_equal(edit.change != NULL, code == CP_OK);

        json_decref(edit.change);
        cp_call_end(&call);
        cp_arena_free(arena);
    }
}


/* Texts are trimmed, a part is replaced as a whole, an invoice of "none" keeps nothing else. */
static void
test_change(void **unused)
{
    cp_arena_t     *arena = cp_arena_new(0);
    cp_order_edit_t edit;
    cp_call_t       call;
    char           *text;

    (void) unused;

    read_body(&call, arena, "{\"email\":\" a@example.cn \",\"invoice\":{\"type\":\"none\",\"title\":\"t\"},"
                            "\"version\":3,\"delivery\":{\"method\":\"pickup\",\"place\":\"一楼\",\"courier\":null}}");
    assert_int_equal(cp_order_read_edit(&call, &all, &edit), CP_OK);
    assert_int_equal(edit.version, 3);

    text = json_dumps(edit.change, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"delivery\":{\"method\":\"pickup\",\"place\":\"一楼\"},\"email\":\"a@example.cn\","
                              "\"invoice\":{\"type\":\"none\"}}");
    free(text);

    json_decref(edit.change);
    cp_call_end(&call);
    cp_arena_free(arena);
}


static void
test_masks(void **unused)
{
    static const char details[] = "{\"email\":\"agent@example.cn\",\"address\":{\"city\":\"c\",\"street\":\"某街1号\"},"
                                  "\"invoice\":{\"account\":\"12345678\",\"phone\":\"0471-1234567\",\"title\":\"某单位\"},"
                                  "\"delivery\":{\"recipient\":\"张三丰\",\"phone\":\"13812348000\",\"address\":\"某街\"}}";
    static const char *const hidden[] = { "agent@", "某街", "12345678", "1234567", "张三丰", "13812348000" };

    cp_arena_t *arena = cp_arena_new(0);
    cp_call_t   call = { .arena = arena };
    json_t     *owner = json_loads(details, 0, NULL), *staff = json_loads(details, 0, NULL);
    char       *text;
    size_t      i;

    (void) unused;

    assert_int_equal(cp_order_mask_details(&call, owner, CP_ORDER_FOR_OWNER), CP_OK);
    text = json_dumps(owner, JSON_COMPACT);
    assert_non_null(strstr(text, "张三丰"));
    assert_non_null(strstr(text, "agent@example.cn"));
    assert_null(strstr(text, "13812348000"));
    free(text);

    assert_int_equal(cp_order_mask_details(&call, staff, CP_ORDER_FOR_STAFF), CP_OK);
    text = json_dumps(staff, JSON_COMPACT);
    for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (strstr(text, hidden[i]) != NULL) {
            fail_msg("%s in %s", hidden[i], text);
        }
    }
    assert_non_null(strstr(text, "某单位"));
    assert_non_null(strstr(text, "****5678"));
    free(text);

    json_decref(owner);
    json_decref(staff);
    cp_arena_free(arena);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_fields),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_masks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
