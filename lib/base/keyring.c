#include "keyring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "random.h"

#define MAX_VERSION  255

typedef struct {
    unsigned char column[CP_KEY_SIZE];    /* encrypts column values and wraps file keys */
} version_keys_t;

struct cp_keyring_s {
    bool            known[MAX_VERSION + 1];
    version_keys_t  keys[MAX_VERSION + 1];
    unsigned        current;
    unsigned char   index[CP_KEY_SIZE];
    unsigned char   mac[CP_KEY_SIZE];
};


static int
hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}


/* "VERSION HEX" with spaces around and between; false when it is anything else. */
static bool
split_line(const char *line, unsigned long *version, unsigned char secret[CP_KEY_SIZE])
{
    char   *p;
    int     high, low;
    size_t  i;

    *version = strtoul(line, &p, 10);
    if (p == line || *p != ' ') {
        return false;
    }
    p += strspn(p, " ");

    for (i = 0; i < CP_KEY_SIZE; i++, p += 2) {
        high = hex_value(p[0]);
        low = high < 0 ? -1 : hex_value(p[1]);
        if (low < 0) {
            return false;
        }
        secret[i] = (unsigned char) (high << 4 | low);
    }

    return p[strspn(p, " \t\r\n")] == '\0';
}


/* One line of the file; NULL when it is in order, else what is wrong with it. */
static const char *
read_line(cp_keyring_t *ring, const char *line)
{
    unsigned long version;
    unsigned char secret[CP_KEY_SIZE];
    const char   *fault = NULL;

    if (!split_line(line, &version, secret)) {
        return "expected a version and 64 hexadecimal digits";
    }
    if (version == 0 || version > MAX_VERSION || version <= ring->current) {
        return "versions must ascend from 1 to 255";
    }
    if (ring->current == 0 && version != 1) {
        return "the first version must be 1";
    }

    if (cp_derive(secret, "caportal column", ring->keys[version].column) != CP_OK
        || (version == 1 && (cp_derive(secret, "caportal blind index", ring->index) != CP_OK
                             || cp_derive(secret, "caportal mac", ring->mac) != CP_OK)))
    {
        fault = "key derivation failed";
    }

    explicit_bzero(secret, sizeof(secret));

    ring->known[version] = true;
    ring->current = (unsigned) version;

    return fault;
}


static const char *
read_file(cp_keyring_t *ring, FILE *file, unsigned *line)
{
    char        text[256];
    const char *fault;

    while (fgets(text, sizeof(text), file) != NULL) {
        (*line)++;
        if (text[strspn(text, " \t\r\n")] == '\0' || text[0] == '#') {
            continue;
        }
        fault = read_line(ring, text);
        if (fault != NULL) {
            return fault;
        }
    }
    explicit_bzero(text, sizeof(text));

    return ring->current == 0 ? "it holds no key" : NULL;
}


cp_keyring_t *
cp_keyring_read(const char *path, const char **why, unsigned *line)
{
    FILE         *file;
    struct stat   st;
    cp_keyring_t *ring;

    *line = 0;
    *why = NULL;

    file = fopen(path, "re");
    if (file == NULL) {
        *why = strerrordesc_np(errno);
        return NULL;
    }

    ring = calloc(1, sizeof(cp_keyring_t));
    if (ring == NULL) {
        *why = "out of memory";
    } else if (fstat(fileno(file), &st) != 0 || (st.st_mode & 0027) != 0) {
        *why = "it must not be writable by its group nor open to others";
    } else {
        *why = read_file(ring, file, line);
    }

    fclose(file);

    if (*why != NULL) {
        cp_keyring_free(ring);
        return NULL;
    }

    return ring;
}


void
cp_keyring_free(cp_keyring_t *ring)
{
    if (ring != NULL) {
        explicit_bzero(ring, sizeof(*ring));
        free(ring);
    }
}


cp_code_t
cp_column_seal(const cp_keyring_t *ring, cp_arena_t *arena, const char *column, cp_str_t plain, cp_str_t *sealed)
{
    unsigned char *out;

    if (plain.data == NULL) {
        *sealed = CP_STR_NULL;
        return CP_OK;
    }

    out = cp_alloc(arena, 1 + CP_NONCE_SIZE + plain.len + CP_TAG_SIZE);
    if (out == NULL) {
        return CP_E_NO_MEMORY;
    }

    out[0] = (unsigned char) ring->current;
    cp_random(out + 1, CP_NONCE_SIZE);

    CP_TRY(cp_seal(ring->keys[ring->current].column, out + 1, cp_str(column), plain, out + 1 + CP_NONCE_SIZE));

    *sealed = cp_str_n(out, 1 + CP_NONCE_SIZE + plain.len + CP_TAG_SIZE);
    return CP_OK;
}


cp_code_t
cp_column_open(const cp_keyring_t *ring, cp_arena_t *arena, const char *column, cp_str_t sealed, cp_str_t *plain)
{
    unsigned char *in = (unsigned char *) sealed.data, *out;
    size_t         head = 1 + CP_NONCE_SIZE;

    if (sealed.data == NULL) {
        *plain = CP_STR_NULL;
        return CP_OK;
    }

    if (sealed.len < head + CP_TAG_SIZE || !ring->known[in[0]]) {
        return CP_E_INTERNAL;
    }

    out = cp_alloc(arena, sealed.len - head - CP_TAG_SIZE + 1);
    if (out == NULL) {
        return CP_E_NO_MEMORY;
    }

    CP_TRY(cp_open(ring->keys[in[0]].column, in + 1, cp_str(column), cp_str_n(in + head, sealed.len - head), out));

    *plain = cp_str_n(out, sealed.len - head - CP_TAG_SIZE);
    out[plain->len] = '\0';

    return CP_OK;
}


/* HMAC over "label NUL value", so that the same value gives unrelated codes under two labels. */
static cp_code_t
labelled_mac(cp_arena_t *arena, const unsigned char key[CP_KEY_SIZE], const char *label, cp_str_t value, cp_str_t *mac)
{
    size_t         n = strlen(label) + 1;
    char          *message;
    unsigned char *out;

    message = cp_alloc(arena, n + value.len);
    out = cp_alloc(arena, CP_SHA256_SIZE);
    if (message == NULL || out == NULL) {
        return CP_E_NO_MEMORY;
    }

    memcpy(message, label, n);
    if (value.len != 0) {
        memcpy(message + n, value.data, value.len);
    }

    *mac = cp_str_n(out, CP_SHA256_SIZE);
    return cp_hmac(cp_str_n(key, CP_KEY_SIZE), cp_str_n(message, n + value.len), out);
}


cp_code_t
cp_blind_index(const cp_keyring_t *ring, cp_arena_t *arena, const char *column, cp_str_t value, cp_str_t *index)
{
    return labelled_mac(arena, ring->index, column, value, index);
}


cp_code_t
cp_keyring_mac(const cp_keyring_t *ring, cp_arena_t *arena, const char *purpose, cp_str_t data, cp_str_t *mac)
{
    return labelled_mac(arena, ring->mac, purpose, data, mac);
}


cp_code_t
cp_key_wrap(const cp_keyring_t *ring, cp_arena_t *arena, const unsigned char key[CP_KEY_SIZE], cp_str_t *wrapped)
{
    return cp_column_seal(ring, arena, "file key", cp_str_n(key, CP_KEY_SIZE), wrapped);
}


cp_code_t
cp_key_unwrap(const cp_keyring_t *ring, cp_arena_t *arena, cp_str_t wrapped, unsigned char key[CP_KEY_SIZE])
{
    cp_str_t plain;

    CP_TRY(cp_column_open(ring, arena, "file key", wrapped, &plain));

    if (plain.len != CP_KEY_SIZE) {
        return CP_E_INTERNAL;
    }
    memcpy(key, plain.data, CP_KEY_SIZE);

    return CP_OK;
}
