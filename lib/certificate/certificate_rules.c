#include "certificate/certificate_rules.h"

const cp_word_t cp_reason_words[] = {
    { "unspecified",          1u << 0 },
    { "key_compromise",       1u << 1 },
    { "affiliation_changed",  1u << 3 },
    { "superseded",           1u << 4 },
    { "cessation",            1u << 5 },
    { "privilege_withdrawn",  1u << 9 },
    { NULL, 0 }
};


const cp_word_t cp_holder_reason_words[] = {
    { "unspecified",          1u << 0 },
    { "key_compromise",       1u << 1 },
    { "affiliation_changed",  1u << 3 },
    { "superseded",           1u << 4 },
    { "cessation",            1u << 5 },
    { NULL, 0 }
};


int64_t
cp_reason_number(unsigned bit)
{
    return __builtin_ctz(bit);
}


const char *
cp_reason_name(int64_t number)
{
    return number < 0 || number > 10 ? NULL : cp_word_name(cp_reason_words, 1u << number);
}


cp_form_t
cp_form_of(cp_str_t word)
{
    static const struct { const char *name; cp_form_t form; } rows[] = {
        { "pem", CP_FORM_PEM }, { "der", CP_FORM_DER }, { "p7b", CP_FORM_P7B },
    };
    size_t i;

    if (word.data == NULL) {
        return CP_FORM_PEM;
    }
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cp_str_is(word, rows[i].name)) {
            return rows[i].form;
        }
    }

    return CP_FORM_UNKNOWN;
}
