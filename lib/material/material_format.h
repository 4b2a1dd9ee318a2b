/*
 * How a stored file is written: a head of fixed bytes, then chunks of CP_CHUNK_SIZE bytes (the last may be shorter,
 * none is empty), each sealed with AES-256-GCM under a key that no other file has. Nonce and authenticated data count
 * the chunks and mark the last one, so that a file which was cut, extended or put together anew does not open.
 */
#ifndef CP_MATERIAL_FORMAT_H
#define CP_MATERIAL_FORMAT_H

#include "base/crypto.h"

#define CP_CHUNK_SIZE  65536u
#define CP_FILE_HEAD   16u

/* "caportal", version (4 bytes) and chunk size (4 bytes), big-endian. */
extern const unsigned char cp_file_head[CP_FILE_HEAD];

/* Bytes on disk of a file of `size` plain bytes (1 or more), and its number of chunks. */
int64_t cp_file_size(int64_t size);
int64_t cp_file_chunks(int64_t size);

/* Seals chunk `number` (from 0) into `out`, plain.len + CP_TAG_SIZE bytes; `out` may be where the plain bytes are. */
cp_code_t cp_chunk_seal(const unsigned char key[CP_KEY_SIZE], uint64_t number, bool last, cp_str_t plain,
                        unsigned char *out);

/* Opens it into `out`; CP_E_INTERNAL when it is another chunk, of another file, or changed. */
cp_code_t cp_chunk_open(const unsigned char key[CP_KEY_SIZE], uint64_t number, bool last, cp_str_t sealed,
                        unsigned char *out);

#endif
