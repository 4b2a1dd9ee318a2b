/*
 * The key ring: the secrets under which personal data, blind indexes, materials and audit rows stand.
 *
 * The file holds one key a line, `<version> <64 hexadecimal digits>`, with `#` comments; versions are 1 to 255 and
 * ascend. The last line encrypts; every line decrypts; blind indexes and authentication codes use version 1, which
 * must therefore never go away. From each secret HKDF derives one key a purpose, so no two uses share a key.
 */
#ifndef CP_KEYRING_H
#define CP_KEYRING_H

#include "crypto.h"

typedef struct cp_keyring_s cp_keyring_t;

/*
 * Reads the file. Returns NULL and sets *why (static text) and *line (0 when the file itself cannot be read) when it
 * is missing, open to others than owner and group, malformed or empty. cp_keyring_free() releases it.
 */
cp_keyring_t *cp_keyring_read(const char *path, const char **why, unsigned *line);

/* Wipes and releases; accepts NULL. */
void cp_keyring_free(cp_keyring_t *ring);

/*
 * Encrypts a column value: version (1 byte), nonce, ciphertext, tag; from the arena. `column` ("account.phone") is
 * authenticated, so that a value copied into another column does not open. SQL NULL stays NULL.
 */
cp_code_t cp_column_seal(const cp_keyring_t *ring, cp_arena_t *arena, const char *column, cp_str_t plain,
                         cp_str_t *sealed);

/* Opens such a value, of any version in the ring, into the arena. CP_E_INTERNAL when it was changed or moved. */
cp_code_t cp_column_open(const cp_keyring_t *ring, cp_arena_t *arena, const char *column, cp_str_t sealed,
                         cp_str_t *plain);

/* Blind index: HMAC-SHA-256 of `value` for `column`, 32 bytes from the arena; for equality look-up only. */
cp_code_t cp_blind_index(const cp_keyring_t *ring, cp_arena_t *arena, const char *column, cp_str_t value,
                         cp_str_t *index);

/* Authentication code of `data` for `purpose` ("sms", "audit"), 32 bytes from the arena. */
cp_code_t cp_keyring_mac(const cp_keyring_t *ring, cp_arena_t *arena, const char *purpose, cp_str_t data,
                         cp_str_t *mac);

/* Wraps a data key of CP_KEY_SIZE bytes (a stored file's), as cp_column_seal() does a value. */
cp_code_t cp_key_wrap(const cp_keyring_t *ring, cp_arena_t *arena, const unsigned char key[CP_KEY_SIZE],
                      cp_str_t *wrapped);
cp_code_t cp_key_unwrap(const cp_keyring_t *ring, cp_arena_t *arena, cp_str_t wrapped, unsigned char key[CP_KEY_SIZE]);

#endif
