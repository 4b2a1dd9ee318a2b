/*
 * One password verified again and again, with the portal's parameters (19 MiB, two passes, one lane):
 *
 *   password_hash sodium|argon2 SECONDS    "OPERATIONS SECONDS CPU-SECONDS"; 3 where libargon2 is not installed
 *
 * libargon2 is loaded when it is there: nothing but this needs it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#define PASSWORD  "correct horse 7 battery staple"
#define PASSES    2
#define MEMORY    (19u * 1024 * 1024)
#define MISSING   3

static int (*argon2id_verify)(const char *hash, const void *password, size_t len);


static double
seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);

    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    char   hash[crypto_pwhash_STRBYTES];
    double seconds = argc == 3 ? strtod(argv[2], NULL) : 0, begin, cpu;
    long   count = 0;
    void  *library;
    int    wrong = 0;

    if (seconds <= 0 || sodium_init() < 0
        || crypto_pwhash_str_alg(hash, PASSWORD, strlen(PASSWORD), PASSES, MEMORY, crypto_pwhash_ALG_ARGON2ID13) != 0)
    {
        fprintf(stderr, "Usage: password_hash sodium|argon2 SECONDS\n");
        return 2;
    }

    if (strcmp(argv[1], "argon2") == 0) {
        library = dlopen("libargon2.so.1", RTLD_NOW);
        if (library == NULL) {
            return MISSING;
        }
        *(void **) &argon2id_verify = dlsym(library, "argon2id_verify");
        if (argon2id_verify == NULL) {
            return MISSING;
        }
    }

    begin = seconds_of(CLOCK_MONOTONIC);
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    do {
        wrong |= argon2id_verify != NULL ? argon2id_verify(hash, PASSWORD, strlen(PASSWORD))
                                         : crypto_pwhash_str_verify(hash, PASSWORD, strlen(PASSWORD));
        count++;
    } while (seconds_of(CLOCK_MONOTONIC) - begin < seconds);

    printf("%ld %.3f %.3f\n", count, seconds_of(CLOCK_MONOTONIC) - begin,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);

    return wrong == 0 ? 0 : 1;
}
