/*
 * Amazon's Signature Version 4, as S3-compatible servers want it (docs.aws.amazon.com, "Signature Calculations for the
 * Authorization Header: Transferring Payload in a Single Chunk"). Pure: the time is a parameter.
 */
#ifndef CP_SIGV4_H
#define CP_SIGV4_H

#include "egress/canonical.h"

typedef struct {
    cp_str_t     key_id;
    cp_str_t     secret;
    const char  *region;
    const char  *service;    /* "s3" */
    const char  *time;       /* "20130524T000000Z": also the value of the signed header x-amz-date */
} cp_sigv4_t;

/* Lower-case hexadecimal signature of a canonical request; {0, NULL} when memory is out. */
cp_str_t cp_sigv4_signature(cp_arena_t *arena, const cp_sigv4_t *by, cp_str_t canonical);

/* The value of the Authorization header; {0, NULL} as above. */
cp_str_t cp_sigv4_authorization(cp_arena_t *arena, const cp_sigv4_t *by, const cp_canonical_t *request);

#endif
