#include "payment/payment_store.h"

#include <string.h>

#include "base/clock.h"
#include "base/random.h"

#define ID_BYTES       16
#define REMARK_DIGITS  9
#define TRIES          5

#define COLUMNS                                                                                                        \
    "p.id, p.public_id, p.order_id, o.no, p.method, p.amount_fen, p.state, p.remark_code, p.voucher_type, "            \
    "p.voucher_file, p.voucher_key, p.voucher_size, p.voucher_sha256, p.bank_reference, p.reason, p.created_at, "      \
    "p.decided_at"
#define COLUMN_TYPES  "isississsssisssii"
#define WITH_ORDER    " STRAIGHT_JOIN certificate_order o ON o.id = p.order_id "

static const char sql_find[] =
    "SELECT " COLUMNS " FROM payment p" WITH_ORDER "WHERE p.public_id = ?";
static const char sql_find_lock[] =
    "SELECT " COLUMNS " FROM payment p" WITH_ORDER "WHERE p.public_id = ? FOR UPDATE";
static const char sql_find_open[] =
    "SELECT " COLUMNS " FROM payment p" WITH_ORDER "WHERE p.order_id = ? AND p.is_open = 1";
static const char sql_of_order[] =
    "SELECT " COLUMNS " FROM payment p" WITH_ORDER "WHERE p.order_id = ? ORDER BY p.id LIMIT 200";
static const char sql_all[] =
    "SELECT " COLUMNS " FROM payment p FORCE INDEX (PRIMARY)" WITH_ORDER "WHERE p.id > ? ORDER BY p.id LIMIT ?";
static const char sql_state[] =
    "SELECT " COLUMNS " FROM payment p FORCE INDEX (payment_state)" WITH_ORDER
    "WHERE p.state = ? AND p.id > ? ORDER BY p.id LIMIT ?";

static const char sql_insert[] =
    "INSERT INTO payment (public_id, order_id, method, amount_fen, state, is_open, remark_code, created_at) "
    "VALUES (?, ?, ?, ?, 'pending', 1, ?, ?)";
static const char sql_insert_refund[] =
    "INSERT INTO payment (public_id, order_id, method, amount_fen, state, is_open, remark_code, bank_reference, "
    "decided_by, decided_at, created_at) VALUES (?, ?, 'refund', ?, 'confirmed', NULL, ?, ?, ?, ?, ?)";
static const char sql_has_reference[] =
    "SELECT id FROM payment WHERE bank_reference = ?";
static const char sql_voucher[] =
    "UPDATE payment SET voucher_file = ?, voucher_key = ?, voucher_type = ?, voucher_size = ?, voucher_sha256 = ? "
    "WHERE id = ?";
static const char sql_decide[] =
    "UPDATE payment SET state = ?, is_open = NULL, bank_reference = ?, reason = ?, decided_by = ?, decided_at = ? "
    "WHERE id = ? AND state = 'pending'";
static const char sql_close[] =
    "UPDATE payment SET state = 'closed', is_open = NULL, decided_at = ? WHERE order_id = ? AND is_open = 1";


cp_code_t
cp_payment_next(cp_rows_t *rows, cp_payment_t *p)
{
    cp_str_t digest;

    CP_TRY(cp_db_next(rows, &p->id, &p->public_id, &p->order, &p->order_no, &p->method, &p->amount_fen, &p->state,
                      &p->remark_code, &p->voucher_type, &p->voucher.file, &p->voucher.wrapped_key, &p->voucher.size,
                      &digest, &p->bank_reference, &p->reason, &p->created_ms, &p->decided_ms));

    p->voucher.type = p->voucher_type.data == NULL ? 0 : cp_type_of_mime(p->voucher_type);
    if (digest.len == sizeof(p->voucher.sha256)) {
        memcpy(p->voucher.sha256, digest.data, digest.len);
    }

    return CP_OK;
}


cp_code_t
cp_payment_find(cp_call_t *call, cp_str_t public_id, bool lock, cp_payment_t *payment)
{
    cp_rows_t *rows;
    size_t     i;

    for (i = 0; i < public_id.len; i++) {
        if ((unsigned char) public_id.data[i] >= 0x80) {
            return CP_E_NOT_FOUND;
        }
    }

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_query(call->db, &rows, lock ? sql_find_lock : sql_find, "s>" COLUMN_TYPES, public_id));

    return cp_payment_next(rows, payment);
}


cp_code_t
cp_payment_find_open(cp_call_t *call, int64_t order, cp_payment_t *payment)
{
    cp_rows_t *rows;

    CP_TRY(cp_db_query(call->db, &rows, sql_find_open, "i>" COLUMN_TYPES, order));

    return cp_payment_next(rows, payment);
}


cp_code_t
cp_payment_insert(cp_call_t *call, cp_payment_t *p)
{
    cp_code_t code = CP_E_DUPLICATE;
    int       i;

    p->state = CP_STR("pending");
    p->created_ms = cp_now_ms();

    for (i = 0; i < TRIES && code == CP_E_DUPLICATE; i++) {
        p->public_id = cp_random_id(call->arena, ID_BYTES);
        p->remark_code = cp_random_digits(call->arena, REMARK_DIGITS);
        if (p->public_id.data == NULL || p->remark_code.data == NULL) {
            return CP_E_NO_MEMORY;
        }
        code = cp_db_exec(call->db, sql_insert, "sisisi", p->public_id, p->order, p->method, p->amount_fen,
                          p->remark_code, p->created_ms);
    }

    p->id = cp_db_insert_id(call->db);

    return code == CP_E_DUPLICATE ? CP_E_BUSY : code;
}


static cp_code_t
check_reference(cp_call_t *call, cp_str_t bank_reference)
{
    int64_t   id;
    cp_code_t code;

    code = cp_db_row(call->db, sql_has_reference, "s>i", bank_reference, &id);

    return code == CP_OK ? CP_E_ALREADY_EXISTS : code == CP_E_NOT_FOUND ? CP_OK : code;
}


cp_code_t
cp_payment_record_refund(cp_call_t *call, int64_t order, int64_t fen, cp_str_t bank_reference)
{
    int64_t   now_ms = cp_now_ms();
    cp_code_t code = CP_E_DUPLICATE;
    int       i;

    CP_TRY(check_reference(call, bank_reference));

    for (i = 0; i < TRIES && code == CP_E_DUPLICATE; i++) {
        cp_str_t id = cp_random_id(call->arena, ID_BYTES);
        cp_str_t remark = cp_random_digits(call->arena, REMARK_DIGITS);

        if (id.data == NULL || remark.data == NULL) {
            return CP_E_NO_MEMORY;
        }
        code = cp_db_exec(call->db, sql_insert_refund, "siissiii", id, order, -fen, remark, bank_reference,
                          call->who.staff, now_ms, now_ms);
    }

    return code == CP_E_DUPLICATE ? CP_E_ALREADY_EXISTS : code;
}


cp_code_t
cp_payment_update_voucher(cp_call_t *call, int64_t id, const cp_stored_t *stored)
{
    return cp_db_exec(call->db, sql_voucher, "sssisi", stored->file, stored->wrapped_key,
                      cp_str(cp_type_mime(stored->type)), stored->size,
                      cp_str_n(stored->sha256, sizeof(stored->sha256)), id);
}


cp_code_t
cp_payment_decide(cp_call_t *call, int64_t id, const char *state, cp_str_t bank_reference, cp_str_t reason)
{
    cp_code_t code;

    code = cp_db_exec(call->db, sql_decide, "sssiii", cp_str(state), bank_reference, reason, call->who.staff,
                      cp_now_ms(), id);
    if (code == CP_E_DUPLICATE) {
        return CP_E_ALREADY_EXISTS;
    }
    CP_TRY(code);

    return cp_db_affected(call->db) == 1 ? CP_OK : CP_E_WRONG_STATE;
}


cp_code_t
cp_payment_close_open(cp_call_t *call, int64_t order)
{
    return cp_db_exec(call->db, sql_close, "ii", cp_now_ms(), order);
}


cp_code_t
cp_payment_page(cp_call_t *call, cp_str_t state, const cp_page_t *page, cp_rows_t **rows)
{
    if (state.data == NULL) {
        return cp_db_query(call->db, rows, sql_all, "ii>" COLUMN_TYPES, page->after, page->limit + 1);
    }

    return cp_db_query(call->db, rows, sql_state, "sii>" COLUMN_TYPES, state, page->after, page->limit + 1);
}


cp_code_t
cp_payment_of_order(cp_call_t *call, int64_t order, cp_rows_t **rows)
{
    return cp_db_query(call->db, rows, sql_of_order, "i>" COLUMN_TYPES, order);
}
