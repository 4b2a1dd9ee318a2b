/*
 * Plain bytes on their way into a stored file (material_format.h), at most one chunk of them in memory. Only their sealed
 * form reaches the disk.
 */
#ifndef CP_MATERIAL_SEALER_H
#define CP_MATERIAL_SEALER_H

#include "material/material_format.h"

typedef struct {
    int            file;
    uint64_t       chunks;      /* sealed and written so far */
    size_t         filled;      /* bytes in the buffer */
    unsigned char  key[CP_KEY_SIZE];
    unsigned char  buffer[CP_CHUNK_SIZE + CP_TAG_SIZE];
} cp_sealer_t;

/* Begins a file under a new key; `file` is empty and stays the caller's. */
void cp_sealer_begin(cp_sealer_t *sealer, int file);

/* Takes bytes, one or more in all. CP_E_STORE, CP_E_STORE_FULL. */
cp_code_t cp_sealer_take(cp_sealer_t *sealer, const void *bytes, size_t len);

/* Seals and writes what is left. The same errors. */
cp_code_t cp_sealer_finish(cp_sealer_t *sealer);

/* Forgets key and bytes. */
void cp_sealer_clear(cp_sealer_t *sealer);

#endif
