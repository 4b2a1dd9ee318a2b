#include "account/password_strength.h"

#include <stdlib.h>
#include <string.h>

#include <zxcvbn.h>

#include "identity/identity.h"

#define LOOKED_AT    64       /* characters */
#define WEAK_BITS    27.0     /* zxcvbn's 10^8 guesses: "somewhat guessable" below */
#define STRONG_BITS  40.0
#define COMMON_BITS  14.0     /* among the first 16,384 guesses */
#define WIDE_BITS    8.0      /* of a character beyond ASCII: some hundred are in daily use */


/* The first characters, in ASCII where they are full-width, with a closing NUL. */
static cp_str_t
front_of(cp_arena_t *arena, cp_str_t password)
{
    cp_str_t front = cp_str_narrow(arena, password);
    size_t   i, chars = 0;

    if (front.data == NULL) {
        return front;
    }

    for (i = 0; i < front.len; i++) {
        chars += ((unsigned char) front.data[i] & 0xc0) != 0x80;
        if (chars > LOOKED_AT) {
            break;
        }
    }
    front.len = i;
    front.data[i] = '\0';

    return front;
}


/* "wang.jianguo" as "wangjianguo": what is typed when a dot is too much. {0, NULL} without memory. */
static cp_str_t
without_marks(cp_arena_t *arena, cp_str_t word)
{
    cp_str_t out = cp_str_dup(arena, word);
    size_t   i, n = 0;

    for (i = 0; i < word.len && out.data != NULL; i++) {
        if (strchr("._-@+ ", word.data[i]) == NULL) {
            out.data[n++] = word.data[i];
        }
    }
    if (out.data != NULL) {
        out.len = n;
        out.data[n] = '\0';
    }

    return out;
}


/* NULL-terminated, context first: the library takes what comes first for what is guessed first. */
static const char **
dictionary(cp_arena_t *arena, const cp_str_t *context, size_t count)
{
    const char **words = cp_calloc(arena, 2 * CP_PASSWORD_CONTEXT + cp_guessed_word_count + 1, sizeof(char *));
    cp_str_t     word, plain;
    size_t       i, n = 0;

    if (words == NULL) {
        return NULL;
    }

    for (i = 0; i < count && i < CP_PASSWORD_CONTEXT; i++) {
        if (context[i].len == 0) {
            continue;
        }

        word = cp_str_fold(arena, context[i]);
        plain = word.data == NULL ? word : without_marks(arena, word);
        if (plain.data == NULL) {
            return NULL;
        }

        words[n++] = word.data;
        if (plain.len != word.len && plain.len != 0) {
            words[n++] = plain.data;
        }
    }
    memcpy(words + n, cp_guessed_words, cp_guessed_word_count * sizeof(char *));

    return words;
}


/*
 * The most bits that different characters can make: the library, which counts bytes, takes a sentence in Chinese for
 * three times what it is, and a repeated one for something new. No bound for ASCII, which it knows well.
 */
static double
wide_bound(cp_str_t text)
{
    size_t i, j, n, different = 0;
    bool   wide = false;

    for (i = 0; i < text.len; i += n) {
        for (n = 1; i + n < text.len && ((unsigned char) text.data[i + n] & 0xc0) == 0x80; n++) {
            /* look on */
        }
        wide = wide || n > 1;

        for (j = 0; j + n <= i && memcmp(text.data + j, text.data + i, n) != 0; j++) {
            /* look on */
        }
        different += j + n > i;
    }

    return wide ? (double) different * WIDE_BITS : 1e9;
}


/* Whether the whole is one thing that the library knows, if need be repeated, and not a mere row of characters. */
static bool
is_one(const ZxcMatch_t *match)
{
    return match != NULL && match->Next == NULL && match->Type != NON_MATCH && match->Type != BRUTE_MATCH
           && match->Type != LONG_PWD_MATCH;
}


cp_code_t
cp_password_strength(cp_arena_t *arena, cp_str_t password, const cp_str_t *context, size_t count,
                     cp_password_verdict_t *verdict)
{
    cp_str_t     front = front_of(arena, password);
    const char **words = dictionary(arena, context, count);
    ZxcMatch_t  *parts = NULL;
    double       bits, bound;

    if (front.data == NULL || words == NULL) {
        return CP_E_NO_MEMORY;
    }

    bits = ZxcvbnMatch(front.data, words, &parts);
    bound = wide_bound(front);
    bits = bits < bound ? bits : bound;

    verdict->strength = bits < WEAK_BITS ? CP_STRENGTH_WEAK
                        : bits < STRONG_BITS ? CP_STRENGTH_FAIR : CP_STRENGTH_STRONG;
    verdict->common = verdict->strength == CP_STRENGTH_WEAK && (bits < COMMON_BITS || is_one(parts));
    ZxcvbnFreeInfo(parts);

    return CP_OK;
}


const char *
cp_strength_word(cp_strength_t strength)
{
    static const char *const words[] = {
        [CP_STRENGTH_WEAK] = "weak", [CP_STRENGTH_FAIR] = "fair", [CP_STRENGTH_STRONG] = "strong",
    };

    return words[strength];
}


cp_code_t
cp_password_judge(cp_call_t *call, cp_code_t read, const char *field, cp_str_t password, const cp_str_t *context,
                  size_t count, cp_strength_t *strength)
{
    cp_password_verdict_t verdict;

    if (read != CP_OK && read != CP_E_INVALID) {
        return read;
    }

    if (password.data != NULL) {
        CP_TRY(cp_password_strength(call->arena, password, context, count, &verdict));
        if (call->app->mobile.data != NULL && cp_mobile_matches(call->app->mobile, password)) {
            verdict = (cp_password_verdict_t) { CP_STRENGTH_WEAK, true };
        }
        *strength = verdict.strength;

        if (verdict.strength == CP_STRENGTH_WEAK) {
            cp_bad_field(call, cp_str(field), verdict.common ? CP_F_COMMON : CP_F_WEAK);
            cp_problem(call, "strength", json_string(cp_strength_word(verdict.strength)));
        }
    }

    return cp_fields_verdict(call);
}
