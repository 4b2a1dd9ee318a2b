#include "material/material_rules.h"

#include <string.h>

static const cp_word_t endings[] = {
    { ".jpg", CP_TYPE_JPEG }, { ".png", CP_TYPE_PNG }, { ".bmp", CP_TYPE_BMP }, { ".gif", CP_TYPE_GIF },
    { ".pdf", CP_TYPE_PDF },  { NULL, 0 },
};


/* The bits of an array of words. */
static unsigned
bits_of(const cp_word_t *words, const json_t *list)
{
    unsigned bits = 0;
    size_t   i;
    json_t  *word;

    json_array_foreach(list, i, word) {
        bits |= cp_word_bit(words, cp_str(json_string_value(word)));
    }

    return bits;
}


static cp_code_t
read_text(cp_arena_t *arena, const json_t *value, cp_str_t *text)
{
    if (!json_is_string(value)) {
        return CP_E_INTERNAL;
    }

    *text = cp_str_dup(arena, cp_str_n(json_string_value(value), json_string_length(value)));

    return text->data == NULL ? CP_E_NO_MEMORY : CP_OK;
}


static cp_code_t
read_need(cp_arena_t *arena, const json_t *json, cp_need_t *need)
{
    CP_TRY(read_text(arena, json_object_get(json, "kind"), &need->kind));
    CP_TRY(read_text(arena, json_object_get(json, "title"), &need->title));

    need->limits.types = bits_of(cp_type_words, json_object_get(json, "types"));
    need->limits.max_size = json_integer_value(json_object_get(json, "max_size"));
    need->limits.max_pixels = json_integer_value(json_object_get(json, "max_pixels"));
    need->limits.max_pages = json_integer_value(json_object_get(json, "max_pages"));
    need->required = json_is_true(json_object_get(json, "required"));
    need->applicants = bits_of(cp_applicant_words, json_object_get(json, "applicants"));
    need->services = bits_of(cp_service_words, json_object_get(json, "services"));

    return CP_OK;
}


static cp_code_t
read_needs(cp_arena_t *arena, const json_t *list, cp_needs_t *needs)
{
    size_t  i;
    json_t *item;

    if (!json_is_array(list)) {
        return CP_E_INTERNAL;
    }

    needs->items = cp_calloc(arena, json_array_size(list), sizeof(cp_need_t));
    if (needs->items == NULL) {
        return CP_E_NO_MEMORY;
    }

    json_array_foreach(list, i, item) {
        CP_TRY(read_need(arena, item, &needs->items[i]));
        needs->count++;
    }

    return CP_OK;
}


cp_code_t
cp_needs_read(cp_arena_t *arena, cp_str_t sale, cp_needs_t *needs)
{
    json_t   *json;
    cp_code_t code;

    memset(needs, 0, sizeof(*needs));

    json = sale.data == NULL ? NULL : json_loadb(sale.data, sale.len, 0, NULL);
    code = read_needs(arena, json_object_get(json, "needs"), needs);
    json_decref(json);

    return code;
}


bool
cp_need_applies(const cp_need_t *need, cp_str_t applicant, cp_str_t service)
{
    return (need->applicants & cp_word_bit(cp_applicant_words, applicant)) != 0
           && (need->services & cp_word_bit(cp_service_words, service)) != 0;
}


const cp_need_t *
cp_needs_find(const cp_needs_t *needs, cp_str_t kind, cp_str_t applicant, cp_str_t service)
{
    size_t i;

    for (i = 0; i < needs->count; i++) {
        if (cp_str_eq(needs->items[i].kind, kind) && cp_need_applies(&needs->items[i], applicant, service)) {
            return &needs->items[i];
        }
    }

    return NULL;
}


cp_str_t
cp_needs_title(const cp_needs_t *needs, cp_str_t kind)
{
    size_t i;

    for (i = 0; i < needs->count; i++) {
        if (cp_str_eq(needs->items[i].kind, kind)) {
            return needs->items[i].title;
        }
    }

    return CP_STR_NULL;
}


static bool
is_safe(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}


cp_str_t
cp_download_name(cp_arena_t *arena, cp_str_t stem, const char *ending)
{
    cp_str_t name = cp_str_printf(arena, "%.*s%s", (int) stem.len, stem.data, ending);
    size_t   i;

    for (i = 0; i < stem.len && name.data != NULL; i++) {
        if (!is_safe(name.data[i])) {
            name.data[i] = '_';
        }
    }

    return name;
}


const char *
cp_type_ending(unsigned type)
{
    const char *ending = cp_word_name(endings, type);

    return ending == NULL ? "" : ending;
}
