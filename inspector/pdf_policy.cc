#include <exception>
#include <string>

#define POINTERHOLDER_TRANSITION 4    /* qpdf/PointerHolder.hh: only std::shared_ptr */
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFObjectHandle.hh>

#include "pdf.h"

namespace {

/* A dictionary that has this value under this key, or any value but null (value NULL), is what the verdict says. */
struct sign_t {
    const char       *key;
    const char       *value;
    cp_pdf_verdict_t  verdict;
};

const sign_t signs[] = {
    { "/S", "/JavaScript", CP_PDF_JAVASCRIPT },
    { "/JS", nullptr, CP_PDF_JAVASCRIPT },
    { "/S", "/Launch", CP_PDF_LAUNCH },
    { "/Type", "/EmbeddedFile", CP_PDF_ATTACHMENT },
    { "/EF", nullptr, CP_PDF_ATTACHMENT },
    { "/Subtype", "/FileAttachment", CP_PDF_ATTACHMENT },
    { "/Subtype", "/RichMedia", CP_PDF_ATTACHMENT },
    { "/S", "/GoToE", CP_PDF_ATTACHMENT },
    { "/XFA", nullptr, CP_PDF_XFA },
};


bool
shows(QPDFObjectHandle &dictionary, const sign_t &sign)
{
    QPDFObjectHandle value = dictionary.getKey(sign.key);

    return sign.value != nullptr ? value.isNameAndEquals(sign.value) : !value.isNull();
}


/* Of several faults always the same one is told: the first in the order of cp_pdf_verdict_t. */
void
look(QPDFObjectHandle object, cp_pdf_verdict_t &verdict)
{
    if (object.isStream()) {
        object = object.getDict();
    }

    if (object.isDictionary()) {
        for (const sign_t &sign : signs) {
            if ((verdict == CP_PDF_FINE || sign.verdict < verdict) && shows(object, sign)) {
                verdict = sign.verdict;
            }
        }
        for (auto &entry : object.ditems()) {
            if (!entry.second.isIndirect()) {
                look(entry.second, verdict);
            }
        }
    } else if (object.isArray()) {
        for (auto &item : object.aitems()) {
            if (!item.isIndirect()) {
                look(item, verdict);
            }
        }
    }
}


/* What it could not open may still say that it is encrypted. */
cp_pdf_verdict_t
failed(QPDF &pdf, const QPDFExc &why)
{
    if (why.getErrorCode() == qpdf_e_password || why.getErrorCode() == qpdf_e_unsupported) {
        return CP_PDF_ENCRYPTED;
    }

    try {
        return pdf.getTrailer().hasKey("/Encrypt") ? CP_PDF_ENCRYPTED : CP_PDF_DAMAGED;
    } catch (const std::exception &) {
        return CP_PDF_DAMAGED;
    }
}


cp_pdf_verdict_t
check(QPDF &pdf, uint32_t *pages)
{
    cp_pdf_verdict_t verdict = CP_PDF_FINE;

    if (pdf.isEncrypted()) {
        return CP_PDF_ENCRYPTED;
    }

    for (auto &object : pdf.getAllObjects()) {
        look(object, verdict);
    }
    *pages = static_cast<uint32_t>(pdf.getAllPages().size());

    return verdict == CP_PDF_FINE && *pages == 0 ? CP_PDF_DAMAGED : verdict;
}

}


cp_pdf_verdict_t
cp_pdf_check(const void *data, size_t size, uint32_t *pages)
{
    try {
        QPDF pdf;

        pdf.setSuppressWarnings(true);
        try {
            pdf.processMemoryFile("", static_cast<const char *>(data), size);
            return check(pdf, pages);
        } catch (const QPDFExc &why) {
            return failed(pdf, why);
        }
    } catch (const std::exception &) {
        return CP_PDF_DAMAGED;
    }
}
