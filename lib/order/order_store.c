#include "order/order_store.h"

#include "base/clock.h"

#define COLUMNS                                                                                                        \
    "id, no, hall, project, product, service, account_id, unit_id, person_id, agent_index, state, version, flow, "     \
    "amount_fen, paid_fen, delivery, sale, details_sealed, agreement_version, agreement_sha256, csr, csr_by, "         \
    "profile, years, claim_staff, claim_until, reasons, courier, tracking, created_at, updated_at, submitted_at"
#define COLUMN_TYPES  "isssssiiissisiissssssssiiisssiii"

#define OWN                                                                                                            \
    "SELECT " COLUMNS " FROM certificate_order o WHERE no = ? AND account_id = ? AND EXISTS "                          \
    "(SELECT 1 FROM unit_member m WHERE m.unit_id = o.unit_id AND m.account_id = o.account_id)"

static const char sql_own[] = OWN;
static const char sql_own_lock[] = OWN " FOR UPDATE";
static const char sql_any[] =
    "SELECT " COLUMNS " FROM certificate_order WHERE no = ?";
static const char sql_any_lock[] =
    "SELECT " COLUMNS " FROM certificate_order WHERE no = ? FOR UPDATE";
static const char sql_by_id[] =
    "SELECT " COLUMNS " FROM certificate_order WHERE id = ?";
static const char sql_by_id_lock[] =
    "SELECT " COLUMNS " FROM certificate_order WHERE id = ? FOR UPDATE";

static const char sql_any_open[] =
    "SELECT EXISTS (SELECT 1 FROM certificate_order WHERE account_id = ? "
    "AND state NOT IN ('completed', 'cancelled', 'refunded'))";

static const char sql_insert[] =
    "INSERT INTO certificate_order (no, hall, project, product, service, account_id, unit_id, person_id, agent_index, "
    "state, version, flow, amount_fen, profile, years, sale, created_at, updated_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static const char sql_state[] =
    "UPDATE certificate_order SET state = ?, version = version + 1, updated_at = ?, "
    "hold_key = IF(?, NULL, hold_key), claim_staff = IF(?, NULL, claim_staff), "
    "claim_until = IF(?, NULL, claim_until) WHERE id = ? AND version = ?";

static const char sql_event[] =
    "INSERT INTO order_event (order_id, event, from_state, to_state, actor_kind, actor_id, public_reason, created_at) "
    "VALUES (?, ?, ?, ?, ?, NULLIF(?, 0), ?, ?)";

static const char sql_details[] =
    "UPDATE certificate_order SET details_sealed = ?, delivery = ? WHERE id = ?";
static const char sql_agreement[] =
    "UPDATE certificate_order SET agreement_version = ?, agreement_sha256 = ?, agreement_at = ? WHERE id = ?";
static const char sql_submitted[] =
    "UPDATE certificate_order SET submitted_at = ?, materials_sha256 = ? WHERE id = ?";
static const char sql_digest[] =
    "SELECT materials_sha256 FROM certificate_order WHERE id = ?";
static const char sql_claim[] =
    "UPDATE certificate_order SET claim_staff = ?, claim_until = ? WHERE id = ?";
static const char sql_reasons[] =
    "UPDATE certificate_order SET reasons = ? WHERE id = ?";
static const char sql_shipping[] =
    "UPDATE certificate_order SET courier = ?, tracking = ? WHERE id = ?";
static const char sql_csr[] =
    "UPDATE certificate_order SET csr = ?, spki_sha256 = ?, csr_by = ? WHERE id = ?";
static const char sql_paid[] =
    "UPDATE certificate_order SET paid_fen = paid_fen + ? WHERE id = ?";
static const char sql_take_hold[] =
    "UPDATE certificate_order SET hold_key = ? WHERE id = ?";
static const char sql_release_hold[] =
    "UPDATE certificate_order SET hold_key = NULL WHERE id = ?";
static const char sql_check_hold[] =
    "SELECT id FROM certificate_order WHERE hold_key = ?";

static const char sql_certificates[] =
    "SELECT c.serial, c.not_before, c.not_after, c.state FROM issuance i JOIN certificate c ON c.issuance_id = i.id "
    "WHERE i.order_id = ? ORDER BY c.id";


static cp_code_t
take(cp_rows_t *rows, cp_order_t *o)
{
    cp_str_t state, flow, delivery;

    CP_TRY(cp_db_next(rows, &o->id, &o->no, &o->hall, &o->project, &o->product, &o->service, &o->account, &o->unit,
                      &o->person, &o->agent_index, &state, &o->version, &flow, &o->amount_fen, &o->paid_fen, &delivery,
                      &o->sale, &o->details, &o->agreement_version, &o->agreement_sha256, &o->csr, &o->csr_by,
                      &o->profile, &o->years, &o->claim_staff, &o->claim_until_ms, &o->reasons, &o->courier,
                      &o->tracking, &o->created_ms, &o->updated_ms, &o->submitted_ms));

    o->facts = cp_order_facts(flow, o->paid_fen, delivery, o->csr.data != NULL);

    return cp_order_state_of(state, &o->state) ? CP_OK : CP_E_INTERNAL;
}


cp_code_t
cp_order_find(cp_call_t *call, cp_str_t no, int64_t account, bool lock, cp_order_t *order)
{
    cp_rows_t *rows;

    CP_TRY(cp_call_db(call));

    if (!cp_order_is_number(no)) {
        return CP_E_NOT_FOUND;
    }

    if (account != 0) {
        CP_TRY(cp_db_query(call->db, &rows, lock ? sql_own_lock : sql_own, "si>" COLUMN_TYPES, no, account));
    } else {
        CP_TRY(cp_db_query(call->db, &rows, lock ? sql_any_lock : sql_any, "s>" COLUMN_TYPES, no));
    }

    return take(rows, order);
}


cp_code_t
cp_order_by_id(cp_call_t *call, int64_t id, bool lock, cp_order_t *order)
{
    cp_rows_t *rows;

    CP_TRY(cp_call_db(call));
    CP_TRY(cp_db_query(call->db, &rows, lock ? sql_by_id_lock : sql_by_id, "i>" COLUMN_TYPES, id));

    return take(rows, order);
}


cp_code_t
cp_order_insert(cp_call_t *call, cp_order_t *o)
{
    const char *flow = (o->facts & CP_IF_FREE) != 0        ? "free"
                       : (o->facts & CP_IF_PAY_FIRST) != 0 ? "pay_first"
                                                           : "review_first";

    CP_TRY(cp_db_exec(call->db, sql_insert, "sssssiiissisisisii", o->no, o->hall, o->project, o->product, o->service,
                      o->account, o->unit, o->person, o->agent_index, cp_str(cp_order_state_name(o->state)),
                      o->version, cp_str(flow), o->amount_fen, o->profile, o->years, o->sale, o->created_ms,
                      o->updated_ms));

    o->id = cp_db_insert_id(call->db);

    return CP_OK;
}


cp_code_t
cp_order_update_state(cp_call_t *call, const cp_order_t *order, cp_order_state_t next, int64_t now_ms)
{
    int64_t moves = next != order->state;
    int64_t frees = cp_order_frees_hold(next);

    CP_TRY(cp_db_exec(call->db, sql_state, "siiiiii", cp_str(cp_order_state_name(next)), now_ms, frees, moves, moves,
                      order->id, order->version));

    return cp_db_affected(call->db) == 1 ? CP_OK : CP_E_RETRY;
}


cp_code_t
cp_order_insert_event(cp_call_t *call, const cp_order_t *order, cp_order_event_t event, const char *from,
                      cp_order_state_t to, const char *actor_kind, int64_t actor_id, cp_str_t reason, int64_t now_ms)
{
    return cp_db_exec(call->db, sql_event, "issssisi", order->id, cp_str(cp_order_event_name(event)), cp_str(from),
                      cp_str(cp_order_state_name(to)), cp_str(actor_kind), actor_id, reason, now_ms);
}


cp_code_t
cp_order_update_details(cp_call_t *call, int64_t id, cp_str_t sealed, cp_str_t delivery)
{
    return cp_db_exec(call->db, sql_details, "ssi", sealed, delivery, id);
}


cp_code_t
cp_order_update_agreement(cp_call_t *call, int64_t id, cp_str_t version, cp_str_t sha256, int64_t at_ms)
{
    return cp_db_exec(call->db, sql_agreement, "ssii", version, sha256, at_ms, id);
}


cp_code_t
cp_order_update_submitted(cp_call_t *call, int64_t id, int64_t at_ms, cp_str_t materials_sha256)
{
    return cp_db_exec(call->db, sql_submitted, "isi", at_ms, materials_sha256, id);
}


cp_code_t
cp_order_submitted_digest(cp_call_t *call, int64_t id, cp_str_t *materials_sha256)
{
    return cp_db_row(call->db, sql_digest, "i>s", id, materials_sha256);
}


cp_code_t
cp_order_update_claim(cp_call_t *call, int64_t id, int64_t staff, int64_t until_ms)
{
    return cp_db_exec(call->db, sql_claim, "iii", staff, until_ms, id);
}


cp_code_t
cp_order_update_reasons(cp_call_t *call, int64_t id, cp_str_t reasons)
{
    return cp_db_exec(call->db, sql_reasons, "si", reasons, id);
}


cp_code_t
cp_order_update_shipping(cp_call_t *call, int64_t id, cp_str_t courier, cp_str_t tracking)
{
    return cp_db_exec(call->db, sql_shipping, "ssi", courier, tracking, id);
}


cp_code_t
cp_order_set_csr(cp_call_t *call, cp_order_t *order, cp_str_t der, cp_str_t spki_sha256, const char *by)
{
    CP_TRY(cp_db_exec(call->db, sql_csr, "sssi", der, spki_sha256, cp_str(by), order->id));

    order->csr = der;
    order->csr_by = cp_str(by);
    order->facts &= ~CP_IF_NO_KEY;

    return CP_OK;
}


cp_code_t
cp_order_add_paid(cp_call_t *call, cp_order_t *order, int64_t fen)
{
    CP_TRY(cp_db_exec(call->db, sql_paid, "ii", fen, order->id));

    order->paid_fen += fen;
    order->facts &= ~(CP_IF_PAID | CP_IF_UNPAID);
    order->facts |= order->paid_fen > 0 ? CP_IF_PAID : CP_IF_UNPAID;

    return CP_OK;
}


cp_code_t
cp_order_take_hold(cp_call_t *call, int64_t id, cp_str_t hold_key)
{
    cp_code_t code;

    if (hold_key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = cp_db_exec(call->db, sql_take_hold, "si", hold_key, id);

    return code == CP_E_DUPLICATE ? CP_E_ALREADY_HELD : code;
}


cp_code_t
cp_order_release_hold(cp_call_t *call, int64_t order)
{
    return cp_db_exec(call->db, sql_release_hold, "i", order);
}


cp_code_t
cp_order_is_any_open(cp_call_t *call, int64_t account, bool *any)
{
    int64_t found;

    CP_TRY(cp_db_row(call->db, sql_any_open, "i>i", account, &found));
    *any = found != 0;

    return CP_OK;
}


cp_code_t
cp_order_check_hold(cp_call_t *call, cp_str_t hold_key)
{
    int64_t   id;
    cp_code_t code;

    if (hold_key.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    code = cp_db_row(call->db, sql_check_hold, "s>i", hold_key, &id);

    return code == CP_OK ? CP_E_ALREADY_HELD : code == CP_E_NOT_FOUND ? CP_OK : code;
}


cp_code_t
cp_order_certificates(cp_call_t *call, int64_t id, json_t **list)
{
    cp_rows_t *rows;
    cp_str_t   serial, state;
    int64_t    not_before, not_after;

    CP_TRY(cp_db_query(call->db, &rows, sql_certificates, "i>siis", id));

    *list = json_array();
    while (cp_db_next(rows, &serial, &not_before, &not_after, &state) == CP_OK) {
        json_t *one = json_pack("{s:o, s:o, s:o, s:o}", "serial", cp_json(serial), "not_before",
                                cp_json_time(call, not_before), "not_after", cp_json_time(call, not_after), "state",
                                cp_json(state));

        if (json_array_append_new(*list, one) != 0) {
            json_decref(*list);
            return CP_E_NO_MEMORY;
        }
    }

    return *list == NULL ? CP_E_NO_MEMORY : CP_OK;
}
