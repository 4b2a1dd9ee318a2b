/*
 * What the library and caportal-inspector say to each other, on one SOCK_SEQPACKET connection a file: a request with
 * two descriptors (SCM_RIGHTS: the sealed input, an empty output to append to), then one reply. Between two programs of
 * one build on one machine, so in its byte order.
 */
#ifndef CP_INSPECT_WIRE_H
#define CP_INSPECT_WIRE_H

#include "inspect/inspect.h"

#define CP_WIRE_VERSION  0x43504902u    /* "CPI", version 2 */
#define CP_WIRE_FDS      2
#define CP_WIRE_BUSY     0xffffffffu    /* instead of a reason: the queue is full */

typedef struct {
    uint32_t  version;
    uint32_t  type;
    uint64_t  max_pixels;
    uint32_t  max_pages;
    uint32_t  thumbnail;
    uint32_t  quality;
    uint32_t  min_edge;
    char      mark[CP_INSPECT_MARK];    /* empty: none */
} cp_wire_request_t;

/* A run of the output's bytes; size 0: there is none. */
typedef struct {
    uint32_t  offset;
    uint32_t  size;
    uint32_t  width;
    uint32_t  height;
} cp_wire_part_t;

typedef struct {
    uint32_t        version;
    uint32_t        reason;         /* cp_inspect_reason_t or CP_WIRE_BUSY */
    uint32_t        width;
    uint32_t        height;
    uint32_t        orientation;
    uint32_t        hints;
    uint32_t        page_count;
    uint32_t        size;           /* of the output, all parts */
    cp_wire_part_t  copy;
    cp_wire_part_t  thumbnail;
    cp_wire_part_t  pages[CP_INSPECT_PAGES];
} cp_wire_reply_t;

/* Whether every value is one that the other side may send: whoever sent it may have been taken over. Pure. */
bool cp_wire_request_is_sound(const cp_wire_request_t *request);
bool cp_wire_reply_is_sound(const cp_wire_request_t *request, const cp_wire_reply_t *reply);

/*
 * Sends a whole message with descriptors (count 0: none) within the socket's own time-out. False with errno.
 */
bool cp_wire_send(int fd, const void *message, size_t size, const int *fds, size_t count);

/*
 * Receives one message of exactly `size` bytes and exactly `count` descriptors, which the caller closes. False when it
 * is another one (EPROTO; its descriptors are closed), the end (ECONNRESET), or errno of the socket.
 */
bool cp_wire_receive(int fd, void *message, size_t size, int *fds, size_t count);

/* The monotonic clock, milliseconds. */
int64_t cp_wire_now_ms(void);

#endif
