/* A body on its way into the store: at most one chunk of it is in memory, and only its sealed form reaches the disk. */
#include "material/material.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "material/material_copy.h"
#include "material/sealer.h"

struct cp_upload_s {
    const cp_store_conf_t *store;
    int                    file;
    char                   name[CP_FILE_NAME + 1];
    cp_code_t              failed;      /* what ended it: later calls answer the same */
    bool                   finished;
    bool                   kept;
    cp_gate_t              gate;
    EVP_MD_CTX            *digest;
    unsigned char          sha256[CP_SHA256_SIZE];
    cp_gate_limits_t       narrowed;    /* what the operation knew besides */
    cp_inspected_t        *inspected;   /* what the cage made of it */
    cp_sealer_t            sealer;
};

const cp_material_rule_t cp_voucher_rule = {
    .kind = { 7, (char *) (uintptr_t) "voucher" },
    .title = { 12, (char *) (uintptr_t) "付款凭证" },
    .types = CP_TYPE_JPEG | CP_TYPE_PNG | CP_TYPE_BMP | CP_TYPE_PDF,
    .max_size = 2 * 1024 * 1024,
};


cp_gate_limits_t
cp_material_limits(const cp_material_rule_t *rule)
{
    return (cp_gate_limits_t) { .types = rule->types, .max_size = (int64_t) rule->max_size,
                                .max_pixels = rule->max_pixels, .max_pages = rule->max_pages };
}


static cp_code_t
begin(cp_upload_t *upload)
{
    upload->digest = EVP_MD_CTX_new();
    if (upload->digest == NULL || EVP_DigestInit_ex2(upload->digest, EVP_sha256(), NULL) != 1) {
        return CP_E_NO_MEMORY;
    }

    upload->file = cp_file_create(upload->store, upload->name);
    if (upload->file == -1) {
        return cp_store_failed("creating a file");
    }

    cp_sealer_begin(&upload->sealer, upload->file);

    return CP_OK;
}


static cp_code_t take(void *data, const void *bytes, size_t len);


cp_upload_t *
cp_upload_open(const cp_app_t *app, const cp_gate_limits_t *limits, cp_gate_form_t form, const cp_gate_head_t *head,
               cp_code_t *code)
{
    cp_upload_t *upload = calloc(1, sizeof(cp_upload_t));

    if (upload == NULL) {
        *code = CP_E_NO_MEMORY;
        return NULL;
    }

    upload->store = &app->store;
    upload->file = -1;

    *code = cp_gate_open(&upload->gate, limits, form, head, take, upload);
    if (*code == CP_OK) {
        *code = begin(upload);
    }
    upload->failed = *code;

    return upload;
}


/* Bytes of the file that passed the gate. */
static cp_code_t
take(void *data, const void *bytes, size_t len)
{
    cp_upload_t *upload = data;

    if (EVP_DigestUpdate(upload->digest, bytes, len) != 1) {
        return CP_E_INTERNAL;
    }

    return cp_sealer_take(&upload->sealer, bytes, len);
}


cp_code_t
cp_upload_write(cp_upload_t *upload, const void *data, size_t len)
{
    if (upload->finished) {
        return CP_E_INTERNAL;
    }

    if (upload->failed == CP_OK) {
        upload->failed = cp_gate_write(&upload->gate, data, len);
    }

    return upload->failed;
}


static cp_code_t
finish(cp_upload_t *upload)
{
    unsigned size = sizeof(upload->sha256);

    CP_TRY(cp_gate_finish(&upload->gate));

    if (EVP_DigestFinal_ex(upload->digest, upload->sha256, &size) != 1) {
        return CP_E_INTERNAL;
    }

    return cp_sealer_finish(&upload->sealer);
}


cp_code_t
cp_upload_finish(cp_upload_t *upload)
{
    if (upload->failed == CP_OK && !upload->finished) {
        upload->failed = finish(upload);
        upload->finished = upload->failed == CP_OK;
    }

    return upload->failed;
}


void
cp_gate_explain(cp_call_t *call, const cp_gate_t *gate)
{
    const char *reason = gate == NULL ? NULL : cp_gate_reason(gate);
    cp_str_t    field;

    if (reason != NULL) {
        cp_problem(call, "reason", json_string(reason));
    }

    if (gate != NULL && gate->failed == CP_E_INVALID) {
        field = cp_str_dup(call->arena, cp_str(gate->field));
        if (field.data != NULL) {
            cp_bad_field(call, field, gate->why);
        }
    }
}


void
cp_upload_explain(cp_call_t *call)
{
    if (call->upload != NULL) {
        cp_gate_explain(call, &call->upload->gate);
    }
}


cp_str_t
cp_upload_next(const cp_upload_t *upload)
{
    return upload->gate.next_len == 0 ? CP_STR_NULL : cp_str_n(upload->gate.next, upload->gate.next_len);
}


cp_code_t
cp_upload_narrow(cp_call_t *call, const cp_gate_limits_t *limits)
{
    cp_code_t code = cp_gate_narrow(&call->upload->gate, limits);

    if (code != CP_OK) {
        cp_upload_explain(call);
    }
    call->upload->narrowed = *limits;

    return code;
}


/* The smaller of two limits, of which 0 is none. */
static int64_t
smaller(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}


cp_gate_limits_t
cp_upload_limits(const cp_upload_t *upload)
{
    cp_gate_limits_t limits = upload->gate.limits;

    limits.max_pixels = smaller(limits.max_pixels, upload->narrowed.max_pixels);
    limits.max_pages = smaller(limits.max_pages, upload->narrowed.max_pages);

    return limits;
}


static cp_code_t
settle(cp_upload_t *upload, cp_arena_t *arena)
{
    if (!upload->finished || upload->failed != CP_OK) {
        return CP_E_INTERNAL;
    }

    CP_TRY(cp_file_settle(upload->store, arena, upload->file, upload->name));

    upload->kept = true;
    return CP_OK;
}


void
cp_upload_describe(const cp_upload_t *upload, cp_stored_t *stored)
{
    stored->type = upload->gate.type;
    stored->size = upload->gate.size;
    memcpy(stored->sha256, upload->sha256, sizeof(stored->sha256));
}


cp_code_t
cp_upload_keep(cp_call_t *call, cp_upload_t *upload, cp_stored_t *stored)
{
    CP_TRY(cp_key_wrap(call->app->keys, call->arena, upload->sealer.key, &stored->wrapped_key));

    stored->file = cp_str_dup(call->arena, cp_str(upload->name));
    if (stored->file.data == NULL) {
        return CP_E_NO_MEMORY;
    }

    cp_upload_describe(upload, stored);

    /* The operation may run a second time after a deadlock. */
    return upload->kept ? CP_OK : settle(upload, call->arena);
}


static bool
read_at(int file, off_t at, unsigned char *out, size_t len)
{
    ssize_t n;

    while (len > 0) {
        n = pread(file, out, len, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        out += n;
        at += n;
        len -= (size_t) n;
    }

    return true;
}


/* Chunk `number` of what has come, opened in the sealer's buffer, which holds nothing any more; *len: its bytes. */
static cp_code_t
read_back(cp_upload_t *upload, uint64_t number, size_t *len)
{
    cp_sealer_t *sealer = &upload->sealer;
    bool         last = number == sealer->chunks - 1;
    off_t        at = (off_t) (CP_FILE_HEAD + number * (CP_CHUNK_SIZE + CP_TAG_SIZE));

    *len = last ? (size_t) upload->gate.size - number * CP_CHUNK_SIZE : CP_CHUNK_SIZE;

    if (!read_at(upload->file, at, sealer->buffer, *len + CP_TAG_SIZE)) {
        return cp_store_failed("reading what has just come");
    }

    return cp_chunk_open(sealer->key, number, last, cp_str_n(sealer->buffer, *len + CP_TAG_SIZE), sealer->buffer);
}


cp_code_t
cp_upload_plain(cp_upload_t *upload, cp_upload_plain_fn give, void *data)
{
    cp_code_t code = upload->finished ? CP_OK : CP_E_INTERNAL;
    uint64_t  i;
    size_t    len;

    for (i = 0; i < upload->sealer.chunks && code == CP_OK; i++) {
        code = read_back(upload, i, &len);
        if (code == CP_OK) {
            code = give(data, upload->sealer.buffer, len);
        }
    }
    explicit_bzero(upload->sealer.buffer, sizeof(upload->sealer.buffer));

    return code;
}


cp_inspected_t **
cp_upload_inspected(cp_upload_t *upload)
{
    return &upload->inspected;
}


void
cp_upload_close(cp_upload_t *upload)
{
    if (upload == NULL) {
        return;
    }

    if (upload->file != -1) {
        close(upload->file);
        if (!upload->kept) {
            cp_file_abandon(upload->store, upload->name);
        }
    }

    EVP_MD_CTX_free(upload->digest);

    explicit_bzero(upload, sizeof(*upload));
    free(upload);
}
