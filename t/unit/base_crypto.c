/* The primitives against published vectors, and the key ring: what it reads, refuses and opens. */
#include "seams.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/keyring.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

#define KEY_1  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_2  "202122232425262728292A2B2C2D2E2F303132333435363738393a3b3c3d3e3f"

static cp_arena_t *arena;


static int
open_arena(void **state)
{
    (void) state;
    arena = cp_arena_new(0);

    return arena == NULL ? -1 : 0;
}


static int
close_arena(void **state)
{
    (void) state;
    cp_arena_free(arena);

    return 0;
}


static cp_str_t
unhex(const char *hex)
{
    cp_str_t bytes;

    assert_true(cp_str_unhex(arena, cp_str(hex), &bytes));

    return bytes;
}


static const char *
hex_of(const unsigned char *bytes, size_t n)
{
    return cp_str_hex(arena, cp_str_n(bytes, n)).data;
}


/* FIPS 180-4, its example values */
static void
sha256(void **state)
{
    static const struct { const char *text, *digest; } rows[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    unsigned char digest[CP_SHA256_SIZE];
    size_t        i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        assert_int_equal(cp_sha256(cp_str(rows[i].text), digest), CP_OK);
        assert_string_equal(hex_of(digest, sizeof(digest)), rows[i].digest);
        assert_string_equal(cp_sha256_hex(arena, cp_str(rows[i].text)).data, rows[i].digest);
    }
}


/* RFC 4231 sections 4.2, 4.3 and 4.7 (a key longer than a block) */
static void
hmac(void **state)
{
    unsigned char mac[CP_SHA256_SIZE], long_key[131];

    (void) state;

    assert_int_equal(cp_hmac(unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), CP_STR("Hi There"), mac), CP_OK);
    assert_string_equal(hex_of(mac, 32), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");

    assert_int_equal(cp_hmac(CP_STR("Jefe"), CP_STR("what do ya want for nothing?"), mac), CP_OK);
    assert_string_equal(hex_of(mac, 32), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    memset(long_key, 0xaa, sizeof(long_key));
    assert_int_equal(cp_hmac(cp_str_n(long_key, sizeof(long_key)),
                             CP_STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac), CP_OK);
    assert_string_equal(hex_of(mac, 32), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}


/* HKDF-SHA-256 without salt; the value is the one that `openssl kdf` gives. */
static void
derive(void **state)
{
    const unsigned char *secret = (const unsigned char *) unhex(KEY_1).data;
    unsigned char        key[CP_KEY_SIZE];

    (void) state;

    assert_int_equal(cp_derive(secret, "caportal test", key), CP_OK);
    assert_string_equal(hex_of(key, 32), "f927b384b1c050212a6113332e5f36f23c59cb597b8acdcc1fc7fb17800c7e7b");
}


/* The GCM specification's test case 16 (AES-256, 20 bytes of authenticated data) */
static void
gcm(void **state)
{
    static const char sealed_hex[] =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e63"
        "93ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b";
    cp_str_t key = unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    cp_str_t nonce = unhex("cafebabefacedbaddecaf888"), aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    cp_str_t plain = unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
                           "49a6b525b16aedf5aa0de657ba637b39");
    cp_str_t sealed = unhex(sealed_hex);
    const unsigned char *k = (unsigned char *) key.data, *n = (unsigned char *) nonce.data;
    unsigned char        out[100];
    size_t               i;

    (void) state;

    assert_int_equal(cp_seal(k, n, aad, plain, out), CP_OK);
    assert_string_equal(hex_of(out, plain.len + CP_TAG_SIZE), sealed_hex);

    /* in its own place */
    memcpy(out, plain.data, plain.len);
    assert_int_equal(cp_seal(k, n, aad, cp_str_n(out, plain.len), out), CP_OK);
    assert_string_equal(hex_of(out, plain.len + CP_TAG_SIZE), sealed_hex);

    assert_int_equal(cp_open(k, n, aad, sealed, out), CP_OK);
    assert_memory_equal(out, plain.data, plain.len);

    for (i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 0x04;
        assert_int_equal(cp_open(k, n, aad, sealed, out), CP_E_INTERNAL);
        sealed.data[i] ^= 0x04;
    }

    assert_int_equal(cp_open(k, n, cp_str_n(aad.data, aad.len - 1), sealed, out), CP_E_INTERNAL);
    assert_int_equal(cp_open(k, n, aad, cp_str_n(sealed.data, sealed.len - 1), out), CP_E_INTERNAL);
    assert_int_equal(cp_open(k, n, aad, cp_str_n(sealed.data, CP_TAG_SIZE - 1), out), CP_E_INTERNAL);
    assert_int_equal(cp_open(k, n, aad, CP_STR(""), out), CP_E_INTERNAL);
}


static cp_keyring_t *
ring_of(const char *text, mode_t mode, const char **why, unsigned *line)
{
    char          path[] = "/tmp/caportal-keys-XXXXXX";
    int           fd = mkstemp(path);
    cp_keyring_t *ring;

    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);

    ring = cp_keyring_read(path, why, line);
    unlink(path);

    return ring;
}


static cp_keyring_t *
good_ring(const char *text)
{
    const char   *why;
    unsigned      line;
    cp_keyring_t *ring = ring_of(text, 0600, &why, &line);

    assert_non_null(ring);
    assert_null(why);

    return ring;
}


static void
files_of_keys(void **state)
{
    static const struct { const char *text; mode_t mode; bool good; unsigned line; } rows[] = {
        { "1 " KEY_1 "\n", 0600, true, 0 },
        { "1 " KEY_1, 0640, true, 0 },
        { "# keys\n\n  \n1   " KEY_1 " \r\n2 " KEY_2 "\n", 0400, true, 0 },
        { "1 " KEY_1 "\n9 " KEY_2 "\n255 " KEY_1 "\n", 0600, true, 0 },
        { "1 " KEY_1 "\n", 0644, false, 0 },
        { "1 " KEY_1 "\n", 0660, false, 0 },
        { "", 0600, false, 0 },
        { "# nothing\n", 0600, false, 1 },
        { "2 " KEY_2 "\n", 0600, false, 1 },
        { "0 " KEY_1 "\n", 0600, false, 1 },
        { "-1 " KEY_1 "\n", 0600, false, 1 },
        { "1 " KEY_1 "\n1 " KEY_2 "\n", 0600, false, 2 },
        { "1 " KEY_1 "\n3 " KEY_1 "\n2 " KEY_2 "\n", 0600, false, 3 },
        { "1 " KEY_1 "\n256 " KEY_2 "\n", 0600, false, 2 },
        { "1 " KEY_1 "00\n", 0600, false, 1 },
        { "1 00" "\n", 0600, false, 1 },
        { "1 " KEY_1 " more\n", 0600, false, 1 },
        { "1\n", 0600, false, 1 },
        { KEY_1 "\n", 0600, false, 1 },
        { "1 g" KEY_1 "\n", 0600, false, 1 },
        { "1 \x10" "00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600, false, 1 },
    };
    cp_keyring_t *ring;
    const char   *why;
    unsigned      line;
    size_t        i;

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        ring = ring_of(rows[i].text, rows[i].mode, &why, &line);
        if ((ring != NULL) != rows[i].good || (why == NULL) != rows[i].good) {
            fail_msg("row %zu: %s", i, why == NULL ? "accepted" : why);
        }
        if (!rows[i].good) {
            assert_int_equal(line, rows[i].line);
        }
        cp_keyring_free(ring);
    }

    assert_null(cp_keyring_read("/nonexistent/keys", &why, &line));
    assert_non_null(why);
    cp_keyring_free(NULL);
}


static void
columns(void **state)
{
    cp_keyring_t *ring = good_ring("1 " KEY_1 "\n");
    cp_str_t      sealed, again, plain;
    size_t        i;

    (void) state;

    assert_int_equal(cp_column_seal(ring, arena, "account.phone", CP_STR("13900000000"), &sealed), CP_OK);
    assert_int_equal(sealed.len, 1 + CP_NONCE_SIZE + 11 + CP_TAG_SIZE);
    assert_null(memmem(sealed.data, sealed.len, "139", 3));
    assert_int_equal(cp_column_seal(ring, arena, "account.phone", CP_STR("13900000000"), &again), CP_OK);
    assert_false(cp_str_eq(sealed, again));

    assert_int_equal(cp_column_open(ring, arena, "account.phone", sealed, &plain), CP_OK);
    assert_true(cp_str_is(plain, "13900000000"));
    assert_int_equal(cp_column_open(ring, arena, "person.mobile", sealed, &plain), CP_E_INTERNAL);

    for (i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(cp_column_open(ring, arena, "account.phone", sealed, &plain), CP_E_INTERNAL);
        sealed.data[i] ^= 1;
        assert_int_equal(cp_column_open(ring, arena, "account.phone", cp_str_n(sealed.data, i), &plain),
                         CP_E_INTERNAL);
    }

    assert_int_equal(cp_column_seal(ring, arena, "c", CP_STR(""), &sealed), CP_OK);
    assert_int_equal(cp_column_open(ring, arena, "c", sealed, &plain), CP_OK);
    assert_int_equal(plain.len, 0);
    assert_non_null(plain.data);

    assert_int_equal(cp_column_seal(ring, arena, "c", CP_STR_NULL, &sealed), CP_OK);
    assert_null(sealed.data);
    assert_int_equal(cp_column_open(ring, arena, "c", CP_STR_NULL, &plain), CP_OK);
    assert_null(plain.data);

    cp_keyring_free(ring);
}


/* A new key seals, the old one still opens, look-ups do not change. */
static void
rotation(void **state)
{
    cp_keyring_t *old = good_ring("1 " KEY_1 "\n"), *ring = good_ring("1 " KEY_1 "\n2 " KEY_2 "\n");
    cp_str_t      sealed, plain, index, same, mac;

    (void) state;

    assert_int_equal(cp_column_seal(old, arena, "c", CP_STR("value"), &sealed), CP_OK);
    assert_int_equal(cp_column_open(ring, arena, "c", sealed, &plain), CP_OK);
    assert_true(cp_str_is(plain, "value"));

    assert_int_equal(cp_column_seal(ring, arena, "c", CP_STR("value"), &sealed), CP_OK);
    assert_int_equal(sealed.data[0], 2);
    assert_int_equal(cp_column_open(ring, arena, "c", sealed, &plain), CP_OK);
    assert_int_equal(cp_column_open(old, arena, "c", sealed, &plain), CP_E_INTERNAL);

    assert_int_equal(cp_blind_index(old, arena, "c", CP_STR("value"), &index), CP_OK);
    assert_int_equal(index.len, 32);
    assert_int_equal(cp_blind_index(ring, arena, "c", CP_STR("value"), &same), CP_OK);
    assert_true(cp_str_eq(index, same));
    assert_int_equal(cp_blind_index(ring, arena, "d", CP_STR("value"), &same), CP_OK);
    assert_false(cp_str_eq(index, same));
    assert_int_equal(cp_keyring_mac(ring, arena, "c", CP_STR("value"), &mac), CP_OK);
    assert_false(cp_str_eq(index, mac));

    /* column and value are kept apart: "ab" + "c" is not "a" + "bc" */
    assert_int_equal(cp_blind_index(ring, arena, "ab", CP_STR("c"), &index), CP_OK);
    assert_int_equal(cp_blind_index(ring, arena, "a", CP_STR("bc"), &same), CP_OK);
    assert_false(cp_str_eq(index, same));

    cp_keyring_free(old);
    cp_keyring_free(ring);
}


static void
file_keys(void **state)
{
    cp_keyring_t  *ring = good_ring("1 " KEY_1 "\n");
    unsigned char  key[CP_KEY_SIZE] = { 1, 2, 3 }, back[CP_KEY_SIZE];
    cp_str_t       wrapped, other;

    (void) state;

    assert_int_equal(cp_key_wrap(ring, arena, key, &wrapped), CP_OK);
    assert_int_equal(cp_key_unwrap(ring, arena, wrapped, back), CP_OK);
    assert_memory_equal(key, back, sizeof(key));

    /* no column value is a key, no shorter value either */
    assert_int_equal(cp_column_seal(ring, arena, "account.phone", cp_str_n(key, sizeof(key)), &other), CP_OK);
    assert_int_equal(cp_key_unwrap(ring, arena, other, back), CP_E_INTERNAL);
    assert_int_equal(cp_column_seal(ring, arena, "file key", CP_STR("short"), &other), CP_OK);
    assert_int_equal(cp_key_unwrap(ring, arena, other, back), CP_E_INTERNAL);
    assert_int_equal(cp_key_unwrap(ring, arena, CP_STR_NULL, back), CP_E_INTERNAL);

    cp_keyring_free(ring);
}


#define CASE(test)  cmocka_unit_test_setup_teardown(test, open_arena, close_arena)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(sha256),        CASE(hmac),    CASE(derive),   CASE(gcm),
        CASE(files_of_keys), CASE(columns), CASE(rotation), CASE(file_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
