#include "pdf.h"
bool cp_pdf_prepare(void) { return true; }
