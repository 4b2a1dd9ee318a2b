#include "material/sealer.h"

#include <string.h>

#include "base/random.h"
#include "store/store.h"


void
cp_sealer_begin(cp_sealer_t *sealer, int file)
{
    sealer->file = file;
    sealer->chunks = 0;
    sealer->filled = 0;
    cp_random(sealer->key, sizeof(sealer->key));
}


/* Seals the buffer in its place and writes it. */
static cp_code_t
flush(cp_sealer_t *sealer, bool last)
{
    if (sealer->chunks == 0) {
        CP_TRY(cp_file_append(sealer->file, cp_file_head, sizeof(cp_file_head)));
    }

    CP_TRY(cp_chunk_seal(sealer->key, sealer->chunks, last, cp_str_n(sealer->buffer, sealer->filled), sealer->buffer));
    CP_TRY(cp_file_append(sealer->file, sealer->buffer, sealer->filled + CP_TAG_SIZE));

    sealer->chunks++;
    sealer->filled = 0;

    return CP_OK;
}


cp_code_t
cp_sealer_take(cp_sealer_t *sealer, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    size_t               n;

    while (len > 0) {
        /* A full buffer waits for the next byte, which tells that its chunk is not the last. */
        if (sealer->filled == CP_CHUNK_SIZE) {
            CP_TRY(flush(sealer, false));
        }

        n = CP_CHUNK_SIZE - sealer->filled < len ? CP_CHUNK_SIZE - sealer->filled : len;
        memcpy(sealer->buffer + sealer->filled, p, n);
        sealer->filled += n;
        p += n;
        len -= n;
    }

    return CP_OK;
}


cp_code_t
cp_sealer_finish(cp_sealer_t *sealer)
{
    return flush(sealer, true);
}


void
cp_sealer_clear(cp_sealer_t *sealer)
{
    explicit_bzero(sealer, sizeof(*sealer));
}
