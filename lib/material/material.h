/*
 * Uploaded scans. A body is stored while it arrives: format checked from its first bytes, size and structure at every
 * byte, hashed and encrypted chunk by chunk; the operation then only names it. Never decoded here.
 */
#ifndef CP_MATERIAL_H
#define CP_MATERIAL_H

#include "call/call.h"
#include "catalog/catalog.h"

typedef struct cp_upload_s cp_upload_t;

/*
 * Begins an upload under a rule: makes a temporary file (mode 0600) in the store. NULL with CP_E_MEDIA_TYPE (the
 * declared type is not allowed), CP_E_TOO_LARGE (content_length, -1 unknown, exceeds the rule), CP_E_STORE or
 * CP_E_STORE_FULL in *code. Touches neither database nor arena: for the event loop. cp_upload_close() ends it.
 */
cp_upload_t *cp_upload_open(const cp_app_t *app, const cp_material_rule_t *rule, cp_str_t content_type,
                            int64_t content_length, cp_code_t *code);

/*
 * Takes the next bytes. CP_E_MEDIA_TYPE as soon as the first ones show another format, CP_E_TOO_LARGE at the byte,
 * CP_E_BAD_FILE at the one that breaks the format's structure or brings a header of too many pixels.
 */
cp_code_t cp_upload_write(cp_upload_t *upload, const void *data, size_t len);

/* Ends the body: CP_E_INVALID when it is empty, CP_E_BAD_FILE when the file is not whole. */
cp_code_t cp_upload_finish(cp_upload_t *upload);

/* After CP_E_BAD_FILE: adds why (`reason`, a code word of walk/walk.h) to the problem document of its call. */
void cp_upload_explain(cp_call_t *call);

/* After cp_upload_finish(): whether it also keeps narrower limits; CP_E_MEDIA_TYPE or CP_E_TOO_LARGE when not. Pure. */
cp_code_t cp_upload_fits(const cp_upload_t *upload, unsigned types, int64_t max_size);

/* Releases it and removes the temporary file unless cp_upload_keep() made it permanent. Accepts NULL. */
void cp_upload_close(cp_upload_t *upload);

typedef struct {
    cp_str_t       file;          /* generated name in the store */
    cp_str_t       wrapped_key;
    unsigned       type;          /* CP_TYPE_* */
    int64_t        size;
    unsigned char  sha256[CP_SHA256_SIZE];
} cp_stored_t;

/* After cp_upload_finish(): type, size and digest of what came; file and key are not set. Pure. */
void cp_upload_describe(const cp_upload_t *upload, cp_stored_t *stored);

/*
 * Makes the file permanent (fsync, rename, fsync of the folders) and says what was stored. On a pool thread, before the
 * commit that names it; a file that no row names is swept later. Called again it only says the same again.
 */
cp_code_t cp_upload_keep(cp_call_t *call, cp_upload_t *upload, cp_stored_t *stored);

/* Reads a stored file into the arena and checks every chunk and the digest. */
cp_code_t cp_stored_read(cp_call_t *call, const cp_stored_t *stored, cp_str_t *bytes);

/* Reads a part of it, within its size; every chunk that the part touches is checked. */
cp_code_t cp_stored_read_range(cp_call_t *call, const cp_stored_t *stored, int64_t offset, size_t len, cp_str_t *bytes);

/*
 * Seals bytes into a new file, permanent as after cp_upload_keep(). CP_E_STORE, CP_E_STORE_FULL, CP_E_NO_MEMORY: then
 * nothing of it stays.
 */
cp_code_t cp_stored_write(cp_call_t *call, cp_str_t bytes, unsigned type, cp_stored_t *stored);

/* Removes a file that no row names any more; a missing one is fine. */
void cp_stored_remove(cp_call_t *call, cp_str_t file);

/* The rule of a payment voucher, which no hall defines. */
extern const cp_material_rule_t cp_voucher_rule;

/* Kinds that the order still misses for its sale, applicant and service: names ("materials.licence") appended to the
 * JSON array; and those rejected by the last review that were not replaced since. */
cp_code_t cp_material_missing(cp_call_t *call, int64_t order, cp_str_t sale, cp_str_t applicant, cp_str_t service,
                              json_t *missing);

/* The order's current materials as JSON: [{kind, title, type, size, sha256, state, uploaded_at}]. */
cp_code_t cp_material_list(cp_call_t *call, int64_t order, cp_str_t sale, json_t **list);

/*
 * SHA-256 over the order's current materials, a line "kind digest" each in the order of their kinds: 32 bytes from the
 * arena. What was submitted and what is decided on must agree in it.
 */
cp_code_t cp_material_set_digest(cp_call_t *call, int64_t order, cp_str_t *digest);

/* Marks a kind as rejected by the review; CP_E_NOT_FOUND when the order has none of that kind. */
cp_code_t cp_material_reject(cp_call_t *call, int64_t order, cp_str_t kind);

/*
 * Clears the store: temporary files older than 10 minutes, and stored files older than an hour that no payment and no
 * material names, but those discarded before any review saw them. *removed counts the files, also on an error. For an
 * operator's program: it uses this thread's connection with arenas of its own, so results taken before are gone.
 */
cp_code_t cp_material_sweep(const cp_app_t *app, int64_t now_ms, int64_t *removed);

#endif
