#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>

#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page-renderer.h>
#include <poppler-page.h>

#include "pdf.h"

#define POINTS       72.0       /* of an inch: ISO 32000-1 section 8.3.2.3 */
#define EDGE_MAX     16000.0    /* pixels; JPEG's own limit is 65535 */

struct cp_pdf_s {
    std::unique_ptr<poppler::document>  document;
    poppler::image                      image;
};

namespace {

/* A page with a Latin and a Chinese font that are not in it. Readers find objects without a table of them. */
const char sample[] =
    "%PDF-1.4\n"
    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R"
    "/Resources<</Font<</F1 5 0 R/F2 6 0 R>>>>>>endobj\n"
    "4 0 obj<</Length 66>>stream\n"
    "BT /F1 12 Tf 9 9 Td (caportal) Tj /F2 12 Tf 0 20 Td <4F01> Tj ET  \n"
    "endstream endobj\n"
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    "6 0 obj<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[7 0 R]>>endobj\n"
    "7 0 obj<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 8 0 R"
    "/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>endobj\n"
    "8 0 obj<</Type/FontDescriptor/FontName/STSong-Light/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0"
    "/Ascent 800/Descent -200/CapHeight 700/StemV 80>>endobj\n"
    "trailer<</Size 9/Root 1 0 R>>\n"
    "%%EOF\n";

/* As long as one document lives, poppler keeps what all of them share. */
cp_pdf_t *kept;


/* Its messages quote documents. */
void
ignore(const std::string &, void *)
{
}


bool
render(cp_pdf_t *pdf, uint32_t number, double dpi, double max_pixels, cp_pdf_page_t *out)
{
    std::unique_ptr<poppler::page> page(pdf->document->create_page(static_cast<int>(number)));
    poppler::page_renderer         renderer;

    if (!page) {
        return false;
    }

    poppler::rectf box = page->page_rect(poppler::crop_box);
    double         width = box.width() / POINTS, height = box.height() / POINTS;

    if (!std::isfinite(width) || !std::isfinite(height) || width <= 0 || height <= 0) {
        return false;
    }
    dpi = std::min({ dpi, std::sqrt(max_pixels / width / height), EDGE_MAX / std::max(width, height) });
    while (std::ceil(width * dpi) * std::ceil(height * dpi) > max_pixels) {
        dpi *= 0.99;
    }

    renderer.set_render_hints(poppler::page_renderer::antialiasing | poppler::page_renderer::text_antialiasing);
    renderer.set_image_format(poppler::image::format_rgb24);
    pdf->image = renderer.render_page(page.get(), dpi, dpi);
    if (!pdf->image.is_valid() || pdf->image.width() <= 0 || pdf->image.height() <= 0) {
        return false;
    }

    out->pixels = reinterpret_cast<const uint8_t *>(pdf->image.const_data());
    out->stride = static_cast<size_t>(pdf->image.bytes_per_row());
    out->width = static_cast<uint32_t>(pdf->image.width());
    out->height = static_cast<uint32_t>(pdf->image.height());

    return true;
}

}


cp_pdf_t *
cp_pdf_open(const void *data, size_t size)
{
    try {
        std::unique_ptr<cp_pdf_t> pdf(new cp_pdf_t);

        poppler::set_debug_error_function(ignore, nullptr);
        pdf->document.reset(poppler::document::load_from_raw_data(static_cast<const char *>(data),
                                                                  static_cast<int>(size)));

        return pdf->document && !pdf->document->is_locked() ? pdf.release() : nullptr;
    } catch (const std::exception &) {
        return nullptr;
    }
}


uint32_t
cp_pdf_count(const cp_pdf_t *pdf)
{
    return static_cast<uint32_t>(std::max(pdf->document->pages(), 0));
}


bool
cp_pdf_render(cp_pdf_t *pdf, uint32_t number, double dpi, double max_pixels, cp_pdf_page_t *page)
{
    try {
        return render(pdf, number, dpi, max_pixels, page);
    } catch (const std::exception &) {
        return false;
    }
}


void
cp_pdf_close(cp_pdf_t *pdf)
{
    delete pdf;
}


void
cp_pdf_forget(void)
{
    cp_pdf_close(kept);
    kept = nullptr;
}


bool
cp_pdf_prepare(void)
{
    cp_pdf_page_t page;

    kept = cp_pdf_open(sample, sizeof(sample) - 1);

    return kept != nullptr && cp_pdf_render(kept, 0, POINTS, 1e6, &page);
}
