#include "captcha/captcha_ops.h"

#include "captcha/captcha_draw.h"
#include "captcha/captcha_question.h"
#include "captcha/captcha_store.h"

static const cp_word_t kinds[] = {
    { "image", 0x01u },
    { "text",  0x02u },
    { NULL,    0 }
};


/* `kind`: a picture unless a question is asked for. */
static cp_code_t
read_kind(cp_call_t *call, cp_captcha_kind_t *kind)
{
    static const char *const names[] = { "kind", NULL };

    cp_str_t value;
    unsigned bit;

    CP_TRY(cp_query_only(call, names));
    CP_TRY(cp_query_param(call, "kind", &value));

    bit = value.data == NULL ? 0x01u : cp_word_bit(kinds, value);
    if (bit == 0) {
        cp_bad_field(call, CP_STR("kind"), CP_F_CHOICE);
        return CP_E_BAD_QUERY;
    }

    *kind = bit == 0x01u ? CP_CAPTCHA_IMAGE : CP_CAPTCHA_QUESTION;
    return CP_OK;
}


static cp_code_t
give_question(cp_call_t *call)
{
    cp_str_t question, answer, id;

    CP_TRY(cp_captcha_question(call->arena, call->lang, &question, &answer));
    CP_TRY(cp_captcha_keep(call, CP_CAPTCHA_QUESTION, answer, &id));

    return cp_answer(call, 200, json_pack("{s:o, s:o, s:i}", "id", cp_json(id), "question", cp_json(question),
                                          "expires_in", CP_CAPTCHA_LIVE_S));
}


/* Stored before it is drawn: who may have no more costs no drawing. */
static cp_code_t
give_image(cp_call_t *call)
{
    cp_str_t signs = cp_captcha_signs(call->arena), id, png, text, url;

    if (signs.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_captcha_keep(call, CP_CAPTCHA_IMAGE, signs, &id));
    CP_TRY(cp_captcha_draw(call->arena, signs, &png));

    text = cp_str_base64(call->arena, png);
    url = text.data == NULL ? text : cp_str_printf(call->arena, "data:image/png;base64,%s", text.data);
    if (url.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    return cp_answer(call, 200, json_pack("{s:o, s:o, s:i}", "id", cp_json(id), "image", cp_json(url), "expires_in",
                                          CP_CAPTCHA_LIVE_S));
}


cp_code_t
cp_op_captcha_create(cp_call_t *call)
{
    cp_captcha_kind_t kind;

    CP_TRY(read_kind(call, &kind));

    return kind == CP_CAPTCHA_IMAGE ? give_image(call) : give_question(call);
}
