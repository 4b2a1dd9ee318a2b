/* What somebody who knows the holder tries as a password first. */
#include <string.h>

#include "account/login.h"
#include "account/password_strength.h"
#include "identity/identity.h"

#define BIRTHDAY_AT   6    /* in an ID number of GB 11643: YYYYMMDD */
#define BIRTHDAY      8
#define ID_NUMBER     18

typedef struct {
    cp_str_t *words;
    size_t    count;
} list_t;


static void
add(list_t *list, cp_str_t word)
{
    if (word.len >= 3 && list->count < CP_PASSWORD_CONTEXT) {
        list->words[list->count++] = word;
    }
}


/* The last characters of a text that is that long. */
static void
add_end(list_t *list, cp_str_t text, size_t length)
{
    if (text.len > length) {
        add(list, cp_str_n(text.data + text.len - length, length));
    }
}


static cp_code_t
add_logins(cp_call_t *call, const cp_account_t *account, list_t *list)
{
    static const cp_login_kind_t kinds[] = { CP_LOGIN_EMAIL, CP_LOGIN_USER_NAME, CP_LOGIN_COMPANY };

    const char *at;
    cp_str_t    shown;
    bool        confirmed;
    cp_code_t   code;
    size_t      i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        code = cp_login_find(call, account->id, kinds[i], &shown, &confirmed);
        if (code == CP_E_NOT_FOUND) {
            continue;
        }
        CP_TRY(code);

        add(list, shown);
        at = kinds[i] == CP_LOGIN_EMAIL ? memchr(shown.data, '@', shown.len) : NULL;
        if (at != NULL) {
            add(list, cp_str_n(shown.data, (size_t) (at - shown.data)));
        }
    }

    return CP_OK;
}


static cp_code_t
add_person(cp_call_t *call, int64_t id, list_t *list)
{
    cp_person_t person;

    CP_TRY(cp_person_by_id(call, id, &person));

    add(list, person.name);
    add(list, person.id_number);
    add_end(list, person.id_number, 6);
    if (person.id_number.len == ID_NUMBER) {
        add(list, cp_str_n(person.id_number.data + BIRTHDAY_AT, BIRTHDAY));
        add(list, cp_str_n(person.id_number.data + BIRTHDAY_AT + 2, BIRTHDAY - 2));
    }

    return CP_OK;
}


cp_code_t
cp_password_context(cp_call_t *call, const cp_account_t *account, cp_str_t words[CP_PASSWORD_CONTEXT], size_t *count)
{
    list_t list = { words, 0 };

    add(&list, account->phone);
    add_end(&list, account->phone, 8);
    add_end(&list, account->phone, 6);

    CP_TRY(add_logins(call, account, &list));
    if (account->person != 0) {
        CP_TRY(add_person(call, account->person, &list));
    }
    *count = list.count;

    return CP_OK;
}
