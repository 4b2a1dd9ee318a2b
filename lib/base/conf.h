/*
 * Configuration files in nginx's syntax: `name word "quoted word";`, `name word { … }`, `#` comments.
 * The signer's file and the certificate profiles are written in it.
 */
#ifndef CP_CONF_H
#define CP_CONF_H

#include "str.h"

typedef struct cp_conf_s cp_conf_t;

/* One directive. words[0] is its name; each word ends in NUL. */
struct cp_conf_s {
    cp_str_t   *words;
    size_t      count;
    unsigned    line;
    bool        block;        /* written with { } */
    cp_conf_t  *children;
    cp_conf_t  *next;
};

/* What went wrong and where. `why` points into the fault itself. */
typedef struct {
    char      why[200];
    unsigned  line;           /* 0: the file as a whole */
} cp_conf_fault_t;

/* Says what is wrong in a line; returns false, so that a reader can end with it. */
bool cp_conf_fail(cp_conf_fault_t *fault, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads text, or a file of at most 1 MiB, into a list of directives (NULL in *list when there are none). */
bool cp_conf_parse(cp_arena_t *arena, cp_str_t text, cp_conf_t **list, cp_conf_fault_t *fault);
bool cp_conf_read(cp_arena_t *arena, const char *path, cp_conf_t **list, cp_conf_fault_t *fault);

typedef struct cp_conf_rule_s cp_conf_rule_t;

/* Takes a directive's words into `out` (the structure, or its member at the rule's offset for the stock ones). */
typedef bool (*cp_conf_set_fn)(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                               cp_conf_fault_t *fault);

#define CP_CONF_BLOCK     0x01u
#define CP_CONF_REQUIRED  0x02u
#define CP_CONF_MANY      0x04u    /* may stand more than once */

struct cp_conf_rule_s {
    const char     *name;
    unsigned        flags;
    size_t          min;           /* words behind the name */
    size_t          max;
    cp_conf_set_fn  set;
    size_t          offset;
    int64_t         low;           /* of numbers */
    int64_t         high;
};

/* Applies the table to the directives: unknown, double, missing, too few or too many words are faults of a line. */
bool cp_conf_apply(cp_arena_t *arena, const cp_conf_t *list, unsigned line, const cp_conf_rule_t *rules, size_t count,
                   void *out, cp_conf_fault_t *fault);

/* Stock setters: const char *, cp_str_t, int64_t, and int64_t milliseconds of `500ms 30s 5m 1h 7d`. */
bool cp_conf_set_text(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                      cp_conf_fault_t *fault);
bool cp_conf_set_str(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                     cp_conf_fault_t *fault);
bool cp_conf_set_number(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                        cp_conf_fault_t *fault);
bool cp_conf_set_time(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                      cp_conf_fault_t *fault);

#endif
