/* Content-Disposition: of a part of a form (RFC 7578 section 4.2), or of a whole body (RFC 6266). Pure. */
#ifndef CP_DISPOSITION_H
#define CP_DISPOSITION_H

#include "base/str.h"

#define CP_DISPOSITION_MAX  2048u    /* bytes of one that is read */

typedef struct {
    cp_str_t  type;              /* "form-data", "attachment" */
    cp_str_t  name;              /* of the form's field; {0, NULL}: none is given, and so of the next two */
    cp_str_t  file_name;         /* by filename=, as its bytes came */
    cp_str_t  extended_name;     /* by filename*=, decoded UTF-8 (RFC 8187) */
    char      room[CP_DISPOSITION_MAX];
} cp_disposition_t;

/*
 * Reads one into slices of itself and of `field`, so it is not to be moved. False when it is malformed, too long, has a
 * parameter twice, or one that others may take for a name (name*, filename*0 of RFC 2231).
 */
bool cp_disposition_read(cp_disposition_t *disposition, cp_str_t field);

#endif
