#include "decoders.h"
#include "image.h"
#include "pdf.h"

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define DPI             150.0
#define PAGE_PIXELS     4e6      /* of one page, also where its paper is large */
#define ALL_PIXELS      20e6     /* of all pages: many are drawn smaller, so that they are done in the time of a file */

static const cp_inspect_reason_t reasons[] = {
    [CP_PDF_FINE] = CP_INSPECT_OK,
    [CP_PDF_DAMAGED] = CP_INSPECT_DAMAGED,
    [CP_PDF_ENCRYPTED] = CP_INSPECT_PDF_ENCRYPTED,
    [CP_PDF_JAVASCRIPT] = CP_INSPECT_PDF_JAVASCRIPT,
    [CP_PDF_LAUNCH] = CP_INSPECT_PDF_LAUNCH,
    [CP_PDF_ATTACHMENT] = CP_INSPECT_PDF_ATTACHMENT,
    [CP_PDF_XFA] = CP_INSPECT_PDF_XFA,
};


static void
draw(cp_job_t *job, cp_pdf_t *pdf, uint32_t number, uint32_t count)
{
    static cp_image_t image;

    double        most = (double) job->request.max_pixels;
    cp_pdf_page_t page;
    uint32_t      y;

    most = most < PAGE_PIXELS ? most : PAGE_PIXELS;
    most = most < ALL_PIXELS / count ? most : ALL_PIXELS / count;
    if (!cp_pdf_render(pdf, number, DPI, most, &page)) {
        cp_job_refuse(CP_INSPECT_UNRENDERABLE);
    }

    cp_image_clear(&image);
    image.width = page.width;
    image.height = page.height;
    image.pixels = CP_PIXELS_RGB;
    cp_image_begin(&image, job, &job->reply.pages[number]);
    for (y = 0; y < page.height; y++) {
        cp_image_row(&image, page.pixels + y * page.stride);
    }
    cp_image_end(&image, number == 0 ? &job->reply.thumbnail : NULL);
}


void
cp_pdf_decode(cp_job_t *job)
{
    uint32_t          count = 0, i;
    cp_pdf_verdict_t  verdict = cp_pdf_check(job->data, job->size, &count);
    cp_pdf_t         *pdf;

    if (verdict != CP_PDF_FINE) {
        cp_job_refuse(reasons[verdict]);
    }
    if (count > job->request.max_pages) {
        cp_job_refuse(CP_INSPECT_TOO_MANY_PAGES);
    }

    pdf = cp_pdf_open(job->data, job->size);
    if (pdf == NULL) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
    count = cp_pdf_count(pdf);
    if (count == 0) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
    if (count > job->request.max_pages) {
        cp_job_refuse(CP_INSPECT_TOO_MANY_PAGES);
    }

    job->reply.page_count = count;
    for (i = 0; i < count; i++) {
        draw(job, pdf, i, count);
    }
    cp_pdf_close(pdf);
}
