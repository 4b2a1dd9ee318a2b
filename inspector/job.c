#include "job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cage.h"
#include "catalog/catalog.h"
#include "decoders.h"
#include "memory.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define BUFFER        65536u

static const struct {
    unsigned   type;
    void     (*decode)(cp_job_t *job);
} decoders[] = {
    { CP_TYPE_JPEG, cp_jpeg_decode },
    { CP_TYPE_PNG, cp_png_decode },
    { CP_TYPE_GIF, cp_gif_decode },
    { CP_TYPE_BMP, cp_bmp_decode },
    { CP_TYPE_PDF, cp_pdf_decode },
};

static cp_job_t       job;
static int            output = -1;
static unsigned char  buffer[BUFFER];
static size_t         buffered;
static uint64_t       written;


static void
answer(void)
{
    job.reply.version = CP_WIRE_VERSION;
    cp_wire_send(CP_CAGE_CONNECTION, &job.reply, sizeof(job.reply), NULL, 0);
    _exit(0);
}


void
cp_job_refuse(cp_inspect_reason_t reason)
{
    memset(&job.reply, 0, sizeof(job.reply));
    job.reply.reason = reason;
    answer();
    _exit(1);
}


static void
out_of_memory(void)
{
    cp_job_refuse(CP_INSPECT_TOO_MUCH_MEMORY);
}


void
cp_job_check_size(const cp_job_t *of, uint64_t width, uint64_t height)
{
    if (width == 0 || height == 0) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }
    if (width > of->request.max_pixels || height > of->request.max_pixels / width) {
        cp_job_refuse(CP_INSPECT_TOO_MANY_PIXELS);
    }
}


static void
flush(void)
{
    size_t  at;
    ssize_t n;

    for (at = 0; at < buffered; at += (size_t) n) {
        n = write(output, buffer + at, buffered - at);
        if (n == -1) {
            cp_job_refuse(CP_INSPECT_TOO_MUCH_MEMORY);
        }
    }
    buffered = 0;
}


void
cp_job_write(const void *bytes, size_t size)
{
    size_t n;

    if (size > CP_INSPECT_OUTPUT_MAX - written) {
        cp_job_refuse(CP_INSPECT_TOO_MUCH_MEMORY);
    }
    written += size;

    while (size != 0) {
        n = size < BUFFER - buffered ? size : BUFFER - buffered;
        memcpy(buffer + buffered, bytes, n);
        buffered += n;
        bytes = (const char *) bytes + n;
        size -= n;
        if (buffered == BUFFER) {
            flush();
        }
    }
}


void
cp_job_part_begin(cp_wire_part_t *part, uint32_t width, uint32_t height)
{
    part->offset = (uint32_t) written;
    part->width = width;
    part->height = height;
}


void
cp_job_part_end(cp_wire_part_t *part)
{
    part->size = (uint32_t) written - part->offset;
}


/* Waits until there is a file; an end of the connection is the end of the process. */
static void
receive(void)
{
    int         fds[CP_WIRE_FDS];
    struct stat st;
    void       *map;

    if (!cp_wire_receive(CP_CAGE_CONNECTION, &job.request, sizeof(job.request), fds, CP_WIRE_FDS)) {
        _exit(0);
    }

    output = fds[1];
    if (fstat(fds[0], &st) != 0 || st.st_size <= 0) {
        cp_job_refuse(CP_INSPECT_DAMAGED);
    }

    map = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fds[0], 0);
    if (map == MAP_FAILED) {
        cp_job_refuse(CP_INSPECT_TOO_MUCH_MEMORY);
    }
    job.data = map;
    job.size = (size_t) st.st_size;
}


void
cp_job_run(void)
{
    size_t i;

    receive();
    cp_memory_out(out_of_memory);
    job.reply.orientation = 1;

    for (i = 0; i < COUNT(decoders); i++) {
        if (decoders[i].type == job.request.type) {
            decoders[i].decode(&job);
        }
    }

    flush();
    job.reply.size = (uint32_t) written;
    answer();
    _exit(1);
}
