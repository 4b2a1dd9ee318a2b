#include "account/login.h"

#include <string.h>

#define USER_NAME_MIN  4
#define USER_NAME_MAX  32
#define COMPANY_MIN    4

static const char *const kind_names[] = {
    [CP_LOGIN_PHONE] = "phone",
    [CP_LOGIN_EMAIL] = "email",
    [CP_LOGIN_USER_NAME] = "user_name",
    [CP_LOGIN_COMPANY] = "company",
};


const char *
cp_login_kind_name(cp_login_kind_t kind)
{
    return kind_names[kind];
}


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static bool
is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}


cp_code_t
cp_login_read(cp_arena_t *arena, cp_str_t typed, cp_login_t *login)
{
    bool   wide = false, digits = true;
    size_t i;

    login->text = cp_str_fold(arena, typed);
    if (login->text.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    for (i = 0; i < login->text.len; i++) {
        wide = wide || (unsigned char) login->text.data[i] >= 0x80;
        digits = digits && is_digit(login->text.data[i]);
    }

    login->kind = memchr(login->text.data, '@', login->text.len) != NULL ? CP_LOGIN_EMAIL
                  : digits ? CP_LOGIN_PHONE : wide ? CP_LOGIN_COMPANY : CP_LOGIN_USER_NAME;

    return CP_OK;
}


cp_field_code_t
cp_field_user_name(const cp_call_t *call, cp_str_t value)
{
    size_t i;
    char   c;

    (void) call;

    for (i = 0; i < value.len; i++) {
        c = (char) (value.data[i] | ' ');
        if (!is_letter(c) && (i == 0 || (!is_digit(value.data[i]) && strchr("_.-", value.data[i]) == NULL))) {
            return CP_F_FORMAT;
        }
    }

    return i < USER_NAME_MIN ? CP_F_TOO_SHORT : i > USER_NAME_MAX ? CP_F_TOO_LONG : CP_F_END;
}


cp_field_code_t
cp_field_company(const cp_call_t *call, cp_str_t value)
{
    cp_login_t login;
    size_t     i, wide = 0;

    if (cp_login_read(call->arena, value, &login) != CP_OK || login.kind != CP_LOGIN_COMPANY) {
        return CP_F_FORMAT;
    }

    /* The first bytes of characters beyond ASCII. */
    for (i = 0; i < login.text.len; i++) {
        wide += (unsigned char) login.text.data[i] >= 0xc0;
    }

    return wide < 2 ? CP_F_FORMAT : cp_str_chars(login.text) < COMPANY_MIN ? CP_F_TOO_SHORT : CP_F_END;
}


cp_str_t
cp_mask_email(cp_arena_t *arena, cp_str_t email)
{
    const char *at = email.data == NULL ? NULL : memrchr(email.data, '@', email.len);

    if (at == NULL || at == email.data) {
        return cp_str_dup(arena, CP_STR("***"));
    }

    return cp_str_printf(arena, "%c***%.*s", email.data[0], (int) (email.data + email.len - at), at);
}


cp_str_t
cp_mask_login(cp_arena_t *arena, cp_str_t typed)
{
    cp_login_t login;

    if (cp_login_read(arena, typed, &login) != CP_OK) {
        return CP_STR_NULL;
    }

    switch (login.kind) {
    case CP_LOGIN_PHONE:
        return cp_mask_phone(arena, login.text);
    case CP_LOGIN_EMAIL:
        return cp_mask_email(arena, typed);
    case CP_LOGIN_USER_NAME:
        return cp_mask_name(arena, typed);
    default:
        return typed;
    }
}
