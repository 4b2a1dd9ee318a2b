/* A body on its way into the store: at most one chunk of it is in memory, and only its sealed form reaches the disk. */
#include "material/material.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/random.h"
#include "material/material_copy.h"
#include "material/material_format.h"
#include "walk/walk.h"

#define HEAD_SIZE   12u         /* bytes that tell every known format */
#define PIXELS_MAX  40000000    /* an A3 page at 450 dpi; 160 MB as decoded */

struct cp_upload_s {
    const cp_store_conf_t *store;
    int                    file;
    char                   name[CP_FILE_NAME + 1];
    unsigned               type;
    size_t                 max_size;
    size_t                 size;
    size_t                 filled;      /* bytes in the buffer */
    uint64_t               chunks;      /* sealed so far */
    cp_code_t              failed;      /* what ended it: later calls answer the same */
    bool                   finished;
    bool                   kept;
    cp_walk_t              walk;
    EVP_MD_CTX            *digest;
    unsigned char          sha256[CP_SHA256_SIZE];
    unsigned char          key[CP_KEY_SIZE];
    cp_inspected_t        *inspected;   /* what the cage made of it */
    unsigned char          buffer[CP_CHUNK_SIZE + CP_TAG_SIZE];
};

const cp_material_rule_t cp_voucher_rule = {
    .kind = { 7, (char *) (uintptr_t) "voucher" },
    .title = { 12, (char *) (uintptr_t) "付款凭证" },
    .types = CP_TYPE_JPEG | CP_TYPE_PNG | CP_TYPE_BMP | CP_TYPE_PDF,
    .max_size = 2 * 1024 * 1024,
};


static cp_walk_kind_t
kind_of(unsigned type)
{
    switch (type) {
    case CP_TYPE_PNG:
        return CP_WALK_PNG;
    case CP_TYPE_BMP:
        return CP_WALK_BMP;
    case CP_TYPE_GIF:
        return CP_WALK_GIF;
    case CP_TYPE_PDF:
        return CP_WALK_PDF;
    default:
        return CP_WALK_JPEG;
    }
}


static cp_code_t
begin(cp_upload_t *upload)
{
    static const cp_walk_limits_t limits = { .max_pixels = PIXELS_MAX };

    cp_walk_begin(&upload->walk, kind_of(upload->type), &limits);

    upload->digest = EVP_MD_CTX_new();
    if (upload->digest == NULL || EVP_DigestInit_ex2(upload->digest, EVP_sha256(), NULL) != 1) {
        return CP_E_NO_MEMORY;
    }

    upload->file = cp_file_create(upload->store, upload->name);
    if (upload->file == -1) {
        return cp_store_failed("creating a file");
    }

    cp_random(upload->key, sizeof(upload->key));

    return CP_OK;
}


cp_upload_t *
cp_upload_open(const cp_app_t *app, const cp_material_rule_t *rule, cp_str_t content_type, int64_t content_length,
               cp_code_t *code)
{
    cp_upload_t *upload;
    unsigned     type = cp_type_of_mime(content_type) & rule->types;

    *code = type == 0 ? CP_E_MEDIA_TYPE
                      : content_length > (int64_t) rule->max_size ? CP_E_TOO_LARGE : CP_OK;
    if (*code != CP_OK) {
        return NULL;
    }

    upload = calloc(1, sizeof(cp_upload_t));
    if (upload == NULL) {
        *code = CP_E_NO_MEMORY;
        return NULL;
    }

    upload->store = &app->store;
    upload->file = -1;
    upload->type = type;
    upload->max_size = rule->max_size;

    *code = begin(upload);
    if (*code != CP_OK) {
        cp_upload_close(upload);
        return NULL;
    }

    return upload;
}


/* Seals the buffer in its place and writes it. */
static cp_code_t
flush_chunk(cp_upload_t *upload, bool last)
{
    if (upload->chunks == 0) {
        CP_TRY(cp_file_append(upload->file, cp_file_head, sizeof(cp_file_head)));
    }

    CP_TRY(cp_chunk_seal(upload->key, upload->chunks, last, cp_str_n(upload->buffer, upload->filled), upload->buffer));
    CP_TRY(cp_file_append(upload->file, upload->buffer, upload->filled + CP_TAG_SIZE));

    upload->chunks++;
    upload->filled = 0;

    return CP_OK;
}


/* The first bytes are still in the buffer, for nothing was written yet. */
static cp_code_t
check_format(const cp_upload_t *upload)
{
    size_t n = upload->size < HEAD_SIZE ? upload->size : HEAD_SIZE;

    return cp_type_of_bytes(cp_str_n(upload->buffer, n)) == upload->type ? CP_OK : CP_E_MEDIA_TYPE;
}


static cp_code_t
walk_on(cp_upload_t *upload, const unsigned char *data, size_t len)
{
    return cp_walk_feed(&upload->walk, data, len) == CP_WALK_OK ? CP_OK : CP_E_BAD_FILE;
}


/* Of another format is told first: the bytes that tell it are walked together, when they are here. */
static cp_code_t
check_head(cp_upload_t *upload)
{
    CP_TRY(check_format(upload));

    return walk_on(upload, upload->buffer, upload->filled);
}


/* Takes what fits in the buffer. A full one waits for the next byte, which tells that its chunk is not the last. */
static cp_code_t
take(cp_upload_t *upload, const unsigned char **data, size_t *len)
{
    bool   head = upload->size < HEAD_SIZE;
    size_t n;

    if (upload->filled == CP_CHUNK_SIZE) {
        CP_TRY(flush_chunk(upload, false));
    }

    n = CP_CHUNK_SIZE - upload->filled;
    if (n > *len) {
        n = *len;
    }

    memcpy(upload->buffer + upload->filled, *data, n);
    upload->filled += n;
    upload->size += n;

    if (!head) {
        CP_TRY(walk_on(upload, *data, n));
    } else if (upload->size >= HEAD_SIZE) {
        CP_TRY(check_head(upload));
    }

    if (EVP_DigestUpdate(upload->digest, *data, n) != 1) {
        return CP_E_INTERNAL;
    }

    *data += n;
    *len -= n;

    return CP_OK;
}


cp_code_t
cp_upload_write(cp_upload_t *upload, const void *data, size_t len)
{
    const unsigned char *p = data;

    if (upload->finished) {
        return CP_E_INTERNAL;
    }

    if (upload->failed == CP_OK && len > upload->max_size - upload->size) {
        upload->failed = CP_E_TOO_LARGE;
    }

    while (upload->failed == CP_OK && len > 0) {
        upload->failed = take(upload, &p, &len);
    }

    return upload->failed;
}


static cp_code_t
finish(cp_upload_t *upload)
{
    unsigned size = sizeof(upload->sha256);

    if (upload->size == 0) {
        return CP_E_INVALID;
    }

    if (upload->size < HEAD_SIZE) {
        CP_TRY(check_head(upload));
    }

    if (cp_walk_end(&upload->walk) != CP_WALK_OK) {
        return CP_E_BAD_FILE;
    }

    if (EVP_DigestFinal_ex(upload->digest, upload->sha256, &size) != 1) {
        return CP_E_INTERNAL;
    }

    return flush_chunk(upload, true);
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
cp_upload_explain(cp_call_t *call)
{
    if (call->upload != NULL && call->upload->failed == CP_E_BAD_FILE) {
        cp_problem(call, "reason", json_string(cp_walk_text(call->upload->walk.verdict)->code));
    }
}


cp_code_t
cp_upload_fits(const cp_upload_t *upload, unsigned types, int64_t max_size)
{
    if ((upload->type & types) == 0) {
        return CP_E_MEDIA_TYPE;
    }

    return (int64_t) upload->size > max_size ? CP_E_TOO_LARGE : CP_OK;
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
    stored->type = upload->type;
    stored->size = (int64_t) upload->size;
    memcpy(stored->sha256, upload->sha256, sizeof(stored->sha256));
}


cp_code_t
cp_upload_keep(cp_call_t *call, cp_upload_t *upload, cp_stored_t *stored)
{
    CP_TRY(cp_key_wrap(call->app->keys, call->arena, upload->key, &stored->wrapped_key));

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


cp_code_t
cp_upload_plain(cp_upload_t *upload, unsigned char *out)
{
    cp_stored_t stored;
    cp_code_t   code = upload->finished ? CP_OK : CP_E_INTERNAL;
    uint64_t    i;
    off_t       at = CP_FILE_HEAD;
    size_t      n;
    bool        last;

    cp_upload_describe(upload, &stored);

    for (i = 0; i < upload->chunks && code == CP_OK; i++) {
        last = i == upload->chunks - 1;
        n = last ? (size_t) stored.size - i * CP_CHUNK_SIZE : CP_CHUNK_SIZE;

        if (read_at(upload->file, at, upload->buffer, n + CP_TAG_SIZE)) {
            code = cp_chunk_open(upload->key, i, last, cp_str_n(upload->buffer, n + CP_TAG_SIZE), out);
        } else {
            code = cp_store_failed("reading what has just come");
        }
        at += (off_t) (n + CP_TAG_SIZE);
        out += n;
    }

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
