/*
 * The walker of one format (WALK_KIND) on any bytes: the same verdict however they are cut, one that stays, and limits
 * that hold. Each piece is a block of its own, so that AddressSanitizer sees a byte too many, or one too late.
 */
#include "fuzz.h"

#include <zlib.h>

#include "walk/walk.h"

#define BYTEWISE_MAX  512

static const cp_walk_limits_t limits = { .max_pixels = 1000000, .max_pages = 4 };


/* A verdict of no stays, and no byte is taken after it. */
static void
feed(cp_walk_t *walk, const uint8_t *data, size_t len)
{
    cp_walk_verdict_t before = walk->verdict, verdict;
    int64_t           size = walk->size;
    uint8_t          *piece = fuzz_copy(data, len);

    verdict = cp_walk_feed(walk, piece, len);
    free(piece);

    HOLDS(verdict == walk->verdict && verdict < CP_WALK_VERDICTS_END);
    HOLDS(before == CP_WALK_OK || (verdict == before && walk->size == size));
    HOLDS(verdict != CP_WALK_OK || walk->size == size + (int64_t) len);
    HOLDS(walk->held <= walk->want && walk->want <= sizeof(walk->buffer));
}


static cp_walk_t
walked(const uint8_t *data, size_t len, uint32_t cuts, const cp_walk_limits_t *most)
{
    cp_walk_t        *walk = malloc(sizeof(*walk)), result;
    cp_walk_verdict_t verdict;
    size_t            at, n;

    HOLDS(walk != NULL);
    cp_walk_begin(walk, WALK_KIND, most);

    for (at = 0; at < len; at += n) {
        n = fuzz_piece(&cuts, len - at);
        feed(walk, data + at, n);
    }

    verdict = cp_walk_end(walk);
    result = *walk;
    HOLDS(result.verdict == verdict && cp_walk_end(walk) == verdict);
    if (verdict != CP_WALK_OK) {
        feed(walk, (const uint8_t *) "more", 4);
        HOLDS(cp_walk_end(walk) == verdict);
    }
    free(walk);

    return result;
}


static void
assert_same(const cp_walk_t *one, const cp_walk_t *other)
{
    HOLDS(one->verdict == other->verdict);
    HOLDS(one->size == other->size);
    HOLDS(one->width == other->width && one->height == other->height);
    HOLDS(one->pages == other->pages);
    HOLDS(one->trailing == other->trailing);
}


/* Limits add a refusal at an earlier byte or the same, and change nothing else. */
static void
check_limits(const cp_walk_t *walk, const uint8_t *data, size_t len)
{
    cp_walk_t unlimited = walked(data, len, FUZZ_WHOLE, NULL);

    HOLDS(unlimited.verdict != CP_WALK_TOO_MANY_PIXELS && unlimited.verdict != CP_WALK_TOO_MANY_PAGES);

    if (walk->verdict == CP_WALK_TOO_MANY_PIXELS || walk->verdict == CP_WALK_TOO_MANY_PAGES) {
        HOLDS(unlimited.size >= walk->size);
    } else {
        assert_same(walk, &unlimited);
    }
}


/* What follows the end may be cut off; what is before it may not. A PDF's end is where a reader finds one. */
static void
check_whole(const cp_walk_t *walk, const uint8_t *data, uint32_t seed)
{
    size_t    needed = (size_t) (walk->size - walk->trailing);
    cp_walk_t prefix;

    HOLDS(walk->trailing >= 0 && walk->trailing < walk->size);

    if (WALK_KIND == CP_WALK_PDF) {
        return;
    }

    HOLDS(walk->width > 0 && walk->height > 0 && walk->width * walk->height <= limits.max_pixels);
    HOLDS(walk->pages > 0 && walk->pages <= limits.max_pages);

    prefix = walked(data, needed, FUZZ_WHOLE, &limits);
    HOLDS(prefix.verdict == CP_WALK_OK && prefix.trailing == 0);
    prefix = walked(data, seed % needed, FUZZ_WHOLE, &limits);
    HOLDS(prefix.verdict != CP_WALK_OK);
}


static void
check(const uint8_t *data, size_t len)
{
    uint32_t  seed = (uint32_t) crc32(1, data, (uInt) len);
    cp_walk_t walk = walked(data, len, FUZZ_WHOLE, &limits), cut;

    HOLDS(walk.size <= (int64_t) len);

    cut = walked(data, len, seed | 1u << 31, &limits);
    assert_same(&walk, &cut);
    if (len <= BYTEWISE_MAX) {
        cut = walked(data, len, FUZZ_BYTEWISE, &limits);
        assert_same(&walk, &cut);
    }

    check_limits(&walk, data, len);
    if (walk.verdict == CP_WALK_OK) {
        check_whole(&walk, data, seed);
    }
}


/* Writes right checksums into the chunks of a PNG, which no mutation would find. Whether any was wrong. */
static bool
mend(uint8_t *data, size_t len)
{
    size_t   at = 8, size;
    uint32_t sum;
    uint8_t  right[4];
    bool     mended = false;

    while (at < len && len - at >= 12) {
        size = (size_t) data[at] << 24 | (size_t) data[at + 1] << 16 | (size_t) data[at + 2] << 8 | data[at + 3];
        if (size > len - at - 12) {
            break;
        }
        sum = (uint32_t) crc32(0, data + at + 4, (uInt) size + 4);
        at += 8 + size;
        right[0] = (uint8_t) (sum >> 24);
        right[1] = (uint8_t) (sum >> 16);
        right[2] = (uint8_t) (sum >> 8);
        right[3] = (uint8_t) sum;
        mended = mended || memcmp(data + at, right, 4) != 0;
        memcpy(data + at, right, 4);
        at += 4;
    }

    return mended;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t *copy;

    check(data, len);

    if (WALK_KIND == CP_WALK_PNG) {
        copy = fuzz_copy(data, len);
        if (mend(copy, len)) {
            check(copy, len);
        }
        free(copy);
    }

    return 0;
}
