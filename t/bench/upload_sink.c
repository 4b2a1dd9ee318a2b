/*
 * upload_sink PORT FOLDER: the least that an upload costs. Takes PUT requests with a body of known length on up to 32
 * kept connections, a thread each; hashes the body with SHA-256 while it writes it to a new file, which it syncs and renames
 * before it answers 201. Nothing is checked, nothing encrypted.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#define BUFFER   65536u
#define THREADS  32

typedef struct {
    int           socket;
    size_t        held;      /* bytes in the buffer */
    char          buffer[BUFFER];
    char          spare;     /* for a NUL */
} client_t;

static const char   *folder;
static atomic_ulong  number;
static atomic_uint   threads;


static void
fail(const char *what)
{
    perror(what);
    exit(1);
}


/* The length of the next request's head, or 0 at the end of the connection. */
static size_t
read_head(client_t *client)
{
    char   *end;
    ssize_t n;

    for ( ;; ) {
        client->buffer[client->held] = '\0';
        end = strstr(client->buffer, "\r\n\r\n");
        if (end != NULL) {
            return (size_t) (end + 4 - client->buffer);
        }

        n = read(client->socket, client->buffer + client->held, BUFFER - client->held);
        if (n <= 0) {
            return 0;
        }
        client->held += (size_t) n;
    }
}


static void
take(EVP_MD_CTX *digest, int file, const char *data, size_t len)
{
    if (EVP_DigestUpdate(digest, data, len) != 1 || write(file, data, len) != (ssize_t) len) {
        fail("taking a body");
    }
}


/* The body, of which a part may be in the buffer behind the head. */
static bool
read_body(client_t *client, size_t head, size_t left, EVP_MD_CTX *digest, int file)
{
    size_t  here = client->held - head < left ? client->held - head : left;
    ssize_t n;

    take(digest, file, client->buffer + head, here);
    left -= here;
    client->held -= head + here;
    memmove(client->buffer, client->buffer + head + here, client->held);

    while (left > 0) {
        n = read(client->socket, client->buffer, left < BUFFER ? left : BUFFER);
        if (n <= 0) {
            return false;
        }
        take(digest, file, client->buffer, (size_t) n);
        left -= (size_t) n;
    }

    return true;
}


static bool
answer(client_t *client, const unsigned char sha256[32])
{
    char   text[256];
    size_t i;
    int    len = snprintf(text, sizeof(text), "HTTP/1.1 201 Created\r\nContent-Length: 64\r\n\r\n");

    for (i = 0; i < 32; i++) {
        len += snprintf(text + len, 3, "%02x", sha256[i]);
    }

    return write(client->socket, text, (size_t) len) == len;
}


static bool
serve_one(client_t *client, EVP_MD_CTX *digest)
{
    char          arriving[4096], settled[4096];
    unsigned char sha256[32];
    unsigned long which = atomic_fetch_add(&number, 1);
    size_t        head = read_head(client);
    const char   *length = head == 0 ? NULL : strcasestr(client->buffer, "\r\nContent-Length:");
    bool          whole;
    int           file;

    if (length == NULL) {
        return false;
    }

    snprintf(arriving, sizeof(arriving), "%s/tmp-%lu", folder, which);
    snprintf(settled, sizeof(settled), "%s/%lu", folder, which);
    file = open(arriving, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file == -1 || EVP_DigestInit_ex2(digest, NULL, NULL) != 1) {
        fail(arriving);
    }

    whole = read_body(client, head, strtoul(length + 17, NULL, 10), digest, file);
    if (!whole) {
        close(file);
        unlink(arriving);
        return false;
    }

    if (EVP_DigestFinal_ex(digest, sha256, NULL) != 1 || fdatasync(file) != 0 || rename(arriving, settled) != 0) {
        fail(settled);
    }
    close(file);

    return answer(client, sha256);
}


/* One connection after the other. */
static void *
serve(void *data)
{
    static client_t clients[THREADS];

    client_t   *client = &clients[atomic_fetch_add(&threads, 1)];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const int  *listener = data;

    if (digest == NULL || EVP_DigestInit_ex2(digest, EVP_sha256(), NULL) != 1) {
        fail("SHA-256");
    }

    for ( ;; ) {
        client->held = 0;
        client->socket = accept(*listener, NULL, NULL);
        if (client->socket == -1) {
            fail("a client");
        }
        while (serve_one(client, digest)) {
            /* the next request */
        }
        close(client->socket);
    }

    return NULL;
}


static int
listen_at(unsigned short port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int                one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0
        || bind(fd, (struct sockaddr *) &at, sizeof(at)) != 0 || listen(fd, 64) != 0)
    {
        fail("listening");
    }

    return fd;
}


int
main(int argc, char **argv)
{
    pthread_t thread;
    int       listener, i;

    if (argc != 3) {
        fputs("usage: upload_sink PORT FOLDER\n", stderr);
        return 2;
    }

    folder = argv[2];
    listener = listen_at((unsigned short) atoi(argv[1]));

    for (i = 1; i < THREADS; i++) {
        if (pthread_create(&thread, NULL, serve, &listener) != 0) {
            fail("a thread");
        }
    }
    serve(&listener);

    return 0;
}
