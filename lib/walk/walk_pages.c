/*
 * The page tree of a PDF (ISO 32000-1 section 7.7.3) as far as it lies in the clear: /Count of the dictionary of /Type
 * /Pages that has no /Parent. Lexical conventions: section 7.2. Streams are passed over.
 */
#include <string.h>

#include "walk/walk_format.h"

#define END_STREAM  "endstream"

enum {
    LEX_BETWEEN,
    LEX_NAME,
    LEX_WORD,       /* a number or a keyword */
    LEX_STRING,
    LEX_ESCAPE,     /* behind a backslash in a string */
    LEX_COMMENT,
    LEX_LESS,       /* a hexadecimal string or a dictionary begins */
    LEX_HEX,
    LEX_GREATER,
    LEX_STREAM
};

/* What the name before stands for. */
enum {
    KEY_NONE,
    KEY_TYPE,
    KEY_COUNT,
    KEY_COUNTED     /* its number is there: if another follows, it was a reference */
};


static bool
is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0';
}


static bool
is_delimiter(unsigned char c)
{
    return c != '\0' && strchr("()<>[]{}/%", c) != NULL;
}


static bool
token_is(const cp_walk_pages_t *pages, const char *text)
{
    return pages->token_len == strlen(text) && memcmp(pages->token, text, pages->token_len) == 0;
}


/* The dictionary that the token is in; NULL outside of all and where they are too deep. */
static cp_walk_dictionary_t *
dictionary(cp_walk_pages_t *pages)
{
    return pages->depth > 0 && pages->depth <= CP_WALK_PDF_DEPTH ? &pages->dictionaries[pages->depth - 1] : NULL;
}


static void
name_over(cp_walk_pages_t *pages)
{
    cp_walk_dictionary_t *d = dictionary(pages);
    int                   key = pages->key;

    pages->key = KEY_NONE;
    if (d == NULL) {
        return;
    }

    if (key == KEY_TYPE) {
        d->pages = d->pages || token_is(pages, "Pages");
    } else if (token_is(pages, "Type")) {
        pages->key = KEY_TYPE;
    } else if (token_is(pages, "Count")) {
        pages->key = KEY_COUNT;
    } else if (token_is(pages, "Parent")) {
        d->parent = true;
    }
}


static int64_t
number(const cp_walk_pages_t *pages)
{
    int64_t n = 0;
    size_t  i;

    for (i = 0; i < pages->token_len; i++) {
        if (pages->token[i] < '0' || pages->token[i] > '9') {
            return -1;
        }
        n = n * 10 + (pages->token[i] - '0');
    }

    return pages->token_len == sizeof(pages->token) ? -1 : n;
}


static void
word_over(cp_walk_pages_t *pages)
{
    cp_walk_dictionary_t *d = dictionary(pages);
    int                   key = pages->key;

    pages->key = KEY_NONE;

    if (d == NULL) {
        if (pages->depth == 0 && token_is(pages, "stream")) {
            pages->state = LEX_STREAM;
            pages->matched = 0;
        }
    } else if (key == KEY_COUNT) {
        d->count = number(pages);
        pages->key = KEY_COUNTED;
    } else if (key == KEY_COUNTED) {
        d->count = -1;
    }
}


static void
open_dictionary(cp_walk_pages_t *pages)
{
    pages->depth++;
    pages->key = KEY_NONE;
    if (dictionary(pages) != NULL) {
        *dictionary(pages) = (cp_walk_dictionary_t) { .count = -1 };
    }
}


/* Of several trees the last holds: an incremental update comes behind what it replaces. */
static void
close_dictionary(cp_walk_pages_t *pages)
{
    const cp_walk_dictionary_t *d = dictionary(pages);

    if (d != NULL && d->pages && !d->parent && d->count >= 0) {
        pages->total = d->count;
    }

    pages->depth -= pages->depth > 0;
    pages->key = KEY_NONE;
}


static void
between(cp_walk_pages_t *pages, unsigned char c)
{
    pages->token_len = 0;

    switch (c) {
    case '/':
        pages->state = LEX_NAME;
        break;
    case '(':
        pages->state = LEX_STRING;
        pages->nesting = 1;
        break;
    case '%':
        pages->state = LEX_COMMENT;
        break;
    case '<':
        pages->state = LEX_LESS;
        break;
    case '>':
        pages->state = LEX_GREATER;
        break;
    default:
        pages->state = LEX_BETWEEN;
        if (!is_space(c) && !is_delimiter(c)) {
            pages->state = LEX_WORD;
            pages->token[pages->token_len++] = (char) c;
        }
        break;
    }
}


/* A token ends where a space or a delimiter begins. What is longer than any that counts is none of them. */
static void
in_token(cp_walk_pages_t *pages, unsigned char c)
{
    int state = pages->state;

    if (!is_space(c) && !is_delimiter(c)) {
        if (pages->token_len < sizeof(pages->token)) {
            pages->token[pages->token_len++] = (char) c;
        }
        return;
    }

    pages->state = LEX_BETWEEN;
    if (state == LEX_NAME) {
        name_over(pages);
    } else {
        word_over(pages);
    }

    if (pages->state == LEX_BETWEEN) {
        between(pages, c);
    }
}


static void
in_string(cp_walk_pages_t *pages, unsigned char c)
{
    if (c == '\\') {
        pages->state = LEX_ESCAPE;
    } else if (c == '(') {
        pages->nesting++;
    } else if (c == ')' && --pages->nesting == 0) {
        pages->state = LEX_BETWEEN;
    }
}


/* The word begins with an "e" and has one more, so that a mismatch behind that may still be its second letter. */
static void
in_stream(cp_walk_pages_t *pages, unsigned char c)
{
    if (c == END_STREAM[pages->matched]) {
        pages->matched++;
    } else if (pages->matched == 7 && c == END_STREAM[1]) {
        pages->matched = 2;
    } else {
        pages->matched = c == END_STREAM[0];
    }

    if (pages->matched == sizeof(END_STREAM) - 1) {
        pages->state = LEX_BETWEEN;
        pages->key = KEY_NONE;
    }
}


static void
look(cp_walk_pages_t *pages, unsigned char c)
{
    switch (pages->state) {
    case LEX_NAME:
    case LEX_WORD:
        in_token(pages, c);
        break;
    case LEX_STRING:
        in_string(pages, c);
        break;
    case LEX_ESCAPE:
        pages->state = LEX_STRING;
        break;
    case LEX_COMMENT:
        pages->state = c == '\n' || c == '\r' ? LEX_BETWEEN : LEX_COMMENT;
        break;
    case LEX_LESS:
        pages->state = c == '<' ? LEX_BETWEEN : c == '>' ? LEX_BETWEEN : LEX_HEX;
        if (c == '<') {
            open_dictionary(pages);
        }
        break;
    case LEX_HEX:
        pages->state = c == '>' ? LEX_BETWEEN : LEX_HEX;
        break;
    case LEX_GREATER:
        if (c == '>') {
            close_dictionary(pages);
            pages->state = LEX_BETWEEN;
        } else {
            between(pages, c);
        }
        break;
    case LEX_STREAM:
        in_stream(pages, c);
        break;
    default:
        between(pages, c);
        break;
    }
}


void
cp_walk_pages(cp_walk_pages_t *pages, const unsigned char *p, size_t len)
{
    const unsigned char *end = p + len;

    for ( ; p < end; p++) {
        if (pages->state == LEX_STREAM && pages->matched == 0) {
            p = memchr(p, END_STREAM[0], (size_t) (end - p));
            if (p == NULL) {
                return;
            }
        }
        look(pages, *p);
    }
}
