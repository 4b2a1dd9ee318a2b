/*
 * requests COUNT
 *
 * Writes COUNT PKCS#10 requests, each with a P-256 key of its own that is thrown away: a line
 * "HEX-OF-THE-DER HEX-OF-THE-SHA-256-OF-ITS-SPKI" each.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/x509.h>


static void
fail(const char *what)
{
    fprintf(stderr, "requests: %s failed\n", what);
    exit(1);
}


static void
print_hex(const unsigned char *bytes, size_t len, char end)
{
    size_t i;

    for (i = 0; i < len; i++) {
        printf("%02x", bytes[i]);
    }
    putchar(end);
}


static void
print_request(void)
{
    EVP_PKEY      *key = EVP_EC_gen("P-256");
    X509_REQ      *request = X509_REQ_new();
    X509_NAME     *name = request == NULL ? NULL : X509_REQ_get_subject_name(request);
    unsigned char *der = NULL, *spki = NULL, digest[EVP_MAX_MD_SIZE];
    int            der_len, spki_len;
    unsigned       digest_len = 0;

    if (key == NULL || name == NULL
        || X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *) "holder", -1, -1, 0) != 1
        || X509_REQ_set_pubkey(request, key) != 1 || X509_REQ_sign(request, key, EVP_sha256()) == 0)
    {
        fail("making a request");
    }

    der_len = i2d_X509_REQ(request, &der);
    spki_len = i2d_PUBKEY(key, &spki);
    if (der_len <= 0 || spki_len <= 0
        || EVP_Digest(spki, (size_t) spki_len, digest, &digest_len, EVP_sha256(), NULL) != 1)
    {
        fail("encoding");
    }

    print_hex(der, (size_t) der_len, ' ');
    print_hex(digest, digest_len, '\n');

    OPENSSL_free(der);
    OPENSSL_free(spki);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}


int
main(int argc, char **argv)
{
    int i, count = argc == 2 ? (int) strtol(argv[1], NULL, 10) : 0;

    if (count <= 0) {
        fprintf(stderr, "Usage: requests COUNT\n");
        return 2;
    }

    for (i = 0; i < count; i++) {
        print_request();
    }

    return fflush(stdout) == 0 ? 0 : 1;
}
