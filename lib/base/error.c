#include "error.h"

#define ROW(name, code, status, level, zh, en)  [CP_E_##name] = { code, status, CP_LOG_##level, zh, en },

static const cp_error_t errors[] = { CP_ERRORS(ROW) };

#undef ROW
#define ROW(name, code, zh, en)  [CP_F_##name] = { code, zh, en },

static const cp_field_error_t field_errors[] = { CP_FIELD_ERRORS(ROW) };

#undef ROW


const cp_error_t *
cp_error(cp_code_t code)
{
    if (code <= CP_OK || (unsigned) code >= sizeof(errors) / sizeof(errors[0])) {
        return &errors[CP_E_INTERNAL];
    }

    return &errors[code];
}


const cp_field_error_t *
cp_field_error(cp_field_code_t code)
{
    return &field_errors[code < CP_F_END ? code : CP_F_FORMAT];
}
