/* The words of configuration and bodies, and the formats' names and first bytes. */
#include <string.h>
#include <strings.h>

#include "catalog/catalog.h"

const cp_word_t cp_type_words[] = {
    { "jpeg", CP_TYPE_JPEG }, { "jpg", CP_TYPE_JPEG }, { "png", CP_TYPE_PNG },
    { "bmp", CP_TYPE_BMP },   { "gif", CP_TYPE_GIF },  { "pdf", CP_TYPE_PDF },
    { NULL, 0 },
};

const cp_word_t cp_sign_in_words[] = {
    { "sms", CP_SIGN_IN_SMS },
    { "password", CP_SIGN_IN_PASSWORD },
    { "certificate", CP_SIGN_IN_CERTIFICATE },
    { "challenge", CP_SIGN_IN_CHALLENGE },
    { "scan", CP_SIGN_IN_SCAN },
    { "company", CP_SIGN_IN_COMPANY },
    { NULL, 0 },
};

const cp_word_t cp_applicant_words[] = {
    { "enterprise", CP_APPLICANT_ENTERPRISE },
    { "institution", CP_APPLICANT_INSTITUTION },
    { "person", CP_APPLICANT_PERSON },
    { NULL, 0 },
};

const cp_word_t cp_service_words[] = {
    { "new", CP_SERVICE_NEW },           { "change", CP_SERVICE_CHANGE },     { "reissue", CP_SERVICE_REISSUE },
    { "renew", CP_SERVICE_RENEW },       { "exchange", CP_SERVICE_EXCHANGE }, { "unlock", CP_SERVICE_UNLOCK },
    { "revoke", CP_SERVICE_REVOKE },     { NULL, 0 },
};

const cp_word_t cp_payment_words[] = {
    { "transfer", CP_PAYMENT_TRANSFER },
    { "wechat", CP_PAYMENT_WECHAT },
    { "alipay", CP_PAYMENT_ALIPAY },
    { NULL, 0 },
};

const cp_word_t cp_invoice_words[] = {
    { "none", CP_INVOICE_NONE },
    { "ordinary", CP_INVOICE_ORDINARY },
    { "special", CP_INVOICE_SPECIAL },
    { NULL, 0 },
};

const cp_word_t cp_delivery_words[] = {
    { "mail", CP_DELIVERY_MAIL },
    { "pickup", CP_DELIVERY_PICKUP },
    { NULL, 0 },
};

const cp_word_t cp_key_words[] = {
    { "holder", CP_KEY_HOLDER },
    { "station", CP_KEY_STATION },
    { NULL, 0 },
};

/* What a format is called in Content-Type, and how its files begin. */
static const struct {
    unsigned    type;
    const char *mime;
    size_t      len;
    const char *magic;
} formats[] = {
    { CP_TYPE_JPEG, "image/jpeg",      3, "\xff\xd8\xff" },
    { CP_TYPE_PNG,  "image/png",       8, "\x89PNG\r\n\x1a\n" },
    { CP_TYPE_BMP,  "image/bmp",       2, "BM" },
    { CP_TYPE_GIF,  "image/gif",       6, "GIF87a" },
    { CP_TYPE_GIF,  "image/gif",       6, "GIF89a" },
    { CP_TYPE_PDF,  "application/pdf", 5, "%PDF-" },
    { CP_TYPE_JPEG, "image/jpg",       0, NULL },
    { CP_TYPE_BMP,  "image/x-ms-bmp",  0, NULL },
    { CP_TYPE_BMP,  "image/x-bmp",     0, NULL },
};

static const cp_word_t endings[] = {
    { "jpg", CP_TYPE_JPEG }, { "jpeg", CP_TYPE_JPEG }, { "jpe", CP_TYPE_JPEG }, { "jfif", CP_TYPE_JPEG },
    { "png", CP_TYPE_PNG },  { "bmp", CP_TYPE_BMP },   { "dib", CP_TYPE_BMP },  { "gif", CP_TYPE_GIF },
    { "pdf", CP_TYPE_PDF },  { NULL, 0 },
};

#define FORMATS  (sizeof(formats) / sizeof(formats[0]))


unsigned
cp_word_bit(const cp_word_t *words, cp_str_t name)
{
    for (; words->name != NULL; words++) {
        if (cp_str_is(name, words->name)) {
            return words->bit;
        }
    }

    return 0;
}


const char *
cp_word_name(const cp_word_t *words, unsigned bit)
{
    for (; words->name != NULL; words++) {
        if (words->bit == bit) {
            return words->name;
        }
    }

    return NULL;
}


json_t *
cp_words_json(const cp_word_t *words, unsigned set)
{
    json_t *list = json_array();

    for (; words->name != NULL; words++) {
        /* A second name of the same bit ("jpg") is only understood, never shown. */
        if ((set & words->bit) != 0) {
            json_array_append_new(list, json_string(words->name));
            set &= ~words->bit;
        }
    }

    return list;
}


const char *
cp_type_mime(unsigned type)
{
    size_t i;

    for (i = 0; i < FORMATS; i++) {
        if (formats[i].type == type) {
            return formats[i].mime;
        }
    }

    return "application/octet-stream";
}


unsigned
cp_type_of_mime(cp_str_t content_type)
{
    const char *end;
    size_t      i, n;

    if (content_type.data == NULL) {
        return 0;
    }

    end = memchr(content_type.data, ';', content_type.len);
    n = end == NULL ? content_type.len : (size_t) (end - content_type.data);
    while (n > 0 && content_type.data[n - 1] == ' ') {
        n--;
    }

    for (i = 0; i < FORMATS; i++) {
        if (strlen(formats[i].mime) == n && strncasecmp(formats[i].mime, content_type.data, n) == 0) {
            return formats[i].type;
        }
    }

    return 0;
}


/* Behind the last dot of the last part of the path; {0, NULL} where there is none. */
static cp_str_t
ending_of(cp_str_t file_name)
{
    size_t i = file_name.len;

    while (i > 0 && file_name.data[i - 1] != '/' && file_name.data[i - 1] != '\\') {
        i--;
        if (file_name.data[i] == '.') {
            return cp_str_n(file_name.data + i + 1, file_name.len - i - 1);
        }
    }

    return CP_STR_NULL;
}


bool
cp_has_ending(cp_str_t file_name)
{
    return ending_of(file_name).data != NULL;
}


unsigned
cp_type_of_name(cp_str_t file_name)
{
    cp_str_t         ending = ending_of(file_name);
    const cp_word_t *row;

    for (row = endings; row->name != NULL; row++) {
        if (strlen(row->name) == ending.len && strncasecmp(row->name, ending.data, ending.len) == 0) {
            return row->bit;
        }
    }

    return 0;
}


unsigned
cp_type_of_bytes(cp_str_t head)
{
    size_t i;

    for (i = 0; i < FORMATS; i++) {
        if (formats[i].len != 0 && head.len >= formats[i].len
            && memcmp(head.data, formats[i].magic, formats[i].len) == 0)
        {
            return formats[i].type;
        }
    }

    return 0;
}
