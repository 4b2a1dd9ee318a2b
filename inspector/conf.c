#include "inspector.h"

#include <stddef.h>
#include <unistd.h>

#define MIB  ((int64_t) 1 << 20)

#define DEFAULT_MEMORY  (256 * MIB)


/* "256m": nothing else makes sense here. */
static bool
set_megabytes(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
              cp_conf_fault_t *fault)
{
    cp_str_t word = directive->words[1];
    int64_t  value;

    (void) arena;

    if (word.len < 2 || word.data[word.len - 1] != 'm' || !cp_str_number(cp_str_n(word.data, word.len - 1), &value)
        || value < rule->low || value > rule->high)
    {
        return cp_conf_fail(fault, directive->line, "\"%s\" must be from %ldm to %ldm", rule->name, (long) rule->low,
                            (long) rule->high);
    }

    *(int64_t *) (void *) ((char *) out + rule->offset) = value * MIB;

    return true;
}


static const cp_conf_rule_t rules[] = {
    { "listen", CP_CONF_REQUIRED, 1, 1, cp_conf_set_text, offsetof(inspector_conf_t, listen), 0, 0 },
    { "group", 0, 1, 1, cp_conf_set_text, offsetof(inspector_conf_t, group), 0, 0 },
    { "user", 0, 1, 1, cp_conf_set_text, offsetof(inspector_conf_t, user), 0, 0 },
    { "children", 0, 1, 1, cp_conf_set_number, offsetof(inspector_conf_t, children), 1, 64 },
    { "queue", 0, 1, 1, cp_conf_set_number, offsetof(inspector_conf_t, queue), 0, 128 },
    { "memory", 0, 1, 1, set_megabytes, offsetof(inspector_conf_t, memory), 64, 4096 },
    { "cpu_time", 0, 1, 1, cp_conf_set_time, offsetof(inspector_conf_t, cpu_ms), 1000, 60000 },
    { "wall_time", 0, 1, 1, cp_conf_set_time, offsetof(inspector_conf_t, wall_ms), 1000, 600000 },
};


bool
inspector_conf_read(cp_arena_t *arena, const char *path, inspector_conf_t *conf, cp_conf_fault_t *fault)
{
    cp_conf_t *list;
    long       processors = sysconf(_SC_NPROCESSORS_ONLN);

    *conf = (inspector_conf_t) {
        .user = "nobody",
        .children = processors < 1 ? 1 : processors > 64 ? 64 : processors,
        .queue = 64,
        .memory = DEFAULT_MEMORY,
        .cpu_ms = 2000,
        .wall_ms = 10000,
    };

    if (!cp_conf_read(arena, path, &list, fault)
        || !cp_conf_apply(arena, list, 1, rules, sizeof(rules) / sizeof(rules[0]), conf, fault))
    {
        return false;
    }
    if (conf->wall_ms < conf->cpu_ms) {
        return cp_conf_fail(fault, 0, "\"wall_time\" must not be shorter than \"cpu_time\"");
    }

    return true;
}
