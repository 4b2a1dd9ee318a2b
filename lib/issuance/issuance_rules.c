#include "issuance/issuance_rules.h"

#include <stdlib.h>


cp_str_t
cp_issuance_subject(cp_arena_t *arena, const cp_unit_t *unit)
{
    json_t  *subject;
    char    *text;
    cp_str_t copy;

    subject = json_pack("{s:s, s:o, s:o, s:o}", "C", "CN", "O", cp_json(unit->name), "CN", cp_json(unit->name),
                        "uscc", cp_json(unit->uscc));
    text = subject == NULL ? NULL : json_dumps(subject, JSON_COMPACT | JSON_SORT_KEYS);
    copy = text == NULL ? CP_STR_NULL : cp_str_dup(arena, cp_str(text));

    free(text);
    json_decref(subject);

    return copy;
}
