/*
 * What stands before a store or another application while a body arrives: one file as it is, or a form with files, held
 * against the limits byte by byte. The declared type, the file name's ending and the first bytes must agree, the
 * structure must be whole (walk/walk.h). Nothing is decoded. Pure, of fixed size, for the event loop.
 */
#ifndef CP_GATE_H
#define CP_GATE_H

#include "base/error.h"
#include "multipart/multipart.h"
#include "walk/walk.h"

#define CP_GATE_FORM_EXTRA  16384u    /* bytes that a form may have beside its files */
#define CP_GATE_FIELD       64u

typedef struct {
    unsigned  types;         /* CP_TYPE_* bits */
    int64_t   max_size;      /* bytes of the files */
    int64_t   max_pixels;    /* of one picture; 0: no limit, as with the next */
    int64_t   max_pages;     /* frames of one GIF, pages of one PDF as far as they can be counted */
} cp_gate_limits_t;

typedef enum {
    CP_GATE_RAW,             /* the body is the file */
    CP_GATE_FORM,            /* a form with one file named "file", beside it no field but CP_GATE_FORM_FIELDS */
    CP_GATE_ANY              /* either, a form with any fields and any number of files */
} cp_gate_form_t;

/*
 * The names of text fields that a form with a file may have: what browsers add (RFC 7578 section 4.6), and the page of
 * this server to go to next.
 */
#define CP_GATE_FORM_FIELDS  "_charset_", CP_GATE_NEXT
#define CP_GATE_NEXT         "next"
#define CP_GATE_NEXT_MAX     256u

/* What the sender says of the body, each {0, NULL} when it says nothing; length -1. */
typedef struct {
    cp_str_t  content_type;
    cp_str_t  disposition;
    int64_t   length;
} cp_gate_head_t;

/* Takes checked bytes of files; what it returns ends the body unless it is CP_OK. */
typedef cp_code_t (*cp_gate_sink_fn)(void *data, const void *bytes, size_t len);

typedef struct cp_gate_s {
    cp_gate_limits_t  limits;
    cp_gate_form_t    form;         /* CP_GATE_RAW once it is known to be no form */
    cp_gate_sink_fn   sink;         /* NULL: none */
    void             *data;

    /* The body. */
    cp_code_t         failed;       /* what ended it: later calls answer the same */
    int64_t           taken;        /* bytes in all */
    int64_t           size;         /* of the files */
    unsigned          files;
    char              next[CP_GATE_NEXT_MAX];      /* of CP_GATE_FORM, a path of this server; next_len 0: none */
    size_t            next_len;
    bool              in_next;
    char              field[CP_GATE_FIELD + 1];    /* with CP_E_INVALID: the field that is wrong, */
    cp_field_code_t   why;                         /* and why */

    /* The present file, of a form the last. */
    unsigned          type;         /* that it may have; one CP_TYPE_* bit as soon as the first bytes are here */
    int64_t           file_size;
    bool              in_file;
    bool              nameless;     /* a file field that was left empty, as long as nothing comes */
    unsigned char     head[12];
    cp_walk_t         walk;

    cp_multipart_t    multipart;
} cp_gate_t;

/*
 * Begins a body. CP_E_MEDIA_TYPE: neither the declared type nor the file name's ending tells an allowed type, or they
 * disagree, or a form was asked for and this is none; CP_E_TOO_LARGE: by its length already; CP_E_MALFORMED: its
 * Content-Disposition or boundary is. application/octet-stream and no type at all leave it to the file's name.
 */
cp_code_t cp_gate_open(cp_gate_t *gate, const cp_gate_limits_t *limits, cp_gate_form_t form, const cp_gate_head_t *head,
                       cp_gate_sink_fn sink, void *data);

/*
 * Takes the next bytes. CP_E_MEDIA_TYPE as soon as the first of a file show another format, CP_E_TOO_LARGE at the byte,
 * CP_E_BAD_FILE at the one that breaks a file's structure or brings a header of too many pixels; CP_E_MALFORMED and
 * CP_E_INVALID for a form that is not as it should be; the sink's code.
 */
cp_code_t cp_gate_write(cp_gate_t *gate, const void *bytes, size_t len);

/* Says that nothing follows: CP_E_INVALID when there is no file, CP_E_BAD_FILE when one is not whole. */
cp_code_t cp_gate_finish(cp_gate_t *gate);

/* Whether a whole file also keeps narrower limits; it has failed when not, with the codes above. */
cp_code_t cp_gate_narrow(cp_gate_t *gate, const cp_gate_limits_t *limits);

/* After CP_E_BAD_FILE or CP_E_MALFORMED: the code word of why. NULL: there is none. */
const char *cp_gate_reason(const cp_gate_t *gate);

#endif
