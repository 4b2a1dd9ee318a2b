/*
 * A client's address as limits count it, and as it may be kept: an address is personal data, so what is stored is an
 * index of it that only the key ring makes, and the network it is in.
 */
#ifndef CP_ADDRESS_H
#define CP_ADDRESS_H

#include "call/call.h"

#define CP_ADDRESS_NETWORK  48    /* bytes at most, with the closing NUL */

typedef struct {
    cp_str_t  index;      /* blind index, 32 bytes */
    cp_str_t  name;       /* the same in hexadecimal: for keys in Redis */
    cp_str_t  network;    /* "203.0.113.0/24", "2001:db8:0:1::/64"; what is no address stays as it is */
} cp_address_t;

/*
 * The one client behind an address: an IPv4 address, also one mapped into IPv6 (RFC 4291 section 2.5.5.2), as it is;
 * of an IPv6 address its /64, in which a household chooses freely (RFC 4862). From the arena; {0, NULL} when memory is
 * out. Pure.
 */
cp_str_t cp_address_client(cp_arena_t *arena, cp_str_t address);

/* The network as above: /24 of IPv4, /64 of IPv6. Pure. */
cp_str_t cp_address_network(cp_arena_t *arena, cp_str_t address);

/* Of the call's client. CP_E_NO_MEMORY. */
cp_code_t cp_call_address(cp_call_t *call, cp_address_t *address);

#endif
