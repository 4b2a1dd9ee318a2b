/* The pattern of a mobile number, which the operator sets: prefixes are handed out every year. */
#define PCRE2_CODE_UNIT_WIDTH  8

#include "identity/identity.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

/* The pattern that was asked for last; a process has one. */
static struct {
    pthread_mutex_t  mutex;
    char            *text;
    size_t           len;
    pcre2_code      *code;
} compiled = { PTHREAD_MUTEX_INITIALIZER, NULL, 0, NULL };


static pcre2_code *
compile(cp_str_t pattern, int *error, size_t *offset)
{
    return pcre2_compile((PCRE2_SPTR) pattern.data, pattern.len, PCRE2_ANCHORED | PCRE2_ENDANCHORED, error, offset,
                         NULL);
}


/* The compiled pattern; the mutex is held. NULL when it does not compile or memory is out. */
static pcre2_code *
code_of(cp_str_t pattern)
{
    char   *text;
    int     error;
    size_t  offset;

    if (compiled.code != NULL && cp_str_eq(pattern, cp_str_n(compiled.text, compiled.len))) {
        return compiled.code;
    }

    text = malloc(pattern.len + 1);
    if (text == NULL) {
        return NULL;
    }
    memcpy(text, pattern.data, pattern.len);

    pcre2_code_free(compiled.code);
    free(compiled.text);

    compiled.code = compile(pattern, &error, &offset);
    compiled.text = text;
    compiled.len = pattern.len;

    return compiled.code;
}


bool
cp_mobile_matches(cp_str_t pattern, cp_str_t number)
{
    pcre2_match_data *match;
    pcre2_code       *code;
    bool              matches = false;

    pattern = pattern.data == NULL ? CP_STR(CP_MOBILE_PATTERN) : pattern;

    pthread_mutex_lock(&compiled.mutex);

    code = code_of(pattern);
    match = code == NULL ? NULL : pcre2_match_data_create_from_pattern(code, NULL);
    if (match != NULL) {
        matches = pcre2_match(code, (PCRE2_SPTR) number.data, number.len, 0, 0, match, NULL) > 0;
        pcre2_match_data_free(match);
    }

    pthread_mutex_unlock(&compiled.mutex);

    return matches;
}


bool
cp_mobile_pattern_fault(cp_str_t pattern, char *why, size_t size)
{
    pcre2_code *code;
    int         error;
    size_t      offset;

    code = compile(pattern, &error, &offset);
    if (code != NULL) {
        pcre2_code_free(code);
        return false;
    }

    if (pcre2_get_error_message(error, (PCRE2_UCHAR *) why, size) < 0 && size > 0) {
        why[0] = '\0';
    }

    return true;
}
