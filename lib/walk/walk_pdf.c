/*
 * PDF (ISO 32000-1 section 7.5): the header and the end, as far apart from the file's as readers allow (Adobe's
 * implementation notes 13 and 18); of the objects no more than the page tree (walk_pages.c).
 */
#include <string.h>

#include "walk/walk_format.h"

#define HEADER  "%PDF-"
#define XREF    "startxref"
#define END     "%%EOF"
#define NEAR    1024

#define SIZE(word)  (sizeof(word) - 1)

_Static_assert(SIZE(XREF) - 1 <= sizeof(((cp_walk_pdf_t *) NULL)->tail), "the longest word less a byte is kept");


/* Where the last of a word ends in the bytes, or NULL. */
static const unsigned char *
last_of(const unsigned char *p, size_t len, const char *word, size_t size)
{
    const unsigned char *end = p + len, *found = NULL, *at = p;

    while ((at = memmem(at, (size_t) (end - at), word, size)) != NULL) {
        at += size;
        found = at;
    }

    return found;
}


/* Notes what is in the bytes; the first of them is at `offset` in the file. */
static void
look(cp_walk_pdf_t *pdf, const unsigned char *p, size_t len, int64_t offset)
{
    const unsigned char *found;

    if (pdf->header < 0) {
        found = memmem(p, len, HEADER, SIZE(HEADER));
        pdf->header = found == NULL ? -1 : offset + (found - p);
    }

    found = last_of(p, len, XREF, SIZE(XREF));
    pdf->xref = found == NULL ? pdf->xref : offset + (found - p);

    found = last_of(p, len, END, SIZE(END));
    pdf->eof = found == NULL ? pdf->eof : offset + (found - p);
}


static void
keep_tail(cp_walk_pdf_t *pdf, const unsigned char *p, size_t len)
{
    size_t kept;

    if (len >= sizeof(pdf->tail)) {
        memcpy(pdf->tail, p + len - sizeof(pdf->tail), sizeof(pdf->tail));
        pdf->tail_len = sizeof(pdf->tail);
        return;
    }

    kept = sizeof(pdf->tail) - len;
    if (kept > pdf->tail_len) {
        kept = pdf->tail_len;
    }
    memmove(pdf->tail, pdf->tail + pdf->tail_len - kept, kept);
    memcpy(pdf->tail + kept, p, len);
    pdf->tail_len = kept + len;
}


/* Words across the seam first, then those within. */
static void
take(cp_walk_t *walk, const unsigned char *p, size_t len)
{
    cp_walk_pdf_t *pdf = &walk->of.pdf;
    unsigned char  seam[2 * sizeof(pdf->tail)];
    size_t         n = len < sizeof(pdf->tail) ? len : sizeof(pdf->tail);

    memcpy(seam, pdf->tail, pdf->tail_len);
    memcpy(seam + pdf->tail_len, p, n);

    look(pdf, seam, pdf->tail_len + n, walk->size - (int64_t) pdf->tail_len);
    look(pdf, p, len, walk->size);
    keep_tail(pdf, p, len);
}


/* Until the header must have come, no byte beyond that is taken. */
static cp_walk_verdict_t
search(cp_walk_t *walk, const unsigned char **p, const unsigned char *end)
{
    int64_t len = end - *p, room = NEAR + (int64_t) SIZE(HEADER) - 1 - walk->size;

    if (walk->of.pdf.header < 0 && len > room) {
        len = room;
    }

    take(walk, *p, (size_t) len);
    cp_walk_pages(&walk->of.pdf.pages, *p, (size_t) len);
    *p += len;

    return walk->of.pdf.header < 0 && len == room ? CP_WALK_SIGNATURE : CP_WALK_OK;
}


static cp_walk_verdict_t
end_of_file(cp_walk_t *walk)
{
    const cp_walk_pdf_t *pdf = &walk->of.pdf;

    if (pdf->header < 0) {
        return CP_WALK_SIGNATURE;
    }
    if (pdf->eof < 0 || walk->size - (pdf->eof - (int64_t) SIZE(END)) > NEAR) {
        return CP_WALK_TRUNCATED;
    }
    if (pdf->xref < 0) {
        return CP_WALK_MISSING;
    }

    walk->trailing = walk->size - pdf->eof;
    walk->pages = pdf->pages.total;

    return walk->limits.max_pages > 0 && walk->pages > walk->limits.max_pages ? CP_WALK_TOO_MANY_PAGES : CP_WALK_OK;
}


static void
begin(cp_walk_t *walk)
{
    cp_walk_pdf_t *pdf = &walk->of.pdf;

    pdf->header = -1;
    pdf->xref = -1;
    pdf->eof = -1;
    cp_walk_scan(walk, search);
}


const cp_walk_format_t cp_walk_pdf = { begin, end_of_file };
