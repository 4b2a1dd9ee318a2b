#include "audit/audit_rules.h"

#include <string.h>

#define NUMBER_SIZE  8


static unsigned char *
put_number(unsigned char *p, uint64_t value)
{
    int shift;

    for (shift = 56; shift >= 0; shift -= 8) {
        *p++ = (unsigned char) (value >> shift);
    }

    return p;
}


static unsigned char *
put_text(unsigned char *p, cp_str_t text)
{
    p = put_number(p, text.data == NULL ? UINT64_MAX : text.len);
    if (text.data != NULL && text.len != 0) {
        memcpy(p, text.data, text.len);
    }

    return p + text.len;
}


cp_code_t
cp_audit_chain_row(cp_arena_t *arena, cp_str_t key, unsigned char state[CP_SHA256_SIZE], const cp_audit_row_t *row)
{
    const cp_str_t texts[] = { row->actor_kind,  row->address,   row->request_id, row->action,
                               row->object_kind, row->object_id, row->detail };

    size_t         i, size = CP_SHA256_SIZE + 1 + 3 * NUMBER_SIZE;
    unsigned char *bytes, *p;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size += NUMBER_SIZE + texts[i].len;
    }

    bytes = cp_alloc(arena, size);
    if (bytes == NULL) {
        return CP_E_NO_MEMORY;
    }

    memcpy(bytes, state, CP_SHA256_SIZE);
    p = bytes + CP_SHA256_SIZE;
    *p++ = 'R';
    p = put_number(p, (uint64_t) row->id);
    p = put_number(p, (uint64_t) row->created_ms);
    p = put_number(p, (uint64_t) row->actor_id);
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        p = put_text(p, texts[i]);
    }

    return cp_hmac(key, cp_str_n(bytes, (size_t) (p - bytes)), state);
}


cp_code_t
cp_audit_chain_seal(cp_str_t key, unsigned char state[CP_SHA256_SIZE], const cp_audit_seal_t *seal)
{
    unsigned char bytes[CP_SHA256_SIZE + 1 + 4 * NUMBER_SIZE], *p = bytes + CP_SHA256_SIZE;

    memcpy(bytes, state, CP_SHA256_SIZE);
    *p++ = 'S';
    p = put_number(p, (uint64_t) seal->id);
    p = put_number(p, (uint64_t) seal->row_count);
    p = put_number(p, (uint64_t) seal->last_row);
    put_number(p, (uint64_t) seal->created_ms);

    return cp_hmac(key, cp_str_n(bytes, sizeof(bytes)), state);
}
