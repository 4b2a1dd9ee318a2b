/*
 * Copies: what the inspector makes of an uploaded file, and all that anybody is shown of it. A picture has one page, a
 * PDF several, both a thumbnail. They belong to the stored file, so that whatever shares it shares them.
 */
#ifndef CP_MATERIAL_COPY_H
#define CP_MATERIAL_COPY_H

#include "inspect/inspect.h"
#include "material/material.h"

#define CP_COPY_THUMBNAIL  0u    /* in place of a page's number, which begin with 1 */

typedef struct {
    unsigned     page;
    unsigned     width;
    unsigned     height;
    cp_stored_t  stored;
} cp_copy_t;

typedef struct cp_inspected_s {
    int64_t     width;          /* upright pixels; of a PDF its first page's */
    int64_t     height;
    int64_t     orientation;    /* EXIF, as it was */
    int64_t     hints;          /* CP_HINT_* */
    int64_t     pages;          /* that can be looked at */
    cp_copy_t  *copies;         /* in the arena; those of a file that was just inspected */
    size_t      count;
    int64_t     size;           /* of all copies, bytes */
} cp_inspected_t;

/* ---- material_inspect.c */

/*
 * Has a finished upload decoded by the inspector, blocking, and its copies sealed into the store, once however often it
 * is called. CP_E_BAD_FILE: it is refused, the problem says why; CP_E_BUSY: the inspector is away or has no room,
 * nothing was kept; CP_E_STORE, CP_E_STORE_FULL, CP_E_NO_MEMORY. No transaction should be open: it takes up to seconds.
 */
cp_code_t cp_upload_inspect(cp_call_t *call, cp_upload_t *upload, const cp_inspected_t **inspected);

/*
 * The same refusal, CP_E_BAD_FILE, of bytes that were inspected before, where more was allowed, and found to have so many
 * pages.
 */
cp_code_t cp_upload_fits(cp_call_t *call, const cp_upload_t *upload, unsigned type, int64_t pages);

/* Removes the copies that an upload's inspection made, which no row names. */
void cp_upload_drop_copies(cp_call_t *call, cp_upload_t *upload);

/* What is found in a scan, as the API says it: {"pages": 1, "hints": ["too_dark"]} added to `json`; NULL: no memory. */
cp_code_t cp_inspected_tell(const cp_inspected_t *inspected, json_t *json);

/* ---- copy_store.c */

/* Records an inspection and its copies for a stored file, in the open transaction. */
cp_code_t cp_inspected_insert(cp_call_t *call, cp_str_t file, const cp_inspected_t *inspected);

/* A copy of a stored file; CP_E_NOT_FOUND. */
cp_code_t cp_copy_find(cp_call_t *call, cp_str_t file, unsigned page, cp_copy_t *copy);

/* ---- copy_show.c */

/* Which page the query asks for, "page" and nothing else: 1 without. CP_E_BAD_QUERY. */
cp_code_t cp_copy_page(cp_call_t *call, unsigned *page);

/*
 * Answers with a copy of a stored file, saved as `stem` and an ending if at all; for staff, marked with who looks at it
 * and when. CP_E_NOT_FOUND: it has no such page; CP_E_BUSY: the inspector, which draws the mark, is away or has no
 * room. No transaction should be open.
 */
cp_code_t cp_copy_show(cp_call_t *call, cp_str_t original, unsigned page, cp_str_t stem);

/*
 * The headers of a file's answer, which may be asked for in parts: "inline" or "attachment", its name, and that no
 * browser guesses its type, runs it, or keeps it. CP_E_NO_MEMORY, also when the name is {0, NULL}.
 */
cp_code_t cp_file_headers(cp_call_t *call, const char *how, cp_str_t name);

/* ---- upload.c, for material_inspect.c */

/*
 * Opens the sealed bytes of a finished upload and gives them away, a chunk at a time, until `give` returns anything but
 * CP_OK. CP_E_STORE: they cannot be read; else what `give` returned.
 */
typedef cp_code_t (*cp_upload_plain_fn)(void *data, const void *bytes, size_t len);
cp_code_t cp_upload_plain(cp_upload_t *upload, cp_upload_plain_fn give, void *data);

/* The limits of pixels and pages that an upload has to keep, those that cp_upload_narrow() brought too. Pure. */
cp_gate_limits_t cp_upload_limits(const cp_upload_t *upload);

/* Where an upload keeps what the inspector made of it; NULL: nothing yet. */
cp_inspected_t **cp_upload_inspected(cp_upload_t *upload);

#endif
