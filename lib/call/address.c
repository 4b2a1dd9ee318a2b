#include "call/address.h"

#include <arpa/inet.h>
#include <string.h>

typedef enum {
    NONE,
    V4,
    V6
} family_t;


/* The bytes of an address: four or sixteen. */
static family_t
parse(cp_str_t address, unsigned char bytes[16])
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    char text[INET6_ADDRSTRLEN];

    if (address.len == 0 || address.len >= sizeof(text)) {
        return NONE;
    }
    memcpy(text, address.data, address.len);
    text[address.len] = '\0';

    if (inet_pton(AF_INET, text, bytes) == 1) {
        return V4;
    }
    if (inet_pton(AF_INET6, text, bytes) != 1) {
        return NONE;
    }
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        memmove(bytes, bytes + sizeof(mapped), 4);
        return V4;
    }

    return V6;
}


/* An IPv6 address without its last 64 bits. */
static cp_str_t
prefix_of(cp_arena_t *arena, unsigned char bytes[16])
{
    char text[INET6_ADDRSTRLEN];

    memset(bytes + 8, 0, 8);
    inet_ntop(AF_INET6, bytes, text, sizeof(text));

    return cp_str_printf(arena, "%s/64", text);
}


cp_str_t
cp_address_client(cp_arena_t *arena, cp_str_t address)
{
    unsigned char b[16];

    switch (parse(address, b)) {
    case V4:
        return cp_str_printf(arena, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    case V6:
        return prefix_of(arena, b);
    default:
        return cp_str_dup(arena, address);
    }
}


cp_str_t
cp_address_network(cp_arena_t *arena, cp_str_t address)
{
    unsigned char b[16];

    switch (parse(address, b)) {
    case V4:
        return cp_str_printf(arena, "%u.%u.%u.0/24", b[0], b[1], b[2]);
    case V6:
        return prefix_of(arena, b);
    default:
        return cp_str_dup(arena, cp_str_n(address.data, address.len < CP_ADDRESS_NETWORK ? address.len
                                                                                          : CP_ADDRESS_NETWORK - 1));
    }
}


cp_code_t
cp_call_address(cp_call_t *call, cp_address_t *address)
{
    cp_str_t client = cp_address_client(call->arena, call->client_ip);

    address->network = cp_address_network(call->arena, call->client_ip);
    if (client.data == NULL || address->network.data == NULL) {
        return CP_E_NO_MEMORY;
    }
    CP_TRY(cp_blind_index(call->app->keys, call->arena, "client.address", client, &address->index));

    address->name = cp_str_hex(call->arena, address->index);
    return address->name.data == NULL ? CP_E_NO_MEMORY : CP_OK;
}
