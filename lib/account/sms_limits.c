#include "account/sms_limits.h"

#include "account/sms_returned.h"
#include "base/clock.h"
#include "base/metric.h"

#define MINUTE  60
#define HOUR    3600
#define DAY     (24 * HOUR)

/* Before a code that did not come back counts against its segment. */
#define GRACE_MS  (2 * 60 * 1000)

/* An alarm is told once in so many seconds. */
#define ALARM_S  600

/* Of the last day and hour: from then on `adaptive` wants a captcha. */
#define CALM_NUMBER   2
#define CALM_ADDRESS  3

#define LIMIT(member)  offsetof(cp_sms_limits_t, member)

/* `kept`: counted in MySQL as well. What a minute holds is not: it would be over before anybody could count. */
static const struct {
    const char  *kind;
    cp_sms_by_t  by;
    int64_t      window_s;
    size_t       most;         /* where its number stands in the configuration */
    bool         kept;
} table[CP_SMS_LIMITS] = {
    { "sms-minute",       CP_SMS_BY_NUMBER,  MINUTE, LIMIT(number_minute), false },
    { "sms-hour",         CP_SMS_BY_NUMBER,  HOUR,   LIMIT(number_hour),   true },
    { "sms-day",          CP_SMS_BY_NUMBER,  DAY,    LIMIT(number_day),    true },
    { "sms-address-hour", CP_SMS_BY_ADDRESS, HOUR,   LIMIT(address_hour),  true },
    { "sms-address-day",  CP_SMS_BY_ADDRESS, DAY,    LIMIT(address_day),   true },
    { "sms-network-hour", CP_SMS_BY_NETWORK, HOUR,   LIMIT(network_hour),  true },
    { "sms-budget",       CP_SMS_BY_ALL,     MINUTE, LIMIT(budget_minute), false },
};


cp_code_t
cp_sms_target(cp_call_t *call, cp_str_t phone, cp_sms_target_t *target)
{
    target->phone = phone;
    target->segment = cp_str_n(phone.data, phone.len < CP_SMS_SEGMENT ? phone.len : CP_SMS_SEGMENT);
    CP_TRY(cp_blind_index(call->app->keys, call->arena, "account.phone", phone, &target->index));
    CP_TRY(cp_call_address(call, &target->address));

    target->name = cp_str_hex(call->arena, target->index);
    return target->name.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


static cp_str_t
key_of(cp_call_t *call, const cp_sms_target_t *target, unsigned row)
{
    const cp_str_t who[] = {
        [CP_SMS_BY_NUMBER] = target->name,
        [CP_SMS_BY_ADDRESS] = target->address.name,
        [CP_SMS_BY_NETWORK] = target->address.network,
        [CP_SMS_BY_ALL] = CP_STR("all"),
    };

    return cp_redis_key(&call->app->redis, call->arena, table[row].kind, who[table[row].by]);
}


static cp_code_t
count_row(cp_call_t *call, const cp_sms_target_t *target, unsigned row, cp_limit_known_t *known)
{
    int64_t now = cp_now_ms(), window = table[row].window_s * 1000, oldest;

    *known = (cp_limit_known_t) { 0, table[row].window_s };
    if (!table[row].kept) {
        return CP_OK;
    }

    CP_TRY(cp_sms_count(call, target, table[row].by, now - window, &known->counted, &oldest));
    if (known->counted != 0) {
        known->left_s = (oldest + window - now) / 1000 + 1;
    }

    return CP_OK;
}


/* The limits that are on, with what rows say of them. */
static cp_code_t
collect(cp_call_t *call, const cp_sms_target_t *target, cp_sms_taken_t *taken)
{
    const char *conf = (const char *) &call->app->sms_limits;
    unsigned    row;

    taken->count = 0;
    taken->left_today = -1;

    for (row = 0; row < CP_SMS_LIMITS; row++) {
        const unsigned *most = (const unsigned *) (conf + table[row].most);
        size_t          n = taken->count;

        if (*most == 0) {
            continue;
        }

        taken->limits[n] = (cp_limit_t) { key_of(call, target, row), *most, table[row].window_s };
        taken->rows[n] = row;
        CP_TRY(count_row(call, target, row, &taken->known[n]));
        taken->count++;

        if (table[row].most == LIMIT(number_day)) {
            taken->left_today = *most > taken->known[n].counted ? *most - taken->known[n].counted - 1 : 0;
        }
    }

    return CP_OK;
}


/* True for the first in a while: one line an alarm, not one a request. */
static bool
is_news(cp_call_t *call, const char *alarm, cp_str_t of)
{
    cp_limit_t told = { cp_redis_key(&call->app->redis, call->arena, alarm, of), 1, ALARM_S };
    unsigned   wait_s;

    return cp_limit_take(&call->app->redis, call->arena, &told, 1, NULL, &wait_s) == CP_OK;
}


/*
 * Who pumps messages to numbers of their own does not send the codes back. A segment is stopped as long as the codes
 * of the last while say so: those that were sent leave it one by one.
 */
static cp_code_t
check_segment(cp_call_t *call, cp_str_t segment)
{
    const cp_sms_limits_t *conf = &call->app->sms_limits;
    int64_t                now = cp_now_ms(), time_ms = (int64_t) conf->segment_time_s * 1000;
    int64_t                count, returned, oldest;

    if (conf->segment_codes == 0) {
        return CP_OK;
    }

    CP_TRY(cp_sms_count_returned(call, segment, now - time_ms, now - GRACE_MS, &count, &returned, &oldest));
    if (count < conf->segment_codes || returned * 100 >= count * conf->segment_return) {
        return CP_OK;
    }

    cp_metric(CP_METRIC_SMS_STOPPED);
    if (is_news(call, "sms-stopped", segment)) {
        cp_log(CP_LOG_ERROR, "codes to numbers that begin with %.*s are stopped: %lld of the last %lld came back",
               (int) segment.len, segment.data, (long long) returned, (long long) count);
    }
    call->retry_after_s = (unsigned) ((oldest + time_ms - now) / 1000 + 1);

    return CP_E_RATE_LIMITED;
}


/* The budget is everybody's: who comes too late did nothing wrong, and a person must look. */
static cp_code_t
refuse(cp_call_t *call, unsigned row)
{
    if (table[row].by != CP_SMS_BY_ALL) {
        cp_metric(CP_METRIC_SMS_LIMITED);
        return CP_E_RATE_LIMITED;
    }

    cp_metric(CP_METRIC_SMS_OVER_BUDGET);
    if (is_news(call, "sms-budget-told", CP_STR("all"))) {
        cp_log(CP_LOG_ERROR, "the budget of %u codes a minute is used up", call->app->sms_limits.budget_minute);
    }

    return CP_E_BUSY;
}


cp_code_t
cp_sms_limits_take(cp_call_t *call, const cp_sms_target_t *target, const cp_limit_record_t *record,
                   cp_sms_taken_t *taken)
{
    cp_limit_verdict_t verdict;
    cp_code_t          code;

    CP_TRY(cp_sms_returned_mark(call));
    CP_TRY(check_segment(call, target->segment));
    CP_TRY(collect(call, target, taken));

    code = cp_limit_take_known(&call->app->redis, call->arena, taken->limits, taken->known, taken->count, record,
                               &verdict);
    if (code == CP_E_RATE_LIMITED) {
        call->retry_after_s = verdict.wait_s;
        return refuse(call, taken->rows[verdict.which]);
    }
    taken->wait_s = verdict.wait_s;

    return code;
}


cp_code_t
cp_sms_limits_give_back(cp_call_t *call, const cp_sms_taken_t *taken, bool paid)
{
    size_t count = taken->count;

    /* The first row is the wait for the next, where there is one. */
    if (paid) {
        count = count != 0 && taken->rows[0] == 0 ? 1 : 0;
    }

    return count == 0 ? CP_OK : cp_limit_give_back(&call->app->redis, taken->limits, count);
}


cp_code_t
cp_sms_needs_captcha(cp_call_t *call, const cp_sms_target_t *target, bool *needed)
{
    int64_t now = cp_now_ms(), count, oldest;

    *needed = call->app->captcha.sms == CP_CAPTCHA_ALWAYS;
    if (call->app->captcha.sms != CP_CAPTCHA_ADAPTIVE) {
        return CP_OK;
    }

    CP_TRY(cp_sms_count(call, target, CP_SMS_BY_NUMBER, now - DAY * 1000LL, &count, &oldest));
    *needed = count >= CALM_NUMBER;
    if (*needed) {
        return CP_OK;
    }

    CP_TRY(cp_sms_count(call, target, CP_SMS_BY_ADDRESS, now - HOUR * 1000LL, &count, &oldest));
    *needed = count >= CALM_ADDRESS;

    return CP_OK;
}
