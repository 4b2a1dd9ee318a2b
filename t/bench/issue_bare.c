/*
 * issue_bare KEY TBS SECONDS
 *
 * Signs the TBSCertificate in a file, with SHA-256, by the key in a PEM file, over and over: what OpenSSL alone needs
 * for a certificate. Prints "SIGNATURES SECONDS CPU-SECONDS".
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#define TBS_MAX  8192


static void
fail(const char *what)
{
    fprintf(stderr, "issue_bare: %s failed\n", what);
    exit(1);
}


static EVP_PKEY *
read_key(const char *path)
{
    FILE     *file = fopen(path, "r");
    EVP_PKEY *key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);

    if (key == NULL) {
        fail(path);
    }
    fclose(file);

    return key;
}


static size_t
read_tbs(const char *path, unsigned char tbs[TBS_MAX])
{
    FILE  *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(tbs, 1, TBS_MAX, file);

    if (len == 0) {
        fail(path);
    }
    fclose(file);

    return len;
}


/* The context is made ready once and copied, so that nothing is fetched or decoded a second time. */
static void
sign(const EVP_MD_CTX *ready, const unsigned char *tbs, size_t len)
{
    unsigned char signature[1024];
    size_t        signature_len = sizeof(signature);
    EVP_MD_CTX   *ctx = EVP_MD_CTX_new();

    if (ctx == NULL || EVP_MD_CTX_copy_ex(ctx, ready) != 1
        || EVP_DigestSign(ctx, signature, &signature_len, tbs, len) != 1)
    {
        fail("signing");
    }
    EVP_MD_CTX_free(ctx);
}


static double
seconds_of(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    unsigned char tbs[TBS_MAX];
    EVP_MD_CTX   *ready = EVP_MD_CTX_new();
    EVP_PKEY     *key;
    double        begin, now, length;
    unsigned      count = 0;
    size_t        len;
    int           i;

    if (argc != 4) {
        fprintf(stderr, "Usage: issue_bare KEY TBS SECONDS\n");
        return 2;
    }

    key = read_key(argv[1]);
    len = read_tbs(argv[2], tbs);
    length = strtod(argv[3], NULL);
    if (ready == NULL || EVP_DigestSignInit(ready, NULL, EVP_sha256(), NULL, key) != 1) {
        fail("preparing");
    }

    begin = seconds_of(CLOCK_MONOTONIC);
    do {
        for (i = 0; i < 100; i++) {
            sign(ready, tbs, len);
        }
        count += 100;
        now = seconds_of(CLOCK_MONOTONIC);
    } while (now - begin < length);

    printf("%u %.3f %.6f\n", count, now - begin, seconds_of(CLOCK_PROCESS_CPUTIME_ID));

    EVP_MD_CTX_free(ready);
    EVP_PKEY_free(key);

    return 0;
}
