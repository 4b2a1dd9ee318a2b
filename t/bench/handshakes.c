/*
 * Connections over TLS, each with a whole handshake that shows a client certificate, one request and its answer.
 *
 *   handshakes PORT CA SECONDS THREADS REQUEST STATUS CERTIFICATE KEY [CERTIFICATE KEY]…
 *
 * The threads connect to 127.0.0.1 with the certificates in turn. REQUEST is a file that holds one of HTTP/1.1 with
 * "Connection: close"; any other status than STATUS is fatal. Says "OPERATIONS SECONDS".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define CONTEXTS  16
#define THREADS   64

static SSL_CTX    *contexts[CONTEXTS];
static size_t      context_count;
static char        request[8192];
static size_t      request_len;
static const char *status;
static int         port;
static atomic_long done;
static atomic_bool over;


static void
fail(const char *what)
{
    fprintf(stderr, "handshakes: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}


static SSL_CTX *
context_of(const char *ca, const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL || SSL_CTX_load_verify_locations(context, ca, NULL) != 1
        || SSL_CTX_use_certificate_chain_file(context, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
    {
        fail(certificate);
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);

    return context;
}


static int
dial(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons((uint16_t) port) };
    struct linger      reset = { .l_onoff = 1 };    /* no port is left waiting */
    int                fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0
        || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0
        || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0)
    {
        perror("connect");
        exit(1);
    }

    return fd;
}


static void
ask(SSL_CTX *context)
{
    char   answer[16384];
    int    fd = dial(), n, have = 0;
    SSL   *ssl = SSL_new(context);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_set1_host(ssl, "localhost") != 1 || SSL_connect(ssl) != 1
        || SSL_write(ssl, request, (int) request_len) != (int) request_len)
    {
        fail("the handshake failed");
    }

    while (have < (int) sizeof(answer) - 1 && (n = SSL_read(ssl, answer + have, (int) sizeof(answer) - 1 - have)) > 0) {
        have += n;
    }
    answer[have] = '\0';
    if (SSL_session_reused(ssl) || strncmp(answer, "HTTP/1.1 ", 9) != 0 || strncmp(answer + 9, status, 3) != 0) {
        fail(answer);
    }

    SSL_free(ssl);
    close(fd);
}


static void *
run(void *data)
{
    size_t i = *(size_t *) data;

    while (!atomic_load(&over)) {
        ask(contexts[i++ % context_count]);
        atomic_fetch_add(&done, 1);
    }

    return NULL;
}


static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);

    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    size_t    numbers[THREADS], count, i;
    double    begin;
    FILE     *file;

    if (argc < 9 || argc % 2 != 1 || (argc - 7) / 2 > CONTEXTS || (file = fopen(argv[5], "r")) == NULL) {
        fprintf(stderr, "Usage: handshakes PORT CA SECONDS THREADS REQUEST STATUS CERTIFICATE KEY …\n");
        return 2;
    }
    request_len = fread(request, 1, sizeof(request), file);
    fclose(file);

    port = atoi(argv[1]);
    status = argv[6];
    for (i = 7; i < (size_t) argc; i += 2) {
        contexts[context_count++] = context_of(argv[2], argv[i], argv[i + 1]);
    }

    count = strtoul(argv[4], NULL, 10);
    count = count == 0 || count > THREADS ? 1 : count;
    begin = now();
    for (i = 0; i < count; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, run, &numbers[i]) != 0) {
            fail("no thread");
        }
    }

    while (now() - begin < strtod(argv[3], NULL)) {
        nanosleep(&(struct timespec) { .tv_nsec = 5000000 }, NULL);
    }
    atomic_store(&over, true);
    for (i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }

    printf("%ld %.3f\n", atomic_load(&done), now() - begin);

    for (i = 0; i < context_count; i++) {
        SSL_CTX_free(contexts[i]);
    }

    return 0;
}
