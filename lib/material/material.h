/*
 * Uploaded scans. A body is stored while it arrives: format checked from its first bytes, size and structure at every
 * byte, hashed and encrypted chunk by chunk; the operation then only names it. Never decoded here.
 */
#ifndef CP_MATERIAL_H
#define CP_MATERIAL_H

#include "call/call.h"
#include "catalog/catalog.h"
#include "gate/gate.h"

typedef struct cp_upload_s cp_upload_t;

/*
 * Begins an upload, as it is or in a form, and makes a temporary file (mode 0600) in the store. *code is not CP_OK
 * where it is refused at once: see cp_gate_open(), and CP_E_STORE or CP_E_STORE_FULL; the upload then only explains
 * why. NULL: CP_E_NO_MEMORY. Touches neither database nor arena: for the event loop. cp_upload_close() ends it.
 */
cp_upload_t *cp_upload_open(const cp_app_t *app, const cp_gate_limits_t *limits, cp_gate_form_t form,
                            const cp_gate_head_t *head, cp_code_t *code);

/* Takes the body's next bytes, and says that nothing follows: the codes of cp_gate_write() and cp_gate_finish(). */
cp_code_t cp_upload_write(cp_upload_t *upload, const void *data, size_t len);
cp_code_t cp_upload_finish(cp_upload_t *upload);

/*
 * After a refusal: adds why to the call's problem document, `reason` (a code word) or the field that is wrong: of the
 * call's upload, or of any gate. Nothing where there is none.
 */
void cp_upload_explain(cp_call_t *call);
void cp_gate_explain(cp_call_t *call, const cp_gate_t *gate);

/* After cp_upload_finish(): the path of this server that its form names to go to next; {0, NULL}: none. */
cp_str_t cp_upload_next(const cp_upload_t *upload);

/* After cp_upload_finish(): whether call->upload also keeps narrower limits. A refusal is explained. */
cp_code_t cp_upload_narrow(cp_call_t *call, const cp_gate_limits_t *limits);

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

/* What a rule of the catalogue lets in. */
cp_gate_limits_t cp_material_limits(const cp_material_rule_t *rule);

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
