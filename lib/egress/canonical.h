/*
 * A request in the one form that signatures of cloud providers are made over: Aliyun's ACS3 (help.aliyun.com "V3 request
 * structure and signature") and Amazon's Signature Version 4 agree in it. Pure.
 */
#ifndef CP_CANONICAL_H
#define CP_CANONICAL_H

#include "base/str.h"

#define CP_CANONICAL_PAIRS_MAX  16

typedef struct {
    cp_str_t  name;
    cp_str_t  value;
} cp_pair_t;

typedef struct {
    const char      *method;
    cp_str_t         path;            /* already escaped: "/" */
    const cp_pair_t *query;           /* not escaped, in any order */
    size_t           query_count;
    const cp_pair_t *headers;         /* all are signed; names in lower case, in any order */
    size_t           header_count;
    cp_str_t         digest;          /* SHA-256 of the body, lower-case hexadecimal */
} cp_canonical_t;

/* Everything but RFC 3986's unreserved characters as %XX; {0, NULL} when memory is out. */
cp_str_t cp_url_escape(cp_arena_t *arena, cp_str_t text);

/* The query as it is sent and signed: pairs escaped and sorted. {0, NULL} when memory is out or pairs are too many. */
cp_str_t cp_canonical_query(cp_arena_t *arena, const cp_pair_t *query, size_t count);

/* The signed headers, one a line, and their names joined with semicolons; false as above. */
bool cp_canonical_headers(cp_arena_t *arena, const cp_canonical_t *request, cp_str_t *lines, cp_str_t *names);

/* Method, path, query, headers, their names and the body's digest, a line each; {0, NULL} as above. */
cp_str_t cp_canonical_request(cp_arena_t *arena, const cp_canonical_t *request);

#endif
