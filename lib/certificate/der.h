/*
 * DER (X.690 section 8 with the restrictions of sections 10 and 11), written and read without a schema compiler:
 * certificates are made from prepared parts, and hostile requests are walked before any cryptography sees them.
 */
#ifndef CP_DER_H
#define CP_DER_H

#include "base/error.h"
#include "base/str.h"

#define CP_DER_BOOLEAN      0x01u
#define CP_DER_INTEGER      0x02u
#define CP_DER_BITS         0x03u
#define CP_DER_OCTETS       0x04u
#define CP_DER_NULL         0x05u
#define CP_DER_OID          0x06u
#define CP_DER_ENUMERATED   0x0au
#define CP_DER_UTF8         0x0cu
#define CP_DER_SEQUENCE     0x30u
#define CP_DER_SET          0x31u
#define CP_DER_PRINTABLE    0x13u
#define CP_DER_IA5          0x16u
#define CP_DER_UTC_TIME     0x17u
#define CP_DER_TIME         0x18u

/* Context tags: [n] of a primitive and of a constructed value. */
#define CP_DER_CONTEXT(n)   (0x80u | (n))
#define CP_DER_EXPLICIT(n)  (0xa0u | (n))

#define CP_DER_DEPTH  16

/* ---- Writing: the calls follow the order of the bytes; faults stick and are told once, by cp_der_finish(). */

typedef struct cp_der_s {
    cp_arena_t    *arena;
    unsigned char *data;
    size_t         len;
    size_t         size;
    size_t         open[CP_DER_DEPTH];
    unsigned       depth;
    bool           failed;
} cp_der_t;

/* `size`: a first guess of the result's bytes; it grows. */
void cp_der_init(cp_der_t *der, cp_arena_t *arena, size_t size);

/* Opens a constructed value and closes the innermost open one. */
void cp_der_begin(cp_der_t *der, unsigned tag);
void cp_der_end(cp_der_t *der);

/* One value with its content, or bytes that are DER already. */
void cp_der_put(cp_der_t *der, unsigned tag, cp_str_t content);
void cp_der_raw(cp_der_t *der, cp_str_t bytes);

/* INTEGER of a big-endian magnitude: leading zeros are cut, one is added where the sign needs it. */
void cp_der_magnitude(cp_der_t *der, cp_str_t bytes);
void cp_der_number(cp_der_t *der, unsigned tag, int64_t value);

/* BOOLEAN TRUE (FALSE is a DEFAULT wherever we write one, and therefore absent). */
void cp_der_true(cp_der_t *der);

/* BIT STRING; `unused` bits of the last byte are not part of it. */
void cp_der_bits(cp_der_t *der, cp_str_t bytes, unsigned unused);

/* UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5); milliseconds are cut. */
void cp_der_time(cp_der_t *der, int64_t at_ms);

/* CP_E_NO_MEMORY, or CP_E_INTERNAL when begin and end do not match. */
cp_code_t cp_der_finish(cp_der_t *der, cp_str_t *bytes);

/* The content bytes of an OID in dotted text, from the arena; false when it is none. */
bool cp_der_oid_of(cp_arena_t *arena, cp_str_t text, cp_str_t *oid);

/* ---- Reading: a cp_str_t is the cursor; what is read is cut from its front. False leaves the cursor anywhere. */

typedef struct {
    unsigned  tag;
    cp_str_t  content;
    cp_str_t  whole;      /* with tag and length */
} cp_der_value_t;

/* The next value. Only short tags, definite and shortest lengths that fit. */
bool cp_der_next(cp_str_t *rest, cp_der_value_t *value);

/* The next value if it has that tag: its content. */
bool cp_der_take(cp_str_t *rest, unsigned tag, cp_str_t *content);

/* The same, and its whole. */
bool cp_der_take_whole(cp_str_t *rest, unsigned tag, cp_str_t *whole);

/* True when the next value has that tag. */
bool cp_der_is_next(cp_str_t rest, unsigned tag);

/* A BIT STRING without unused bits: its bytes. */
bool cp_der_take_bits(cp_str_t *rest, cp_str_t *bytes);

/* UTCTime or GeneralizedTime as RFC 5280 wants it (Z, seconds, the right one for the year). */
bool cp_der_take_time(cp_str_t *rest, int64_t *at_ms);

/*
 * Whether the bytes are whole DER values to their very end and to any depth: canonical lengths, booleans, integers,
 * object identifiers, bit strings and, if `sets`, the order within SET OF.
 */
bool cp_der_check(cp_str_t bytes, bool sets);

#endif
