/*
 * multipart/form-data (RFC 7578, RFC 2046 section 5.1), read as it arrives, however it is cut. Pure and of fixed size.
 *
 * It is strict where readers of the same bytes differ: nothing but a line break stands before the first boundary and
 * behind the last, lines end in CRLF, header fields are not folded, no part has a field twice, is nested or is encoded.
 */
#ifndef CP_MULTIPART_H
#define CP_MULTIPART_H

#include "multipart/disposition.h"

#define CP_BOUNDARY_MAX        70u      /* characters, RFC 2046 section 5.1.1 */
#define CP_MULTIPART_HEADERS   4096u    /* bytes of one part's header fields */

/* X(name, code word). The words are part of the API: they are never renamed. */
#define CP_MULTIPART_VERDICTS(X)                                                                                       \
    X(OK,        "ok")                                                                                                 \
    X(STOPPED,   "stopped")              /* by an event's function */                                                  \
    X(BOUNDARY,  "form_boundary")        /* text before the first boundary, or a boundary's line goes on */            \
    X(HEADER,    "form_header")          /* a part's header fields are malformed, or say what a form does not have */  \
    X(TOO_LONG,  "form_header_too_long")                                                                               \
    X(TRAILING,  "form_trailing")        /* text behind the last boundary */                                           \
    X(TRUNCATED, "form_truncated")       /* the last boundary is missing */

#define CP_MULTIPART_NAME(name, code)  CP_MULTIPART_##name,
typedef enum { CP_MULTIPART_VERDICTS(CP_MULTIPART_NAME) CP_MULTIPART_VERDICTS_END } cp_multipart_verdict_t;
#undef CP_MULTIPART_NAME

/* The verdict's code word. Static storage. */
const char *cp_multipart_word(cp_multipart_verdict_t verdict);

/* What a part says of itself, while `begin` runs. */
typedef struct {
    cp_str_t  name;              /* bytes without control characters, of any encoding, as the next */
    cp_str_t  file_name;         /* {0, NULL}: none is given, and so of the next two */
    cp_str_t  extended_name;     /* filename*=, which RFC 7578 forbids and some programs send */
    cp_str_t  content_type;
} cp_multipart_part_t;

/* Called in their order; false ends the reading with CP_MULTIPART_STOPPED. */
typedef struct {
    bool (*begin)(void *data, const cp_multipart_part_t *part);
    bool (*bytes)(void *data, const void *bytes, size_t len);    /* any number of times, len above 0 */
    bool (*end)(void *data);
} cp_multipart_events_t;

typedef struct {
    const cp_multipart_events_t *events;
    void                        *data;
    cp_multipart_verdict_t       verdict;
    int                          state;
    size_t                       matched;     /* bytes of the delimiter that are here, not yet all */
    size_t                       delimiter_len;
    char                         delimiter[4 + CP_BOUNDARY_MAX];
    size_t                       held;        /* bytes of the header fields, or of what follows a delimiter */
    char                         headers[CP_MULTIPART_HEADERS];
    cp_disposition_t             disposition;
} cp_multipart_t;

/* Whether a Content-Type says multipart/form-data, with or without a usable boundary. */
bool cp_is_form(cp_str_t content_type);

/*
 * Begins with the boundary of a Content-Type; false where that names none, two, or one that RFC 2046 does not allow.
 * `events` and `data` stay the caller's.
 */
bool cp_multipart_begin(cp_multipart_t *multipart, cp_str_t content_type, const cp_multipart_events_t *events,
                        void *data);

/* Takes the next bytes. A verdict other than CP_MULTIPART_OK stays. */
cp_multipart_verdict_t cp_multipart_feed(cp_multipart_t *multipart, const void *bytes, size_t len);

/* Says that nothing follows: CP_MULTIPART_TRUNCATED unless the last boundary was there. */
cp_multipart_verdict_t cp_multipart_end(cp_multipart_t *multipart);

#endif
