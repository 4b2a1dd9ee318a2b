#include "account/phone_change.h"

const cp_word_t cp_phone_change_words[] = {
    { "submitted", 1 }, { "approved", 2 }, { "rejected", 4 }, { "superseded", 8 }, { NULL, 0 },
};


bool
cp_phone_change_is_open(const cp_phone_change_t *change, int64_t now_ms)
{
    return cp_str_is(change->state, "submitted") && now_ms < change->expires_ms;
}


const char *
cp_phone_change_state(const cp_phone_change_t *change, int64_t now_ms)
{
    return cp_str_is(change->state, "submitted") && !cp_phone_change_is_open(change, now_ms) ? "expired"
           : cp_word_name(cp_phone_change_words, cp_word_bit(cp_phone_change_words, change->state));
}
