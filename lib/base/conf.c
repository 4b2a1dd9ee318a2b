#include "conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS  64
#define MAX_DEPTH  8
#define MAX_FILE   (1024 * 1024)

typedef struct {
    cp_arena_t       *arena;
    const char       *at;
    const char       *end;
    unsigned          line;
    cp_conf_fault_t  *fault;
} reader_t;

typedef enum {
    TOKEN_WORD,
    TOKEN_SEMICOLON,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_END,
    TOKEN_FAULT
} token_t;


bool
cp_conf_fail(cp_conf_fault_t *fault, unsigned line, const char *format, ...)
{
    va_list args;

    fault->line = line;
    va_start(args, format);
    vsnprintf(fault->why, sizeof(fault->why), format, args);
    va_end(args);

    return false;
}


static token_t
fail(reader_t *reader, const char *why)
{
    cp_conf_fail(reader->fault, reader->line, "%s", why);
    return TOKEN_FAULT;
}


static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void
skip_blanks(reader_t *reader)
{
    while (reader->at < reader->end) {
        if (*reader->at == '#') {
            while (reader->at < reader->end && *reader->at != '\n') {
                reader->at++;
            }
        } else if (is_space(*reader->at)) {
            reader->line += *reader->at == '\n';
            reader->at++;
        } else {
            return;
        }
    }
}


/* A quoted word: a backslash takes the next character as it is. */
static token_t
quoted(reader_t *reader, cp_str_t *word)
{
    char   quote = *reader->at++, *out;
    size_t n = 0;

    out = cp_alloc(reader->arena, (size_t) (reader->end - reader->at) + 1);
    if (out == NULL) {
        return fail(reader, "out of memory");
    }

    for ( ; reader->at < reader->end && *reader->at != quote; reader->at++) {
        if (*reader->at == '\\' && reader->at + 1 < reader->end) {
            reader->at++;
        }
        reader->line += *reader->at == '\n';
        out[n++] = *reader->at;
    }

    if (reader->at == reader->end) {
        return fail(reader, "unexpected end of file, expecting the closing quote");
    }
    reader->at++;

    if (reader->at < reader->end && !is_space(*reader->at) && strchr(";{}", *reader->at) == NULL) {
        return fail(reader, "unexpected text behind a closing quote");
    }

    out[n] = '\0';
    *word = cp_str_n(out, n);
    return TOKEN_WORD;
}


static token_t
next_token(reader_t *reader, cp_str_t *word)
{
    const char *start;

    skip_blanks(reader);

    if (reader->at == reader->end) {
        return TOKEN_END;
    }

    switch (*reader->at) {
    case ';':
        reader->at++;
        return TOKEN_SEMICOLON;
    case '{':
        reader->at++;
        return TOKEN_OPEN;
    case '}':
        reader->at++;
        return TOKEN_CLOSE;
    case '"':
    case '\'':
        return quoted(reader, word);
    default:
        break;
    }

    start = reader->at;
    while (reader->at < reader->end && !is_space(*reader->at) && strchr(";{}\"'", *reader->at) == NULL) {
        if (*reader->at == '\0') {
            return fail(reader, "unexpected NUL character");
        }
        reader->at++;
    }

    *word = cp_str_dup(reader->arena, cp_str_n(start, (size_t) (reader->at - start)));
    return word->data == NULL ? fail(reader, "out of memory") : TOKEN_WORD;
}


static bool read_list(reader_t *reader, cp_conf_t **list, unsigned depth);


/* What follows the words of a directive: its end, or its block. */
static bool
read_tail(reader_t *reader, cp_conf_t *directive, token_t token, unsigned depth)
{
    switch (token) {
    case TOKEN_SEMICOLON:
        return true;
    case TOKEN_OPEN:
        directive->block = true;
        if (depth == MAX_DEPTH) {
            return cp_conf_fail(reader->fault, reader->line, "too many nested blocks");
        }
        return read_list(reader, &directive->children, depth + 1);
    case TOKEN_CLOSE:
        return cp_conf_fail(reader->fault, reader->line, "unexpected \"}\", expecting \";\"");
    case TOKEN_END:
        return cp_conf_fail(reader->fault, reader->line, "unexpected end of file, expecting \";\" or \"}\"");
    default:
        return false;
    }
}


static bool
read_directive(reader_t *reader, cp_str_t name, cp_conf_t **out, unsigned depth)
{
    cp_str_t   words[MAX_WORDS], word;
    cp_conf_t *directive;
    token_t    token;
    size_t     count = 0;

    directive = cp_calloc(reader->arena, 1, sizeof(cp_conf_t));
    if (directive == NULL) {
        return cp_conf_fail(reader->fault, reader->line, "out of memory");
    }
    directive->line = reader->line;

    words[count++] = name;
    while ((token = next_token(reader, &word)) == TOKEN_WORD) {
        if (count == MAX_WORDS) {
            return cp_conf_fail(reader->fault, reader->line, "too many words in \"%s\"", name.data);
        }
        words[count++] = word;
    }

    directive->count = count;
    directive->words = cp_alloc(reader->arena, count * sizeof(cp_str_t));
    if (directive->words == NULL) {
        return cp_conf_fail(reader->fault, reader->line, "out of memory");
    }
    memcpy(directive->words, words, count * sizeof(cp_str_t));

    *out = directive;
    return read_tail(reader, directive, token, depth);
}


/* Directives up to the end of the block, or of the text at depth 0. */
static bool
read_list(reader_t *reader, cp_conf_t **list, unsigned depth)
{
    cp_str_t   word;
    cp_conf_t *directive;

    *list = NULL;

    for ( ;; ) {
        switch (next_token(reader, &word)) {
        case TOKEN_WORD:
            directive = NULL;
            if (!read_directive(reader, word, &directive, depth) || directive == NULL) {
                return false;
            }
            *list = directive;
            list = &directive->next;
            break;
        case TOKEN_CLOSE:
            return depth != 0 || cp_conf_fail(reader->fault, reader->line, "unexpected \"}\"");
        case TOKEN_END:
            return depth == 0 || cp_conf_fail(reader->fault, reader->line, "unexpected end of file, expecting \"}\"");
        case TOKEN_FAULT:
            return false;
        default:
            return cp_conf_fail(reader->fault, reader->line, "unexpected \";\" or \"{\"");
        }
    }
}


bool
cp_conf_parse(cp_arena_t *arena, cp_str_t text, cp_conf_t **list, cp_conf_fault_t *fault)
{
    reader_t reader = { arena, text.data, text.data + text.len, 1, fault };

    return read_list(&reader, list, 0);
}


bool
cp_conf_read(cp_arena_t *arena, const char *path, cp_conf_t **list, cp_conf_fault_t *fault)
{
    FILE  *file;
    char  *text;
    size_t n;

    file = fopen(path, "re");
    if (file == NULL) {
        return cp_conf_fail(fault, 0, "cannot be opened: %s", strerrordesc_np(errno));
    }

    text = cp_alloc(arena, MAX_FILE);
    n = text == NULL ? 0 : fread(text, 1, MAX_FILE, file);
    fclose(file);

    if (text == NULL) {
        return cp_conf_fail(fault, 0, "out of memory");
    }
    if (n == MAX_FILE) {
        return cp_conf_fail(fault, 0, "larger than 1 MiB");
    }

    return cp_conf_parse(arena, cp_str_n(text, n), list, fault);
}


static const cp_conf_rule_t *
find_rule(const cp_conf_t *directive, const cp_conf_rule_t *rules, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (cp_str_is(directive->words[0], rules[i].name)) {
            return &rules[i];
        }
    }

    return NULL;
}


static bool
apply_one(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out, cp_conf_fault_t *fault)
{
    const char *name = directive->words[0].data;

    if (rule == NULL) {
        return cp_conf_fail(fault, directive->line, "unknown directive \"%.64s\"", name);
    }
    if (directive->block != ((rule->flags & CP_CONF_BLOCK) != 0)) {
        return cp_conf_fail(fault, directive->line, "directive \"%s\" %s", name,
                            directive->block ? "is not terminated by \";\"" : "has no opening \"{\"");
    }
    if (directive->count - 1 < rule->min || directive->count - 1 > rule->max) {
        return cp_conf_fail(fault, directive->line, "invalid number of arguments in \"%s\"", name);
    }

    return rule->set(arena, directive, rule, out, fault);
}


bool
cp_conf_apply(cp_arena_t *arena, const cp_conf_t *list, unsigned line, const cp_conf_rule_t *rules, size_t count,
              void *out, cp_conf_fault_t *fault)
{
    const cp_conf_rule_t *rule;
    uint64_t              seen = 0;
    size_t                i;

    for ( ; list != NULL; list = list->next) {
        rule = find_rule(list, rules, count);
        i = rule == NULL ? 0 : (size_t) (rule - rules);

        if (rule != NULL && (seen & UINT64_C(1) << i) != 0 && (rule->flags & CP_CONF_MANY) == 0) {
            return cp_conf_fail(fault, list->line, "directive \"%s\" is duplicate", rule->name);
        }
        if (!apply_one(arena, list, rule, out, fault)) {
            return false;
        }
        seen |= UINT64_C(1) << i;
    }

    for (i = 0; i < count; i++) {
        if ((rules[i].flags & CP_CONF_REQUIRED) != 0 && (seen & UINT64_C(1) << i) == 0) {
            return cp_conf_fail(fault, line, "directive \"%s\" is missing", rules[i].name);
        }
    }

    return true;
}


bool
cp_conf_set_text(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                 cp_conf_fault_t *fault)
{
    (void) arena;
    (void) fault;

    *(const char **) (void *) ((char *) out + rule->offset) = directive->words[1].data;
    return true;
}


bool
cp_conf_set_str(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                cp_conf_fault_t *fault)
{
    (void) arena;
    (void) fault;

    *(cp_str_t *) (void *) ((char *) out + rule->offset) = directive->words[1];
    return true;
}


static bool
in_range(const cp_conf_t *directive, const cp_conf_rule_t *rule, int64_t value, void *out, cp_conf_fault_t *fault)
{
    if (value < rule->low || value > rule->high) {
        return cp_conf_fail(fault, directive->line, "value \"%s\" of \"%s\" is out of range",
                            directive->words[1].data, rule->name);
    }

    *(int64_t *) (void *) ((char *) out + rule->offset) = value;
    return true;
}


bool
cp_conf_set_number(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                   cp_conf_fault_t *fault)
{
    int64_t value;

    (void) arena;

    if (!cp_str_number(directive->words[1], &value)) {
        return cp_conf_fail(fault, directive->line, "invalid number \"%s\"", directive->words[1].data);
    }

    return in_range(directive, rule, value, out, fault);
}


bool
cp_conf_set_time(cp_arena_t *arena, const cp_conf_t *directive, const cp_conf_rule_t *rule, void *out,
                 cp_conf_fault_t *fault)
{
    static const struct { const char *unit; int64_t ms; } units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { "", 1000 },
    };
    cp_str_t word = directive->words[1], digits = word;
    int64_t  value;
    size_t   i;

    (void) arena;

    for (digits.len = 0; digits.len < word.len && digits.data[digits.len] >= '0' && digits.data[digits.len] <= '9'; ) {
        digits.len++;
    }

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(word.data + digits.len, units[i].unit) != 0) {
            continue;
        }
        if (!cp_str_number(digits, &value) || __builtin_mul_overflow(value, units[i].ms, &value)) {
            break;
        }
        return in_range(directive, rule, value, out, fault);
    }

    return cp_conf_fail(fault, directive->line, "invalid time \"%s\"", word.data);
}
