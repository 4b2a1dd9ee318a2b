/* RSA moduli that anybody can factor. */
#include "key.h"

#include <pthread.h>

#define TRIAL_LIMIT  2048
#define PRIMES       308     /* odd ones below the limit */
#define SQUARES      4095    /* the modulus by which squares are told from most other numbers */

/*
 * What is worked out once. A residue of the modulus costs a division a word, so primes are multiplied together as long
 * as the product has 32 bits, and the residues by each of them are taken of the product's.
 */
static struct {
    unsigned short  primes[PRIMES];
    struct {
        BN_ULONG        product;
        unsigned short  end;         /* the first prime that is not in it */
    } groups[PRIMES];
    size_t          group_count;
    bool            squares[SQUARES];
} tables;

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;


static bool
is_prime(unsigned short n, size_t known)
{
    size_t i;

    for (i = 0; i < known && tables.primes[i] * tables.primes[i] <= n; i++) {
        if (n % tables.primes[i] == 0) {
            return false;
        }
    }

    return true;
}


static void
make_tables(void)
{
    unsigned short n, count = 0;
    BN_ULONG       product = 1, i;

    for (n = 3; n < TRIAL_LIMIT && count < PRIMES; n = (unsigned short) (n + 2)) {
        if (!is_prime(n, count)) {
            continue;
        }
        if (product * n > UINT32_MAX) {
            tables.groups[tables.group_count].product = product;
            tables.groups[tables.group_count++].end = count;
            product = 1;
        }
        product *= n;
        tables.primes[count++] = n;
    }
    tables.groups[tables.group_count].product = product;
    tables.groups[tables.group_count++].end = count;

    for (i = 0; i <= SQUARES / 2; i++) {
        tables.squares[i * i % SQUARES] = true;
    }
}


bool
cp_modulus_has_small_factor(const BIGNUM *n)
{
    size_t   i, prime = 0;
    BN_ULONG residue;

    pthread_once(&tables_once, make_tables);

    if (!BN_is_odd(n)) {
        return true;
    }

    for (i = 0; i < tables.group_count; i++) {
        residue = BN_mod_word(n, tables.groups[i].product);
        for ( /* void */ ; prime < tables.groups[i].end; prime++) {
            if (residue % tables.primes[prime] == 0) {
                return true;
            }
        }
    }

    return false;
}


/* Whether `residue` is a power of 65537 modulo the prime. */
static bool
is_power(BN_ULONG residue, BN_ULONG prime)
{
    BN_ULONG value = 1;

    do {
        if (value == residue) {
            return true;
        }
        value = value * 65537 % prime;
    } while (value != 1);

    return false;
}


/*
 * Primes of the vulnerable library are k * M + (65537^a mod M), M a product of small primes, and so is the modulus:
 * modulo each of those primes it is a power of 65537 (Nemec et al., CCS 2017, section 2). Of other moduli one in 2^27
 * passes for such.
 */
bool
cp_modulus_is_roca(const BIGNUM *n)
{
    static const unsigned char primes[] = {
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
        109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167
    };
    size_t i;

    for (i = 0; i < sizeof(primes); i++) {
        if (!is_power(BN_mod_word(n, primes[i]), primes[i])) {
            return false;
        }
    }

    return true;
}


/* root = floor(sqrt(n)) by Newton's method from above. */
static bool
square_root(BIGNUM *root, const BIGNUM *n, BN_CTX *ctx)
{
    BIGNUM *next;
    bool    done = false;

    BN_zero(root);
    if (BN_is_zero(n)) {
        return true;
    }

    BN_CTX_start(ctx);
    next = BN_CTX_get(ctx);

    if (next == NULL || !BN_set_bit(root, (BN_num_bits(n) + 1) / 2)) {
        goto out;
    }

    for ( ;; ) {
        if (!BN_div(next, NULL, n, root, ctx) || !BN_add(next, next, root) || !BN_rshift1(next, next)) {
            goto out;
        }
        if (BN_cmp(next, root) >= 0) {
            break;
        }
        if (BN_copy(root, next) == NULL) {
            goto out;
        }
    }
    done = true;

out:

    BN_CTX_end(ctx);

    return done;
}


/* Squares are 0, 1, 4 or 9 modulo 16 and few modulo 4095: nearly every other number is told without a root. */
static bool
may_be_square(const BIGNUM *n)
{
    BN_ULONG low = BN_mod_word(n, 16);

    return (low == 0 || low == 1 || low == 4 || low == 9) && tables.squares[BN_mod_word(n, SQUARES)];
}


static bool
is_square(const BIGNUM *n, BIGNUM *root, BIGNUM *square, BN_CTX *ctx)
{
    return may_be_square(n) && square_root(root, n, ctx) && BN_sqr(square, root, ctx) && BN_cmp(square, n) == 0;
}


/* Fermat: n = a^2 - b^2; a begins at the root of n and meets close primes at once. */
bool
cp_modulus_is_close(const BIGNUM *n, unsigned rounds)
{
    BN_CTX  *ctx;
    BIGNUM  *a, *rest, *root, *square;
    bool     close = true;
    unsigned i;

    pthread_once(&tables_once, make_tables);

    ctx = BN_CTX_new();
    if (ctx == NULL) {
        return true;
    }

    BN_CTX_start(ctx);
    a = BN_CTX_get(ctx);
    rest = BN_CTX_get(ctx);
    root = BN_CTX_get(ctx);
    square = BN_CTX_get(ctx);

    /* Where memory is out, the key counts as weak. */
    if (square == NULL || !square_root(a, n, ctx)) {
        goto out;
    }

    if (!BN_sqr(rest, a, ctx) || !BN_sub(rest, rest, n)) {
        goto out;
    }
    for (i = 0; i <= rounds; i++) {
        if (!BN_is_negative(rest) && is_square(rest, root, square, ctx)) {
            goto out;
        }

        /* (a + 1)^2 = a^2 + a + (a + 1) */
        if (!BN_add(rest, rest, a) || !BN_add_word(a, 1) || !BN_add(rest, rest, a)) {
            goto out;
        }
    }
    close = false;

out:

    BN_CTX_end(ctx);
    BN_CTX_free(ctx);

    return close;
}
