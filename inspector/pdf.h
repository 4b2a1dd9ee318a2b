/* What the two C++ files offer to C: qpdf's view of a document, and poppler's pages. No exception leaves them. */
#ifndef CP_PDF_H
#define CP_PDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pdf_policy.cc */

typedef enum {
    CP_PDF_FINE,
    CP_PDF_DAMAGED,         /* no document, also after repair */
    CP_PDF_ENCRYPTED,       /* ISO 32000-1 section 7.6, whatever it permits */
    CP_PDF_JAVASCRIPT,      /* 12.6.4.16: an action of that kind anywhere, also one that nothing refers to */
    CP_PDF_LAUNCH,          /* 12.6.4.5 */
    CP_PDF_ATTACHMENT,      /* 7.11.4 embedded file streams; annotations and actions that carry or open them */
    CP_PDF_XFA              /* 12.7.8 */
} cp_pdf_verdict_t;

/* Reads every object, with the repairs that readers make. When it is fine, says how many pages there are. */
cp_pdf_verdict_t cp_pdf_check(const void *data, size_t size, uint32_t *pages);

/* ---- pdf_pages.cc */

typedef struct cp_pdf_s cp_pdf_t;

/* Rows of red, green, blue; valid until the next page is rendered. */
typedef struct {
    const uint8_t  *pixels;
    size_t          stride;
    uint32_t        width;
    uint32_t        height;
} cp_pdf_page_t;

/* Loads fonts' tables and character maps, before the cage closes, by a document of our own. False when it fails. */
bool cp_pdf_prepare(void);
void cp_pdf_forget(void);

/* NULL when it cannot be read. The data must stay until cp_pdf_close(), which accepts NULL. */
cp_pdf_t *cp_pdf_open(const void *data, size_t size);
void      cp_pdf_close(cp_pdf_t *pdf);
uint32_t  cp_pdf_count(const cp_pdf_t *pdf);

/* A page as it is seen, `dpi` at most and `max_pixels` at most. False when it cannot be drawn. */
bool cp_pdf_render(cp_pdf_t *pdf, uint32_t number, double dpi, double max_pixels, cp_pdf_page_t *page);

#ifdef __cplusplus
}
#endif

#endif
