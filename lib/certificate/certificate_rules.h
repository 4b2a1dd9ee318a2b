#ifndef CP_CERTIFICATE_RULES_H
#define CP_CERTIFICATE_RULES_H

#include "catalog/catalog.h"

/* The words of a revocation's reason; the bit of a word is 1 << CRLReason (RFC 5280 section 5.3.1). */
extern const cp_word_t cp_reason_words[];
extern const cp_word_t cp_holder_reason_words[];    /* those that are the holder's to give */

/* CRLReason of a word's bit. Pure. */
int64_t cp_reason_number(unsigned bit);

/* The word of a CRLReason; NULL when we give none. Pure. */
const char *cp_reason_name(int64_t number);

/* Forms of a download. */
typedef enum {
    CP_FORM_PEM,
    CP_FORM_DER,
    CP_FORM_P7B,
    CP_FORM_UNKNOWN
} cp_form_t;

/* {0, NULL} is PEM. Pure. */
cp_form_t cp_form_of(cp_str_t word);

#endif
