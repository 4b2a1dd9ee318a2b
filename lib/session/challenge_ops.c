#include "session/challenge_ops.h"

#include <ctype.h>
#include <stddef.h>

#include "call/fields.h"
#include "catalog/catalog.h"
#include "session/challenge.h"
#include "session/sign_in.h"

#define CERTIFICATE_MAX  12000    /* characters of base64 */
#define SIGNATURE_MAX    1024
#define SERIAL_MAX       40       /* hexadecimal digits: 20 octets, RFC 5280 section 4.1.2.2 */

typedef struct {
    cp_str_t  method;
    cp_str_t  challenge;
    cp_str_t  certificate;
    cp_str_t  serial;
    cp_str_t  signature;
} input_t;


static cp_field_code_t
check_id(const cp_call_t *call, cp_str_t id)
{
    (void) call;

    return cp_str_is_base64url(id) ? CP_F_END : CP_F_FORMAT;
}


static cp_field_code_t
check_hex(const cp_call_t *call, cp_str_t text)
{
    size_t i;

    (void) call;

    for (i = 0; i < text.len; i++) {
        if (!isxdigit((unsigned char) text.data[i])) {
            return CP_F_FORMAT;
        }
    }

    return CP_F_END;
}


static const cp_field_t fields[] = {
    { "method", CP_FIELD_TEXT, true, 1, 16, offsetof(input_t, method), NULL, NULL },
    { "challenge", CP_FIELD_TEXT, true, 1, 64, offsetof(input_t, challenge), check_id, NULL },
    { "certificate", CP_FIELD_TEXT, false, 1, CERTIFICATE_MAX, offsetof(input_t, certificate), NULL, NULL },
    { "serial", CP_FIELD_TEXT, false, 1, SERIAL_MAX, offsetof(input_t, serial), check_hex, NULL },
    { "signature", CP_FIELD_TEXT, true, 1, SIGNATURE_MAX, offsetof(input_t, signature), NULL, NULL },
};


cp_code_t
cp_op_challenge_create(cp_call_t *call)
{
    cp_challenge_t challenge;
    cp_str_t       message;
    char           nothing;

    CP_TRY(cp_body_fields(call, NULL, 0, &nothing, sizeof(nothing)));
    CP_TRY(cp_sign_in_offered(call, CP_SIGN_IN_CHALLENGE));
    CP_TRY(cp_challenge_make(call, &challenge));

    message = cp_challenge_message(call->arena, &challenge);

    return cp_answer(call, 201,
                     json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", cp_json(challenge.id), "message", cp_json(message),
                               "nonce", cp_json(challenge.nonce), "origin", cp_json(challenge.origin), "expires",
                               cp_json_time(call, challenge.expires_ms)));
}


static cp_str_t
decode(cp_call_t *call, const char *name, cp_str_t text)
{
    cp_str_t bytes = CP_STR_NULL;

    if (text.data != NULL && (!cp_str_unbase64(call->arena, text, &bytes) || bytes.len == 0)) {
        cp_bad_field(call, cp_str(name), CP_F_FORMAT);
    }

    return bytes;
}


/* As the rows have it: small letters, no leading zeros. */
static cp_str_t
serial_of(cp_call_t *call, cp_str_t text)
{
    cp_str_t serial = text.data == NULL ? text : cp_str_dup(call->arena, text);
    size_t   i;

    for (i = 0; i < serial.len; i++) {
        serial.data[i] = (char) tolower((unsigned char) serial.data[i]);
    }
    while (serial.len > 1 && serial.data[0] == '0') {
        serial.data++;
        serial.len--;
    }

    return serial;
}


static bool
was_sent(const cp_call_t *call, const char *name)
{
    const json_t *value = json_object_get(call->input, name);

    return value != NULL && !json_is_null(value);
}


/* The certificate itself or its number: one of them. */
static void
check_choice(cp_call_t *call)
{
    bool certificate = was_sent(call, "certificate"), serial = was_sent(call, "serial");

    if (!certificate && !serial) {
        cp_bad_field(call, CP_STR("certificate"), CP_F_REQUIRED);
    } else if (certificate && serial) {
        cp_bad_field(call, CP_STR("serial"), CP_F_NOT_SOLD);
    }
}


cp_code_t
cp_challenge_answered(cp_call_t *call, cp_certificate_t *certificate)
{
    input_t               in;
    cp_challenge_answer_t answer;
    cp_code_t             code;

    code = cp_body_read(call, fields, &in);
    if (code != CP_OK && code != CP_E_INVALID) {
        return code;
    }

    answer.id = in.challenge;
    answer.certificate = decode(call, "certificate", in.certificate);
    answer.signature = decode(call, "signature", in.signature);
    answer.serial = serial_of(call, in.serial);
    check_choice(call);
    CP_TRY(cp_fields_verdict(call));

    return cp_challenge_verify(call, &answer, certificate);
}
