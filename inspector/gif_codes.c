#include "gif_codes.h"

#define CODES       4096u    /* of 12 bits */
#define NONE        CODES    /* no code came since the table was cleared */
#define PIXEL_BITS  8u       /* at most */

typedef struct {
    const uint8_t  *at;
    const uint8_t  *end;
    size_t          block;     /* bytes left of the present block */
    uint32_t        bits;
    unsigned        count;     /* of bits */
} codes_t;

typedef struct {
    unsigned  clear;
    unsigned  next;            /* the code that will be defined */
    unsigned  size;            /* bits of a code */
    unsigned  last;
    uint32_t  length[CODES];   /* pixels of a code */
} table_t;


/* The next code; false at the end of the blocks. */
static bool
read_code(codes_t *codes, unsigned size, unsigned *code)
{
    while (codes->count < size) {
        if (codes->block == 0) {
            if (codes->at == codes->end || *codes->at == 0) {
                return false;
            }
            codes->block = *codes->at++;
        }
        if (codes->at == codes->end) {
            return false;
        }
        codes->bits |= (uint32_t) *codes->at++ << codes->count;
        codes->count += 8;
        codes->block--;
    }

    *code = codes->bits & ((1u << size) - 1);
    codes->bits >>= size;
    codes->count -= size;

    return true;
}


static void
clear(table_t *table, unsigned size)
{
    table->clear = 1u << size;
    table->next = table->clear + 2;
    table->size = size + 1;
    table->last = NONE;
}


/* Defines the code that is due after this one, which has just been read. */
static void
define(table_t *table, unsigned code)
{
    if (table->last != NONE && table->next < CODES) {
        table->length[table->next++] = table->length[table->last] + 1;
        if (table->next == 1u << table->size && table->next < CODES) {
            table->size++;
        }
    }
    table->last = code;
}


bool
cp_gif_codes_are_sound(const uint8_t *data, size_t size, uint64_t pixels)
{
    codes_t  codes = { .at = data + 1, .end = data + size };
    table_t  table;
    uint64_t got = 0;
    unsigned code, i, bits = size == 0 ? 0 : data[0];

    if (bits < 1 || bits > PIXEL_BITS) {
        return false;
    }
    clear(&table, bits);
    for (i = 0; i < table.clear; i++) {
        table.length[i] = 1;
    }

    while (got < pixels) {
        if (!read_code(&codes, table.size, &code) || code == table.clear + 1) {
            return false;
        }
        if (code == table.clear) {
            clear(&table, bits);
            continue;
        }

        /* One that is being defined stands for the last one and its first pixel again. */
        if (code > table.next || (code == table.next && table.next == CODES)
            || (table.last == NONE && code >= table.clear))
        {
            return false;
        }
        define(&table, code);
        got += table.length[code];
    }

    return true;
}
