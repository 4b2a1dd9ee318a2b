/* What a sale asks of its applicant, as the order's snapshot says it. Pure: values in, values out. */
#ifndef CP_MATERIAL_RULES_H
#define CP_MATERIAL_RULES_H

#include "catalog/catalog.h"
#include "gate/gate.h"

typedef struct {
    cp_str_t          kind;
    cp_str_t          title;
    cp_gate_limits_t  limits;
    bool              required;
    unsigned          applicants;    /* CP_APPLICANT_* */
    unsigned          services;      /* CP_SERVICE_* */
} cp_need_t;

typedef struct {
    cp_need_t *items;
    size_t     count;
} cp_needs_t;

/* Reads the needs out of a snapshot (cp_sale_json()) into the arena. CP_E_INTERNAL when it is none of ours. */
cp_code_t cp_needs_read(cp_arena_t *arena, cp_str_t sale, cp_needs_t *needs);

/* Whether it is asked for that kind of applicant (a word) and service (a word). */
bool cp_need_applies(const cp_need_t *need, cp_str_t applicant, cp_str_t service);

/* The need of a kind that applies; NULL when none does. */
const cp_need_t *cp_needs_find(const cp_needs_t *needs, cp_str_t kind, cp_str_t applicant, cp_str_t service);

/* The title of a kind, whoever it is asked of; {0, NULL} when the sale does not know it. */
cp_str_t cp_needs_title(const cp_needs_t *needs, cp_str_t kind);

/*
 * The name under which a download is saved, from the arena: `stem` with anything but ASCII letters, digits, "-" and "_"
 * turned into "_", then `ending` (".jpg").
 */
cp_str_t cp_download_name(cp_arena_t *arena, cp_str_t stem, const char *ending);

/* ".jpg" of a CP_TYPE_* bit; "" when unknown. */
const char *cp_type_ending(unsigned type);

#endif
