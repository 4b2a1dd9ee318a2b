/* What the two C++ files offer: qpdf's view of a document, and poppler's pages. No exception leaves them. */
#ifndef CP_PDF_H
#define CP_PDF_H

#include <stdbool.h>

/* Loads fonts' tables and character maps into memory: before the cage, by a document of our own. */
bool cp_pdf_prepare(void);

#endif
